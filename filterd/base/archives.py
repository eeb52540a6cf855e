# SPDX-License-Identifier: Apache-2.0
"""Open zip and tar files that come from outside, within bounds.

The modules of the standard library take what a file asks for: ``zipfile`` makes an object of
each entry of a directory, and unpacks in ways that take gigabytes (LZMA, bzip2); ``tarfile``
reads a long name or the fields of a pax header whole, and searches those in quadratic time. What
comes out of a member has its reader's bound.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

DAMAGED = (
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    zlib.error,
    gzip.BadGzipFile,
    tarfile.TarError,
    zipfile.BadZipFile,
)
"""What reading an archive raises that is damaged, hostile or none; never ``MemoryError``."""

MOST_DIRECTORY_OCTETS = 1 << 20
"""Of a zip file: some ten thousand files."""
MOST_HEADER_OCTETS = 12_288
"""Of a member's headers in a tar file: two paths of the longest kind, or as many pax fields."""

_TAIL_OCTETS = 66_000
"""From the end of a file: its last record, with the longest comment, is within (APPNOTE 4.3.16)."""
_ends = re.compile(rb"PK\x05\x06").finditer
_ZIP64 = b"PK\x06\x07"
_SIZE = slice(12, 16)
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others take as much memory as a file asks for, and have errors of their own."""


_TOO_MUCH = "a header asks for more than a list needs"


class LongDirectoryError(zipfile.BadZipFile):
    """The directory of a zip file has more files than any of ours."""


class TooLongError(ValueError):
    """More octets come out of an archive than may: its argument."""


def opened_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip file with a bounded directory, whose members take little memory.

    Raises:
        LongDirectoryError: it has too many files.
        DAMAGED: it is no zip file, or a damaged one.
    """
    if not _is_small(file):
        raise LongDirectoryError
    archive = zipfile.ZipFile(file)
    if any(one.compress_type not in _PACKED for one in archive.infolist()):
        archive.close()
        raise zipfile.BadZipFile("it is packed in a way that is not expected")
    return archive


@contextmanager
def opened_tar_gz(file: IO[bytes], most_octets: int) -> Iterator[tarfile.TarFile]:
    """Open a tar file within gzip as a stream: nothing is looked for twice.

    Args:
        file: it.
        most_octets: of all that it unpacks to.

    Raises:
        TooLongError: it unpacks to more; members raise it, too.
        DAMAGED: it is no such file, or a damaged one.
    """
    with gzip.GzipFile(fileobj=file) as raw:
        stream = cast("Any", _Bounded(raw, most_octets))
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
            yield archive


_MOST_READS_AT_END = 100
"""``tarfile`` skips a member of 2**88 octets by as many reads of a file that has ended."""


class _Bounded:
    """Reads a bounded number of octets of a stream, and little after its end."""

    def __init__(self, raw: gzip.GzipFile, most_octets: int) -> None:
        self._raw, self._most, self._left = raw, most_octets, most_octets
        self._reads_at_end = 0

    def read(self, octets: int) -> bytes:
        """Return the next octets.

        Raises:
            TooLongError: there are too many.
            EOFError: the end was passed long ago.
        """
        content = self._raw.read(octets)
        self._reads_at_end += not content
        if self._reads_at_end > _MOST_READS_AT_END:
            raise EOFError("it ends before the end of a member")
        self._left -= len(content)
        if self._left < 0:
            raise TooLongError(self._most)
        return content


class _Header(tarfile.TarInfo):
    """A short header, of a member without holes."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        """Read the headers of the next member.

        Which private methods ``tarfile`` reads them by differs between versions of Python; all
        read from its file.

        Raises:
            tarfile.ReadError: they are too long, or of a sparse file.
        """
        whole = archive.fileobj
        archive.fileobj = cast("Any", _ShortRead(whole))
        try:
            found = super().fromtarfile(archive)
        finally:
            archive.fileobj = whole
        if found.size < 0 or found.issparse():
            raise tarfile.ReadError(_TOO_MUCH)
        return found


class _ShortRead:
    """The file of a tar file, of which no more than a member's headers may be read."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, MOST_HEADER_OCTETS
        self.tell = file.tell

    def read(self, octets: int) -> bytes:
        """Return the next octets.

        Raises:
            tarfile.ReadError: there are too many.
        """
        self._left -= octets
        if octets < 0 or self._left < 0:
            raise tarfile.ReadError(_TOO_MUCH)
        return cast("bytes", self._file.read(octets))


def _is_small(file: IO[bytes]) -> bool:
    """Return whether a zip file's directory is within ``MOST_DIRECTORY_OCTETS``.

    Each mark of a last record counts: a file may have one within the fields or the comment of
    the true one. A file without any is none, which ``zipfile`` reports.
    """
    file.seek(max(file.seek(0, 2) - _TAIL_OCTETS, 0))
    tail, most = file.read(_TAIL_OCTETS), MOST_DIRECTORY_OCTETS
    if _ZIP64 in tail:
        return False
    sizes = (tail[end.start() :][_SIZE] for end in _ends(tail))
    return all(int.from_bytes(size, "little") <= most for size in sizes)
