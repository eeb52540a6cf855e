# SPDX-License-Identifier: Apache-2.0
"""How the lists of a version are written: as its publisher's program writes them, or not at all.

Parsers of lists forgive much, because what others publish is written by hand. A
list of the feed is written by a program. A zero octet, a carriage return or a last
line without its end tells that the program, or a disk of its, did something that
nobody has foreseen; what else it did, nobody knows either (reliability.md E1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import ListError
from filterd.feed.guard.guard_report import Severity, found
from filterd.i18n import refused, say
from filterd.paths import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.feed.guard.guard_report import Finding
    from filterd.i18n import Sentence

KIND = "files"
MAX_LINE_OCTETS = 8_192
"""More than parsers read of a line, with its conditions."""

_CHUNK_OCTETS = 1 << 18
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks: of UTF-8 and of both kinds of UTF-16."""


def malformed(folder: Path, paths: Iterable[Path]) -> Iterator[Finding]:
    """Find files that are not written as those of a feed are.

    Args:
        folder: that of the version.
        paths: texts of it.

    Raises:
        ListError: one cannot be read.
    """
    for path in paths:
        why = _why(path)
        if why is not None:
            name = path.relative_to(folder).as_posix()
            sentence = say("{path} is not written as a list of the feed: {why}", path=name, why=why)
            yield found(KIND, Severity.REFUSED, sentence, [name])


def _why(path: Path) -> Sentence | None:
    """Return what is wrong with the octets of a file, None if nothing is."""
    left = 0  # octets of a line that has begun in the chunk before
    first, last = True, b""
    try:
        with open_plain(path) as file:
            while chunk := file.read(_CHUNK_OCTETS):
                if first and chunk.startswith(_MARKS):
                    return say("it begins with a byte order mark")
                if b"\0" in chunk:
                    return say("it has zero octets")
                if b"\r" in chunk:
                    return say("its lines end as those of Windows do")
                lines = chunk.split(b"\n")
                longest = max(left + len(lines[0]), *map(len, lines))
                if longest > MAX_LINE_OCTETS:
                    return say("it has a line of more than {most} octets", most=MAX_LINE_OCTETS)
                left = len(lines[-1]) + (left if len(lines) == 1 else 0)
                first, last = False, chunk[-1:]
    except OSError as error:
        raise ListError(
            say("{path}: cannot be read: {why}", path=path, why=refused(error))
        ) from error
    return say("its last line has no end: it was cut") if last not in {b"", b"\n"} else None
