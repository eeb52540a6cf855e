# SPDX-License-Identifier: Apache-2.0
"""Unpack, read and judge the text of one source, in a bounded child.

What a server sends may ask for any memory or time: an archive unpacks without end, a list has
a million conditions. So nothing of it is unpacked or read in the process that follows lists: the
child has bounds of memory, processor and time, and what it cannot do within them costs this
source alone. One JSON object goes to its input, and one comes from its output.
"""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child, process_memory
from filterd.base.errors import (
    FilterdError,
    ForeignContentError,
    ListError,
    StoreError,
    TellableError,
    TooLargeError,
    from_plain,
    to_plain,
)
from filterd.base.paths import reading
from filterd.base.value_class import frozen
from filterd.feed.followed.packed_text import unpack_text
from filterd.feed.version_files import sha256_of
from filterd.lists.intake import count_entries
from filterd.lists.source_text import SourceText
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.base.bounded_child import Ended
    from filterd.texts.i18n import Sentence

MEMORY_OCTETS = 128 << 20
"""Beyond what the child begins with: any list is read in a tenth of it."""
CPU_LIMIT_S, TIME_LIMIT_S = 180, 600.0
"""Five million names take two seconds, or a minute where each line is unusual."""
MOST_PROBLEMS = 0.5
"""The share of bad lines in a text; with more it is not in the catalogue's format."""

_NICER = 10
_MOST_REQUEST_OCTETS = _MOST_ANSWER_OCTETS = 1 << 16
_HEAD_OCTETS = 1_024
_PAGE_BEGINNINGS = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
_KINDS: dict[str, type[TellableError]] = {
    one.code: one for one in (ForeignContentError, StoreError, TooLargeError)
}


@frozen
class TextFacts:
    """What a good text is: its digest and length, its entries and unusable lines."""

    sha256: str
    octets: int
    entries: int
    problems: int


@frozen
class ArrivedText:
    """A text as it came, which the child unpacks in place.

    Attributes:
        path: its file.
        source_id: what errors call it.
        format: of its lines.
        packing: the end of its address, where that is one of ``packed_text.PACKINGS``.
        member: of the archive; an archive of one file needs none.
        most_octets: of the text.
        known: the digest of the last good text, which is not judged again.
    """

    path: str
    source_id: str
    format: str
    packing: str
    member: str
    most_octets: int
    known: str = ""

    def judged(self) -> TextFacts | None:
        """Return the facts of the text; None where it is the known one.

        Raises:
            ForeignContentError: it is no list of this format.
            TooLargeError: it is too long.
            ListError: it cannot be read.
            StoreError: the disk refused.
        """
        path = Path(self.path)
        unpack_text(path, self.packing, self.source_id, self.member, self.most_octets)
        if self.known and sha256_of(path) == self.known:
            return None
        self._check_head(path)
        text = SourceText(path)
        entries, problems = count_entries(text, self.format)
        if problems > MOST_PROBLEMS * (entries + problems):
            raise ForeignContentError(
                say(
                    "{id}: {problems} of {all} lines are not in the format {format}",
                    id=self.source_id,
                    problems=problems,
                    all=entries + problems,
                    format=self.format,
                )
            )
        if not entries:
            raise ForeignContentError(say("{id}: it has no names", id=self.source_id))
        return TextFacts(text.digest, path.stat().st_size, entries, problems)

    def _check_head(self, path: Path) -> None:
        with reading(path), path.open("rb") as file:
            head = file.read(_HEAD_OCTETS).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if head.startswith(_PAGE_BEGINNINGS):
            raise ForeignContentError(
                say("{id}: a web page came instead of a list", id=self.source_id)
            )
        if b"\0" in head:
            raise ForeignContentError(say("{id}: it is not text", id=self.source_id))


def judge(text: ArrivedText, limit_s: float = TIME_LIMIT_S) -> TextFacts | None:
    """Unpack and judge a text in a child, within ``limit_s``.

    Returns: as ``ArrivedText.judged``.

    Raises:
        FilterdError: as of that; ListError: the child did not do it within its bounds.
    """
    plain = {
        "memory_octets": process_memory.child_octets(MEMORY_OCTETS),
        "cpu_s": CPU_LIMIT_S,
        "text": asdict(text),
    }
    try:
        ended = bounded_child.run(
            bounded_child.command("filterd.feed.followed.text_judgement"),
            limit_s=min(limit_s, TIME_LIMIT_S),
            most_octets=_MOST_ANSWER_OCTETS,
            request=json.dumps(plain).encode("ascii"),
        )
    except TimeoutError:
        why = say("it took more than {limit_s} s", limit_s=round(min(limit_s, TIME_LIMIT_S)))
        raise _not_judged(text, why) from None
    except OSError as error:
        raise bounded_child.not_started(error) from error
    return _read(text, ended)


def _read(text: ArrivedText, ended: Ended) -> TextFacts | None:
    """Return what the child has found, or raise it."""
    try:
        answer = json.loads(ended.output)
        if "error" not in answer:
            return None if answer["facts"] is None else TextFacts(**answer["facts"])
        error = from_plain(answer)
    except (ValueError, KeyError, TypeError):  # it met a bound, or the system ended it
        raise _not_judged(text, ended.last_words) from None
    raise _KINDS.get(error.code, ListError)(error.sentence)


def _not_judged(text: ArrivedText, why: Sentence) -> ListError:
    return ListError(say("{id}: it cannot be judged: {why}", id=text.source_id, why=why))


def main() -> int:
    """Judge the text that the request names; return the exit code."""
    bounded_child.end_with_parent()
    answer = bounded_child.own_output()
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(_MOST_REQUEST_OCTETS))
    bounded_child.bound(
        memory_octets=bounded_child.mapped_octets() + int(request["memory_octets"]),
        cpu_s=int(request["cpu_s"]),
        nicer=_NICER,
    )
    text, found = ArrivedText(**request["text"]), dict[str, Any]()
    with contextlib.suppress(MemoryError):  # which holds all memory until it is let go
        try:
            facts = text.judged()
            found = {"facts": None if facts is None else asdict(facts)}
        except FilterdError as error:
            found = to_plain(error)
    if not found:
        found = to_plain(
            TooLargeError(
                say("{id}: to read it takes more memory than a list needs", id=text.source_id)
            )
        )
    with answer:
        answer.write(json.dumps(found).encode("ascii"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
