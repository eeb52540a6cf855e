# SPDX-License-Identifier: Apache-2.0
"""Unpack the text of a source that comes as gzip, zip or tar.gz, within bounds.

Its address shows how it is packed. Nothing is written but the one text, whatever an archive
names its files, and no more of it than a text may have.
"""

from __future__ import annotations

import errno
import gzip
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from filterd.base.archives import (
    DAMAGED,
    LongDirectoryError,
    TooLongError,
    opened_tar_gz,
    opened_zip,
)
from filterd.base.errors import ForeignContentError, TooLargeError
from filterd.base.paths import writing
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

PACKINGS = (".tar.gz", ".tgz", ".zip", ".gz")
"""Ends of addresses that show how a text is packed."""
MOST_MEMBERS = 1_000
_HEADERS_OCTETS = 1 << 20
"""Of a tar file: what stands there beside contents."""
_CHUNK_OCTETS = 65_536


def packing_of(place: str) -> str:
    """Return how a text is packed, by the path of its address; empty for plain text."""
    return next((one for one in PACKINGS if place.lower().endswith(one)), "")


def unpack_text(path: Path, packing: str, source_id: str, member: str, most_octets: int) -> None:
    """Unpack a text in place, if it is packed.

    Args:
        path: the file as it came.
        packing: one of ``PACKINGS``; empty for plain text.
        source_id: what errors call it.
        member: of an archive; an archive of one file needs no name.
        most_octets: of the text.

    Raises:
        ForeignContentError: it is not packed so, or has no such member.
        TooLargeError: the text is too long.
        StoreError: the disk refused.
    """
    if not packing:
        return
    with writing(path), path.open("rb") as packed:
        opened = _opened(packed, packing, source_id, member, 2 * most_octets + _HEADERS_OCTETS)
        unpacked = unpacked_of(path)
        try:
            with unpacked.open("wb") as target, _unpacking(source_id, member), opened as text:
                _copy(text, target, most_octets)
            unpacked.replace(path)
        finally:
            unpacked.unlink(missing_ok=True)


def unpacked_of(path: Path) -> Path:
    """Return where a text is unpacked; a child that was ended may leave it."""
    return path.with_name(f"{path.name}.unpacked")


def _opened(
    packed: IO[bytes], packing: str, source_id: str, member: str, most_octets: int
) -> AbstractContextManager[IO[bytes]]:
    if packing == ".zip":
        return _zip_member(packed, source_id, member)
    if packing == ".gz":
        return cast("AbstractContextManager[IO[bytes]]", gzip.GzipFile(fileobj=packed))
    return _tar_member(packed, source_id, member, most_octets)


def _copy(text: IO[bytes], target: IO[bytes], most_octets: int) -> None:
    left = most_octets
    while chunk := text.read(_CHUNK_OCTETS):
        left -= len(chunk)
        if left < 0:
            raise TooLongError(most_octets)
        target.write(chunk)


@contextmanager
def _unpacking(source_id: str, member: str) -> Iterator[None]:
    try:
        yield
    except LongDirectoryError as error:
        raise _no_member(source_id, member) from error
    except TooLongError as error:
        raise TooLargeError(
            say("{url}: it has more than {most} octets", url=source_id, most=error.args[0])
        ) from error
    except DAMAGED as error:
        raise _not_so(source_id) from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise _not_so(source_id) from error  # it names a place before its own beginning


def _not_so(source_id: str) -> ForeignContentError:
    return ForeignContentError(
        say("{id}: it is not packed as the end of its address indicates", id=source_id)
    )


@contextmanager
def _zip_member(packed: IO[bytes], source_id: str, member: str) -> Iterator[IO[bytes]]:
    with opened_zip(packed) as archive:
        files = [one for one in archive.infolist()[:MOST_MEMBERS] if not one.is_dir()]
        wanted = [file for file in files if member in ("", file.filename)]
        if len(wanted) != 1:
            raise _no_member(source_id, member)
        with archive.open(wanted[0]) as text:
            yield text


@contextmanager
def _tar_member(
    packed: IO[bytes], source_id: str, member: str, most_octets: int
) -> Iterator[IO[bytes]]:
    with opened_tar_gz(packed, most_octets) as archive:
        for number, one in enumerate(archive):
            if number == MOST_MEMBERS:
                break
            if one.isreg() and member in ("", one.name.removeprefix("./")):
                text = archive.extractfile(one)
                assert text is not None, "it is a regular file"
                yield text
                return
    raise _no_member(source_id, member)


def _no_member(source_id: str, member: str) -> ForeignContentError:
    return ForeignContentError(
        say("{id}: the archive has no file {member}", id=source_id, member=member or "?")
    )
