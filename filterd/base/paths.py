# SPDX-License-Identifier: Apache-2.0
"""Where files are that ship, and reading and writing that survives a power cut.

One daemon to a state folder, and one compiler of lists: ``sole`` sees to it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import stat
import sysconfig
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filterd.base.errors import InUseError, StoreError
from filterd.texts.i18n import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.base.errors import FilterdError

    Buffer = bytes | memoryview

SYSTEM_CONFIG = Path("/etc/filterd")
SYSTEM_STATE = Path("/var/lib/filterd")
SIDES = ("-wal", "-shm", "-journal")
"""What ends the names of files that SQLite keeps beside one of its own."""
_PROBE_OCTETS = 4096
_serial = itertools.count()
_PIECE_OCTETS = 1 << 20
_MOST_RESERVED_OCTETS, _RESERVED_PART = 100_000_000, 50
"""What lists leave free of a disk: a fiftieth of it, at most 100 MB."""


@cache
def shipped(folder: str) -> Path:
    """Return the folder ``blocklists`` or ``policies`` that ships with filterd.

    In a checkout it stands beside the package, installed it is in the data
    folder of the environment (``share/filterd``).

    Raises:
        StoreError: it is in neither place.
    """
    checkout = Path(__file__).resolve().parents[2] / folder
    if checkout.is_dir():
        return checkout
    installed = Path(sysconfig.get_path("data")) / "share" / "filterd" / folder
    if installed.is_dir():
        return installed
    raise StoreError(
        say("{folder}/ is missing beside the package; reinstall filterd", folder=folder)
    )


def is_there(path: Path) -> bool:
    """Return whether a file or folder exists; False where its folder cannot be read."""
    return os.path.exists(path)  # noqa: PTH110 -- ``Path.exists`` raises PermissionError


def with_sides(path: Path) -> tuple[Path, ...]:
    """Return a file of SQLite and those that it may keep beside it."""
    return (path, *(path.with_name(path.name + ending) for ending in SIDES))


def open_plain(path: Path) -> IO[bytes]:
    """Open a file that a person named or that is kept as state, to read it.

    A pipe could keep its reader waiting for ever and a device never end, so
    neither is taken; opening a pipe does not wait for its writer here.

    Raises:
        OSError: it cannot be opened, or is no plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "Not a plain file", str(path))


def read_plain(path: Path, most_octets: int) -> bytes:
    """Return what stands in a file of the state folder, whatever stands in its place.

    Raises:
        OSError: it cannot be read, is no plain file, or is longer than any of ours.
    """
    with open_plain(path) as file:
        # To ask for many octets takes the memory for all of them, however short the file is.
        pieces, left = list[bytes](), most_octets + 1
        while left and (piece := file.read(min(left, _PIECE_OCTETS))):
            pieces.append(piece)
            left -= len(piece)
    content = b"".join(pieces)
    if len(content) > most_octets:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def has_bad_sector(path: Path) -> bool:
    """Return whether a file has octets that its disk does not give back (EIO)."""
    try:
        with open_plain(path) as file:
            while file.read(_PIECE_OCTETS):
                pass
    except OSError as error:
        return error.errno == errno.EIO
    return False


def temporary_of(path: Path) -> Path:
    """Return a name beside a file for what replaces it; no two writers get the same.

    Two threads, or two writers of one thread, would put unsynced content of each other in place.
    ``remove_temporaries`` finds what is left of them.
    """
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_serial)}.tmp")


def write_atomically(path: Path, content: Buffer, *, mode: int = 0o640) -> None:
    """Replace ``path`` by ``content`` atomically.

    After a power cut it is the old or the new, never a mix.

    Temporary file, fsync, rename, fsync of the folder: without the first fsync
    the rename may reach the disk before the bytes do.

    Raises:
        StoreError: the disk refused; the old file is untouched.
    """
    with replacing(path, content, mode=mode) as replace:
        replace()


@contextlib.contextmanager
def replacing(path: Path, content: Buffer, *, mode: int = 0o640) -> Iterator[Callable[[], None]]:
    """Have ``content`` on the disk, and yield what puts it in the place of ``path``.

    For a file that must change together with something else: what a full disk
    refuses, it refuses before the other thing is done. Without that call
    nothing has changed at the end.

    Raises:
        StoreError: the disk refused; the old file is untouched.
    """
    temporary = temporary_of(path)
    try:
        with writing(path):
            make_folder(path.parent, mode=mode | mode >> 2 & 0o111)  # as open as the file
            # Made anew: root must not write through a link in the folder.
            temporary.unlink(missing_ok=True)
            with create(temporary, mode=mode) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

        def replace() -> None:
            with writing(path):
                install(temporary, path)

        yield replace
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def streaming(path: Path, *, mode: int = 0o640) -> Iterator[IO[bytes]]:
    """Yield a file to write, which takes the place of ``path`` at the end.

    For a content too large for the memory. After an error or a power cut the old file stays.

    Raises:
        StoreError: the disk refused.
    """
    temporary = temporary_of(path)
    try:
        with writing(path):
            make_folder(path.parent, mode=mode | mode >> 2 & 0o111)
            temporary.unlink(missing_ok=True)
            with create(temporary, mode=mode) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            install(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def create(path: Path, *, mode: int = 0o640) -> IO[bytes]:
    """Make a file that is not there yet, to write it.

    Others may not read it, whatever the umask.

    Raises:
        OSError: the disk refused, or something is there.
    """
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))


