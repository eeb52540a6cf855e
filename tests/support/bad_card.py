# SPDX-License-Identifier: Apache-2.0
"""A memory card that fails: reading gives EIO where the kernel reads, or hangs.

A server of the kernel's FUSE protocol (``linux/fuse.h``) stands in the place of one file or of a
folder. So every way to read meets the fault: a call fails with EIO, and a process that touches a
page of a mapping is ended by SIGBUS. The server is a process of its own, because a
process that waits for a page of a mapping cannot serve it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PAGE_OCTETS = 4096
_MNT_DETACH = 2
_REQUEST_OCTETS = 1 << 20
_IN, _OUT = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
_INIT = struct.Struct("<IIIIHHIIHHI7I")
_ATTRIBUTES = struct.Struct("<QII6Q10I")
_OPENED, _READING = struct.Struct("<QII"), struct.Struct("<QQIIQII")
_INVALIDATED = struct.Struct("<Qqq")
_FORGET, _GETATTR, _OPEN, _READ, _RELEASE = 2, 3, 14, 15, 18
_FLUSH, _INIT_CALL, _INTERRUPT, _BATCH_FORGET = 25, 26, 36, 42
_INVALIDATE_INODE = 2
_ROOT = 1
_ALWAYS = 3600


class _Server:
    """Answers the kernel.

    Args:
        path: of the file or folder that it stands in the place of.
        bad: numbers of the pages that cannot be read.
        mode: as in ``st_mode``.
        content: of the file.
        hangs: whether reading a bad page never ends; who does it cannot be killed, either.
    """

    def __init__(
        self, path: Path, bad: Collection[int], mode: int, content: bytes, *, hangs: bool
    ) -> None:
        self._path, self._bad, self._mode, self._content = path, bad, mode, content
        self._hangs, self._is_asked = hangs, False
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self._is_whole = True

    def mount(self) -> None:
        """Stand in the place of the path."""
        options = f"fd={self._device},rootmode={self._mode:o},user_id=0,group_id=0,allow_other"
        library = ctypes.CDLL(None, use_errno=True)
        if library.mount(b"card", os.fsencode(self._path), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "mount")

    def serve(self, *, is_bad: bool) -> None:
        """Answer until it is unmounted; on SIGUSR1 the pages become bad and are evicted."""
        self._is_whole = not is_bad
        signal.signal(signal.SIGUSR1, self._spoil)
        # A signal that comes just before a call that waits would not be heard until it ends.
        heard, hearing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(hearing)
        while True:
            if heard in select.select([self._device, heard], [], [])[0]:
                os.read(heard, 1)
                continue
            try:
                request = os.read(self._device, _REQUEST_OCTETS + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                continue
            length, call, unique, node, *_ = _IN.unpack_from(request)
            if call in (_FORGET, _INTERRUPT, _BATCH_FORGET):
                continue
            answer = self._answer(call, node, request[_IN.size : length])
            if answer == errno.EIO and self._hangs:
                if not self._is_asked:
                    _tell("asked")
                self._is_asked = True
                continue
            payload, number = (b"", -answer) if isinstance(answer, int) else (answer, 0)
            with contextlib.suppress(OSError):  # who asked has been ended meanwhile
                os.write(
                    self._device, _OUT.pack(_OUT.size + len(payload), number, unique) + payload
                )

    def _spoil(self, *_: object) -> None:
        self._is_whole = False
        if not os.fork():  # the kernel may ask for a page before it has evicted all
            octets = _INVALIDATED.pack(_ROOT, 0, 0)
            head = _OUT.pack(_OUT.size + len(octets), _INVALIDATE_INODE, 0)
            os.write(self._device, head + octets)
            _tell("spoilt")
            os._exit(0)

    def _answer(self, call: int, node: int, given: bytes) -> bytes | int:
        """Return what a call gives, or the number of its error."""
        if call == _INIT_CALL:
            major, minor, readahead, _ = struct.unpack_from("<IIII", given)
            return _INIT.pack(
                major, min(minor, 31), readahead, 0, 16, 12, _REQUEST_OCTETS, 1, 0, 0, 0, *[0] * 7
            )
        if stat.S_ISDIR(self._mode):
            return errno.EIO
        if call == _GETATTR and node == _ROOT:
            return _ATTRIBUTES.pack(
                *(_ALWAYS, 0, 0),
                *(_ROOT, len(self._content), -(-len(self._content) // 512), 0, 0, 0),
                *(0, 0, 0, self._mode, 1, os.getuid(), os.getgid(), 0, PAGE_OCTETS, 0),
            )
        if call == _READ:
            _, at, octets, *_ = _READING.unpack_from(given)
            pages = range(at // PAGE_OCTETS, -(-(at + octets) // PAGE_OCTETS))
            is_bad = not self._is_whole and not set(pages).isdisjoint(self._bad)
            return errno.EIO if is_bad else self._content[at : at + octets]
        of_others = {_OPEN: _OPENED.pack(0, 0, 0), _RELEASE: b"", _FLUSH: b""}
        return of_others.get(call, errno.ENOSYS)


class BadCard:
    """What a test does with a card that is in place."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def spoil(self) -> None:
        """Make its pages bad, and evict them from the memory of all processes."""
        assert self._server.stdout is not None
        self._server.send_signal(signal.SIGUSR1)
        assert self._server.stdout.readline() == "spoilt\n"

    def wait_for_a_reader(self) -> None:
        """Wait until somebody reads a page and hangs."""
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "asked\n"


@contextlib.contextmanager
def bad_pages(
    path: Path, pages: Collection[int], *, later: bool = False, hangs: bool = False
) -> Iterator[BadCard]:
    """Have pages of a file be unreadable, from now on or once the card is spoilt."""
    words = (*("later",) * later, *("hangs",) * hangs, *map(str, pages))
    with _served(path, *words) as server:
        yield BadCard(server)


@contextlib.contextmanager
def dead_folder(path: Path) -> Iterator[None]:
    """Have every call for a folder, and for what is in it, fail with EIO."""
    with _served(path):
        yield


@contextlib.contextmanager
def _served(path: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", __name__, str(path), *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == "ready\n"
            yield server
        finally:
            ctypes.CDLL(None).umount2(os.fsencode(path), _MNT_DETACH)
            server.kill()


def _tell(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def main() -> None:
    """Serve, in a process of its own."""
    path, *words = sys.argv[1:]
    is_later, pages = "later" in words, {int(word) for word in words if word.isdecimal()}
    mode = Path(path).stat().st_mode
    content = b"" if stat.S_ISDIR(mode) else Path(path).read_bytes()
    server = _Server(Path(path), pages, mode, content, hangs="hangs" in words)
    server.mount()
    _tell("ready")
    server.serve(is_bad=not is_later)


if __name__ == "__main__":
    main()
