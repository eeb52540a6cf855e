# SPDX-License-Identifier: Apache-2.0
"""One text from the web: bounded in size and time, by https alone, asked for only if it changed.

Unlike the feed, a list of somebody else may be kept on another host than the
one that was asked, so redirections are followed; never to another scheme.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3

from filterd.errors import (
    CutShortError,
    FetchError,
    ForeignContentError,
    RedirectError,
    StoreError,
    TooLargeError,
)
from filterd.feed.http_fetcher import failure, next_address
from filterd.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from filterd.lists.catalog import PublicSource

MAX_OCTETS = 100_000_000
"""Of one text; the largest that anybody publishes have a third of it."""
CHUNK_OCTETS = 65_536

_REDIRECTS = 5
_SILENCE_S = 30.0


class Validators(NamedTuple):
    """What a server gave to ask with the next time (RFC 9110, section 8.8); empty if nothing."""

    etag: str = ""
    last_modified: str = ""

    @property
    def condition(self) -> dict[str, str]:
        """The header fields that ask for a text only if it has changed."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {key: value for key, value in asked.items() if value}


def download(
    session: requests.Session,
    source: PublicSource,
    condition: Mapping[str, str],
    target: Path,
    schemes: frozenset[str],
) -> Validators | None:
    """Fetch the text of a source into a file.

    Args:
        session: bounded in time, see ``filterd.feed.http_fetcher.paced_session``.
        source: whose text it is.
        condition: header fields, as ``condition`` makes them of the last answer.
        target: the file, replaced.
        schemes: of addresses that may be asked, redirections included.

    Returns:
        What to ask with the next time; None if the text has not changed.

    Raises:
        FetchError: it did not come, or is longer than any list; the file is of no use.
        StoreError: the disk refused.
    """
    try:
        with closing(_answer(session, source, condition, schemes)) as answer:
            if answer.status_code == requests.codes.not_modified and condition:
                return None
            _judge_header(source, answer)
            write_bounded(_chunks(source, answer), target)
            headers = answer.headers
            return Validators(headers.get("ETag", ""), headers.get("Last-Modified", ""))
    except FetchError:
        raise
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise failure(source.address, error) from error


def _answer(
    session: requests.Session,
    source: PublicSource,
    condition: Mapping[str, str],
    schemes: frozenset[str],
) -> requests.Response:
    """Ask, and follow to wherever the publisher keeps the text, by the same schemes only."""
    address = source.address
    for _ in range(_REDIRECTS + 1):
        if _scheme(address) not in schemes:
            raise RedirectError(
                say("{id}: {address} is no https address", id=source.id, address=address[:200])
            )
        answer = session.get(
            address,
            headers=dict(condition),
            stream=True,
            allow_redirects=False,
            timeout=(_SILENCE_S, _SILENCE_S),
        )
        session.cookies.clear()
        if not answer.is_redirect:
            return answer
        answer.close()
        address = next_address(address, answer)
    raise RedirectError(say("{id}: its address points in a circle", id=source.id))


def _scheme(address: str) -> str:
    try:
        return urlsplit(address).scheme
    except ValueError:
        return ""


def _judge_header(source: PublicSource, answer: requests.Response) -> None:
    if answer.status_code != requests.codes.ok:
        raise FetchError(
            say(
                "{id}: the server answers with status {code}", id=source.id, code=answer.status_code
            )
        )
    if answer.headers.get("Content-Encoding", "identity") not in ("identity", ""):
        raise ForeignContentError(say("{id}: it came compressed, unasked", id=source.id))
    if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise ForeignContentError(say("{id}: a web page came instead of a list", id=source.id))


def _chunks(source: PublicSource, answer: requests.Response) -> Iterator[bytes]:
    """Give the octets of an answer as they come, all that were announced."""
    announced, received = answer.headers.get("Content-Length", ""), 0
    while chunk := answer.raw.read1(CHUNK_OCTETS, decode_content=False):
        received += len(chunk)
        yield chunk
    if announced.isdecimal() and received < int(announced):
        raise CutShortError(
            say(
                "{id}: it ended after {received} of {announced} octets",
                id=source.id,
                received=received,
                announced=int(announced),
            )
        )


def write_bounded(chunks: Iterator[bytes], target: Path) -> None:
    """Write a text to a file, replaced.

    Raises:
        TooLargeError: it is longer than any list.
        StoreError: the disk refused.
    """
    written = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        file = target.open("xb")
    except OSError as error:
        raise disk_error(target, error) from error
    with file:
        for chunk in chunks:
            written += len(chunk)
            if written > MAX_OCTETS:
                raise TooLargeError(
                    say(
                        "{file}: it is longer than {most} octets", file=target.name, most=MAX_OCTETS
                    )
                )
            file.write(chunk)


def disk_error(path: Path, error: OSError) -> StoreError:
    """Return the error that tells what a disk refused."""
    return StoreError(say("{path}: cannot be written: {why}", path=path, why=refused(error)))
