# SPDX-License-Identifier: Apache-2.0
"""The text of a list, read once: digested, counted, cut into bounded lines.

Lists are hostile input. A line of fifty megabytes costs no more memory than a
long one, gzip may not blow up without end, and octets that are no UTF-8 pass as
surrogates, to be reported with their line and not to stop the list.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from typing import IO, TYPE_CHECKING, cast

from filterd.base.errors import ListError
from filterd.base.paths import open_plain
from filterd.texts.i18n import quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

MAX_TEXT_OCTETS = 1 << 30
"""Of one list, unpacked: two hundred times a million names would be a mistake or an attack."""
MAX_LINES = 50_000_000
"""Of one list: a text of nothing but newlines packs to a thousandth, and each costs time."""
KEPT_CHARACTERS = 1 << 13
"""Of an overlong line: enough for every parser to see that it is one."""
_CHUNK_CHARACTERS = 1 << 18


class SourceText:
    """The lines of one list, plain or gzip by its name.

    ``line_count`` and ``digest`` are right once the lines are used up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line_count = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the text, unpacked, in hex."""
        return self._digest.hexdigest()

    def lines(self, progress: Callable[[int], None]) -> Iterator[list[str]]:
        """Yield all lines without their ends, in batches.

        Args:
            progress: called after each batch with the octets of the file read so far.

        Raises:
            ListError: the file cannot be read, or its suffix is wrong.
        """
        try:
            with open_plain(self.path) as file:
                for batch in _split(self._decoded(file)):
                    self._count(len(batch))
                    yield batch
                    progress(file.tell())
        except (OSError, EOFError, zlib.error) as error:
            why = refused(error) if isinstance(error, OSError) else quoted(str(error))
            raise ListError(
                say("{path}: cannot be read: {why}", path=self.path, why=why)
            ) from error

    def _count(self, lines: int) -> None:
        self.line_count += lines
        if self.line_count > MAX_LINES:
            raise EOFError(f"more than {MAX_LINES} lines")

    def _decoded(self, file: IO[bytes]) -> io.TextIOWrapper:
        packed = self.path.suffix == ".gz"
        octets = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
        digesting = _Digesting(octets, self._digest.update)
        return io.TextIOWrapper(
            io.BufferedReader(digesting, _CHUNK_CHARACTERS),
            encoding="utf-8-sig",
            errors="surrogateescape",
        )


class _Digesting(io.RawIOBase):
    """A reader that passes octets on to a digest and bounds their number."""

    def __init__(self, source: IO[bytes], update: Callable[[bytes], None]) -> None:
        self._source, self._update = source, update
        self._left = MAX_TEXT_OCTETS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        octets = self._source.read(len(view))
        self._update(octets)
        view[: len(octets)] = octets
        self._left -= len(octets)
        if self._left < 0:
            raise EOFError(f"more than {MAX_TEXT_OCTETS} octets of text")
        return len(octets)


def _split(text: io.TextIOWrapper) -> Iterator[list[str]]:
    """Split a text at newlines, chunk by chunk, without the middle of overlong lines."""
    begun = ""
    while chunk := text.read(_CHUNK_CHARACTERS):
        first, newline, rest = chunk.partition("\n")
        begun += first[: max(KEPT_CHARACTERS - len(begun), 0)]
        if newline:
            batch = rest.split("\n")
            batch.insert(0, begun)
            begun = batch.pop()[:KEPT_CHARACTERS]
            yield batch
    if begun:
        yield [begun]
