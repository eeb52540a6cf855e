# SPDX-License-Identifier: Apache-2.0
"""Unpack the text of a source that comes as gzip, zip or tar.gz, within bounds.

Its address shows how it is packed. Nothing is written but the one text, whatever an archive
names its files, and no more of it than a text may have.
"""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from filterd import zip_directory
from filterd.errors import ForeignContentError, TooLargeError
from filterd.http_download import CHUNK_OCTETS, bounded, split
from filterd.i18n import say
from filterd.paths import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.catalog import PublicSource

MOST_MEMBERS = 1_000
_HEADERS_OCTETS = 1 << 20
"""Of a tar file: what stands there beside contents."""
_DAMAGED = (
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
)


def unpack_text(path: Path, address: str, source: PublicSource, most_octets: int) -> None:
    """Unpack a text in place, if its address ends as that of a packed one.

    Args:
        path: the file as it came.
        address: where it came from.
        source: names the member of an archive; an archive of one file needs no name.
        most_octets: of the text.

    Raises:
        ForeignContentError: it is not packed so, or has no such member.
        TooLargeError: the text is too long.
        StoreError: the disk refused.
    """
    place = split(address).path.lower()
    if place.endswith((".tar.gz", ".tgz")):
        opened = _tar_member(path, source, most_octets)
    elif place.endswith(".zip"):
        opened = _zip_member(path, source)
    elif place.endswith(".gz"):
        opened = _gzip(path)
    else:
        return
    unpacked = path.with_name(f"{path.name}.unpacked")
    try:
        with writing(unpacked), unpacked.open("wb") as target, _unpacking(source), opened as text:
            for chunk in bounded(
                iter(lambda: text.read(CHUNK_OCTETS), b""), most_octets, source.id
            ):
                target.write(chunk)
        with writing(path):
            unpacked.replace(path)
    finally:
        unpacked.unlink(missing_ok=True)


@contextmanager
def _unpacking(source: PublicSource) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise ForeignContentError(
            say("{id}: it is not packed as the end of its address indicates", id=source.id)
        ) from error


@contextmanager
def _gzip(path: Path) -> Iterator[IO[bytes]]:
    with gzip.open(path, "rb") as text:
        yield text  # type: ignore[misc]


@contextmanager
def _zip_member(path: Path, source: PublicSource) -> Iterator[IO[bytes]]:
    _check_directory(path, source)
    with zipfile.ZipFile(path) as archive:
        files = [one for one in archive.infolist()[:MOST_MEMBERS] if not one.is_dir()]
        wanted = [one for one in files if one.filename == source.member or not source.member]
        if len(wanted) != 1:
            raise _no_member(source)
        with archive.open(wanted[0]) as text:
            yield text


def _check_directory(path: Path, source: PublicSource) -> None:
    """Check the length of a zip file's directory: all of it is read into memory."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - zip_directory.TAIL_OCTETS, 0))
        if not zip_directory.is_small(file.read()):
            raise _no_member(source)


@contextmanager
def _tar_member(path: Path, source: PublicSource, most_octets: int) -> Iterator[IO[bytes]]:
    """Open a member of a tar file, which is read as a stream.

    Nothing is looked for twice.
    """
    with gzip.open(path, "rb") as raw:
        stream = _Bounded(raw, 2 * most_octets + _HEADERS_OCTETS, source.id)
        with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
            for number, member in enumerate(archive):
                if number == MOST_MEMBERS:
                    break
                if member.isreg() and source.member in ("", member.name.removeprefix("./")):
                    text = archive.extractfile(member)
                    assert text is not None, "it is a regular file"
                    yield text
                    return
    raise _no_member(source)


class _Bounded:
    """Reads a stream of which no more than some octets may come."""

    def __init__(self, raw: gzip.GzipFile, most_octets: int, name: str) -> None:
        self._raw, self._most, self._name, self._octets = raw, most_octets, name, 0

    def read(self, octets: int) -> bytes:
        """Return the next octets.

        Raises:
            TooLargeError: there are too many.
        """
        content = self._raw.read(octets)
        self._octets += len(content)
        if self._octets > self._most:
            raise TooLargeError(
                say("{url}: it has more than {most} octets", url=self._name, most=self._most)
            )
        return content


def _no_member(source: PublicSource) -> ForeignContentError:
    return ForeignContentError(
        say("{id}: the archive has no file {member}", id=source.id, member=source.member or "?")
    )