def check_room(folder: Path, octets: int) -> None:
    """See that so many octets leave some of the disk free.

    The free part is for the log and for what commands set.

    Raises:
        StoreError: they do not.
    """
    try:
        disk = os.statvfs(folder)
    except OSError:  # writing will show it
        return
    reserve = min(_MOST_RESERVED_OCTETS, disk.f_blocks * disk.f_frsize // _RESERVED_PART)
    free = disk.f_bavail * disk.f_frsize
    if free < octets + reserve and disk.f_blocks:
        raise StoreError(
            say(
                "{folder}: {wanted} MB must be free, and {there} MB are; make room on the disk",
                folder=folder,
                wanted=_megabytes(octets + reserve),
                there=_megabytes(free),
            )
        )


def _megabytes(octets: int) -> float:
    return round(octets / 1_000_000, 1)


def takes_files(folder: Path) -> bool:
    """Return whether a small file can be written in a folder."""
    probe = folder / "probe"
    try:
        with replacing(probe, bytes(_PROBE_OCTETS)):
            return True
    except StoreError:
        return False


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the operating system during a write into one of filterd's.

    Raises:
        StoreError: the write failed.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be written: {why}", path=path, why=refused(error))
        ) from error


_OF_WRITES = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))
"""Errors that no read has."""


@contextlib.contextmanager
def reading(path: str | Path, kind: type[FilterdError] = StoreError) -> Iterator[None]:
    """Turn an error of the operating system during a read into one of filterd's.

    Raises:
        FilterdError: the read failed; of the kind that the caller names.
        StoreError: the disk is full or read-only: what was read was to be kept.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in _OF_WRITES:
            raise StoreError(
                say("{path}: cannot be written: {why}", path=where, why=refused(error))
            ) from error
        raise kind(say("{path}: cannot be read: {why}", path=where, why=refused(error))) from error


def remove_temporaries(*paths: Path) -> None:
    """Remove the temporary files that killed writers left beside these files.

    No process may be writing them now.
    """
    for path in paths:
        for temporary in path.parent.glob(f".{path.name}.*.tmp"):
            with contextlib.suppress(OSError):  # then it stays
                temporary.unlink()


def install(temporary: Path, path: Path) -> None:
    """Rename a finished, synced file into place and make the rename last."""
    _give_to_owner_of(path.parent, temporary)
    temporary.replace(path)
    sync_folder(path.parent)


def is_plain(path: Path) -> bool:
    """Return whether the path is a plain file or free.

    A link, a folder, a pipe or a device is neither.

    Raises:
        OSError: the path cannot be examined.
    """
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def move_away(path: Path) -> None:
    """Rename what stands in the place of a file of ours, whatever it is; it is kept.

    Raises:
        OSError: the disk refused, or too many were moved away before.
    """
    names = (path.with_name(f"{path.name}.moved-{number}") for number in range(1, 100))
    path.rename(next((name for name in names if not os.path.lexists(name)), path / "full"))


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk.

    What was made, linked, renamed or removed there then lasts.

    Raises:
        OSError: the disk refused.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, mode: int = 0o750) -> None:
    """Make a folder and those above it that are missing, each its parent's owner's.

    Raises:
        OSError: the disk refused, or a file is in the way.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent, mode=mode)
    if os.path.lexists(folder):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.mkdir(mode=mode, exist_ok=True)
    _give_to_owner_of(folder.parent, folder)
    sync_folder(folder.parent)


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Give a file that root has made to the owner of its folder.

    An administrator runs commands as root; the daemon is another user and must be able
    to read and replace their files. Of a link the owner changes, not of its target,
    which might be any file of the machine.
    """
    if os.geteuid() == 0:
        owner, now = folder.stat(), path.lstat()
        if (now.st_uid, now.st_gid) == (owner.st_uid, owner.st_gid):
            return  # on a read-only disk even the same chown fails
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextlib.contextmanager
def sole(lock: Path, *, otherwise: Sentence, wait: bool = False) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends.

    Args:
        lock: the file to lock; it is made, with its folder, and stays.
        otherwise: the message if another process holds it.
        wait: wait until the other process releases it, instead of refusing.

    Raises:
        InUseError: another process holds it.
        StoreError: the disk refused.
    """
    with contextlib.ExitStack() as opened:
        try:
            make_folder(lock.parent)
            file = opened.enter_context(open(lock, "rb", opener=_open_lock))
            _give_to_owner_of(lock.parent, lock)
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise InUseError(
                say("{parent}: {otherwise}", parent=lock.parent, otherwise=otherwise)
            ) from error
        except OSError as error:
            raise StoreError(
                say("{parent}: cannot be written: {why}", parent=lock.parent, why=refused(error))
            ) from error
        yield


def _open_lock(path: str, _flags: int) -> int:
    """Open a path itself: neither follow a link nor wait at a pipe.

    For reading only: an existing lock can be held on a disk that cannot be written, and
    does not prevent remounting the disk read-only.
    """
    flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    return os.open(path, flags | os.O_CLOEXEC, 0o640)
