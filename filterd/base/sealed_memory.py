# SPDX-License-Identifier: Apache-2.0
"""Octets in memory that are read from a file once, shared, and never changed.

A page of a mapped file is read from the disk when it is touched, and again after it was
evicted. Where the disk fails then, no call fails: the kernel ends the process (SIGBUS). So what
is read for long is copied by ``preadv``, which fails with an ``OSError``, into a memory file
(memfd_create(2)) that is sealed: its length and its octets are fixed for whoever has a
descriptor of it. Processes that map it share its pages, and a descriptor can be sent to
another process (unix(7), ``SCM_RIGHTS``).
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Octets = bytes | bytearray | memoryview

_CHUNK_OCTETS = 1 << 20
_MFD_NOEXEC_SEAL = 8
"""Of Linux 6.3; a system may demand it (sysctl ``vm.memfd_noexec``)."""
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class SealedMemory:
    """One piece of sealed memory; it is freed with its last descriptor and mapping.

    Args:
        descriptor: of a sealed memory file; it is closed with this object.

    Raises:
        OSError: the descriptor is of something else, whose octets could change.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._close = weakref.finalize(self, os.close, descriptor)
        self._close.atexit = False
        if fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS != _SEALS:
            self.close()
            raise OSError(errno.EINVAL, "Not sealed memory")

    @classmethod
    def of(cls, octets: Octets, name: str) -> SealedMemory:
        """Return memory with a copy of these octets.

        Args:
            octets: what to copy.
            name: what the kernel shows beside its mappings.

        Raises:
            OSError: there is no memory for them.
        """
        return cls._filled(lambda: [octets], name)

    @classmethod
    def of_file(cls, descriptor: int, most: int, name: str) -> SealedMemory:
        """Return memory with the octets of an open file.

        It is read piece by piece, so that it is in memory once.

        Args:
            descriptor: of the file.
            most: how many octets to take, if it has so many.
            name: what the kernel shows beside its mappings.

        Raises:
            OSError: the disk refused, or there is no memory for them.
        """
        return cls._filled(lambda: _chunks(descriptor, most), name)

    @classmethod
    def _filled(cls, chunks: Callable[[], Iterable[Octets]], name: str) -> SealedMemory:
        descriptor = _memory_file(f"filterd-{name}")
        try:
            for chunk in chunks():
                _write(descriptor, chunk)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError) and error.errno == errno.EFBIG:
                return _ForkedMemory(chunks())
            raise
        return cls(descriptor)

    @property
    def octets(self) -> int:
        """How many there are."""
        return os.fstat(self.descriptor).st_size

    def map(self) -> mmap.mmap:
        """Return its octets, at least one, mapped to read as long as the result is used.

        Raises:
            OSError: there is no room in the address space.
        """
        # A private mapping that is only read shares all pages; Linux before 6.7 refuses
        # shared ones of memory that is sealed.
        return mmap.mmap(self.descriptor, self.octets, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)

    def is_same(self, other: SealedMemory) -> bool:
        """Return whether another descriptor is of the very same memory."""
        return os.path.sameopenfile(self.descriptor, other.descriptor)

    def close(self) -> None:
        """Close its descriptor; what is mapped stays so."""
        self._close()


class _ForkedMemory(SealedMemory):
    """Memory that forks share and that cannot be sent.

    For a process that may write no file so large (RLIMIT_FSIZE): that counts memory files, too.
    """

    def __init__(self, chunks: Iterable[Octets]) -> None:
        octets = b"".join(chunks)
        self.descriptor = -1
        self._mapped = mmap.mmap(-1, len(octets))
        self._mapped.write(octets)

    @property
    def octets(self) -> int:
        return len(self._mapped)

    def map(self) -> mmap.mmap:
        return self._mapped

    def is_same(self, other: SealedMemory) -> bool:
        return self is other

    def close(self) -> None:
        pass


def _memory_file(name: str) -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create(name, flags | _MFD_NOEXEC_SEAL)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a kernel that does not know the flag
            raise
        return os.memfd_create(name, flags)


def _chunks(descriptor: int, most: int) -> Iterator[memoryview]:
    """Yield the first octets of a file; each chunk is valid until the next."""
    buffer, at = memoryview(bytearray(_CHUNK_OCTETS)), 0
    while count := os.preadv(descriptor, [buffer[: most - at]], at):
        yield buffer[:count]
        at += count


def _write(descriptor: int, octets: Octets) -> None:
    left = memoryview(octets)
    while left:
        left = left[os.write(descriptor, left) :]
