# SPDX-License-Identifier: Apache-2.0
"""Octets of the feed from a web server, as TUF asks for them: from one server, bounded.

What bounds them is ``filterd.http_download``; here is what belongs to the feed: a file
that is missing is reported as TUF wants it, and a server's mark is sent back only if it is short.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

from filterd.errors import ConfigError, FetchError
from filterd.http_download import (
    NONE_KNOWN,
    Downloader,
    DownloadLimits,
    Pace,
    RequestPolicy,
    Validators,
    bounded,
    page_error,
    split,
)
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from filterd.clock import Clock
    from filterd.http_download import HttpResponse

_POLICY = RequestPolicy(frozenset({"http", "https"}), redirects=3, is_one_server=True)
"""Trust does not rest on the connection."""
_ANY_OCTETS = 1 << 62
"""The reader of the chunks counts them."""
_is_mark = re.compile(r'(?:W/)?"[!#-~]{1,64}"').fullmatch
"""A mark as RFC 9110 (section 8.8.3) writes it, and short: it is sent back."""


class Marked(NamedTuple):
    """A file's octets, and the mark by which a server knows them again; empty for none."""

    content: bytes
    etag: str


class Fetcher(FetcherInterface):
    """What both kinds of source share: a bounded file in memory.

    Attributes:
        base: where the feed's ``metadata/`` and ``targets/`` are, with a slash at the end.
    """

    base: str

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Return a whole file.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        with closing(self._fetch(url)) as chunks:
            return b"".join(bounded(chunks, max_length, url))

    def download_changed(self, url: str, max_length: int, _known: str) -> Marked | None:
        """Return a whole file, or ``None`` where it is still the one of a known mark.

        Raises:
            FetchError: one of its kinds.
            DownloadHTTPError: it is not there.
        """
        return Marked(self.download_bytes(url, max_length), "")

    @abstractmethod
    def _fetch(self, url: str) -> Generator[bytes]:
        """Yield a file's octets; the caller closes this."""


class WebFetcher(Fetcher):
    """Asks a web server.

    Args:
        base: the feed's address, ``http://`` or ``https://``. Trust does not rest on it.
        clock, limits: what bounds the run.

    Raises:
        ConfigError: the address is none, or has a name and password in it.
    """

    def __init__(self, base: str, clock: Clock, limits: DownloadLimits | None = None) -> None:
        parts = split(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ConfigError(
                say("'{address}' is not an address of a feed", address=base),
                hint=say("write https://HOST/PATH, without a name or password"),
            )
        self.base = base if base.endswith("/") else f"{base}/"
        self._downloader = Downloader(Pace(clock, limits or DownloadLimits()), _POLICY)

    def download_changed(self, url: str, max_length: int, known: str) -> Marked | None:
        """Return a whole file, or ``None`` where the server says that its mark is the known one."""
        with self._got(url, Validators(known if _is_mark(known) else "")) as answer:
            if answer is None:
                return None
            content = b"".join(bounded(_checked(url, answer), max_length, url))
            etag = answer.validators.etag
            return Marked(content, etag if _is_mark(etag) else "")

    def _fetch(self, url: str) -> Generator[bytes]:
        with self._got(url) as answer:
            assert answer is not None, "nothing was known of it"
            yield from _checked(url, answer)

    @contextmanager
    def _got(self, url: str, known: Validators = NONE_KNOWN) -> Iterator[HttpResponse | None]:
        try:
            with self._downloader.get(url, known=known) as answer:
                yield answer
        except FetchError as error:
            if error.status in (403, 404):
                raise DownloadHTTPError(f"{url}: {error.status}", error.status) from error
            raise


def _checked(url: str, answer: HttpResponse) -> Iterator[bytes]:
    """Give the octets; of metadata, if they do not begin as a web page."""
    is_first = url.endswith(".json")
    for chunk in answer.chunks(_ANY_OCTETS):
        if is_first and chunk.lstrip()[:1] == b"<":
            raise page_error(url)
        is_first = False
        yield chunk
