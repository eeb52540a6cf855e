# SPDX-License-Identifier: Apache-2.0
"""Read and verify indexes, each file once in a process for as long as it is used.

What was read is in sealed memory, so it stays as it was verified. The same file need not be
read again, and memory holds one index however often it is asked for.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakValueDictionary

from filterd.base.errors import IndexFormatError, StoreError
from filterd.base.paths import open_plain
from filterd.lists.index import Index
from filterd.lists.index_files import checked_digests, note_checked
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FileMark: TypeAlias = tuple[int, int, int, int]
"""Device, inode, length and time of a file: others once it is replaced or changed."""


class VerifiedIndexes:
    """The indexes that this process has verified and uses.

    Attributes:
        in_force: the one in force, which is better than that before if its file cannot be read.
    """

    def __init__(self) -> None:
        self.in_force: Index | None = None
        self._of_file: WeakValueDictionary[FileMark, Index] = WeakValueDictionary()
        self._kept: list[Index] | None = None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is read meanwhile, whether it is used or not."""
        self._kept = []
        try:
            yield
        finally:
            self._kept = None

    def open(self, path: Path, record: Path) -> Index:
        """Return the index of a file, all of it verified.

        Args:
            path: the file.
            record: has the digests of those whose structure was checked.

        Raises:
            IndexFormatError: it is damaged, or no index that this filterd reads.
            OSError: it cannot be read, or there is no memory for it.
        """
        with open_plain(path) as file:
            mark = _mark(os.fstat(file.fileno()))
            index = self._of_file.get(mark)
            if index is None:
                index = Index.of_file(file.fileno(), path)
                _verify(index, path, record)
                self.note(index, mark)
        return index

    def note(self, index: Index, mark: FileMark) -> None:
        """Note that another process has read and verified this index of a file."""
        self._of_file[mark] = index
        if self._kept is not None:
            self._kept.append(index)

    def mark_of(self, index: Index) -> FileMark | None:
        """Return the mark of the file that an index was read from; None if of none."""
        return next((mark for mark, one in self._of_file.items() if one is index), None)

    def has(self, file: os.stat_result) -> bool:
        """Return whether this process uses the index of this very file."""
        return _mark(file) in self._of_file


def _mark(file: os.stat_result) -> FileMark:
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns


def _verify(index: Index, path: Path, record: Path) -> None:
    sound = checked_digests(record)
    try:
        index.verify(sound=sound)
    except IndexFormatError as error:
        raise IndexFormatError(say("{path}: {error}", path=path, error=error.sentence)) from error
    if index.digest not in sound:
        with contextlib.suppress(StoreError):  # then the next start takes a little longer
            note_checked(record, index.digest)
