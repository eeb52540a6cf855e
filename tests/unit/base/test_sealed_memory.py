# SPDX-License-Identifier: Apache-2.0
"""What was read once is never read again, and no process can change it."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base import sealed_memory
from filterd.base.sealed_memory import SealedMemory
from tests.support.bad_card import PAGE_OCTETS, bad_pages
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

OCTETS = bytes(range(256)) * 64
ALL = 1 << 40

READ_ONE_PAGE = """
import mmap, os, signal, sys
from pathlib import Path
from filterd.base.sealed_memory import SealedMemory
with Path(sys.argv[1]).open("rb") as file:
    if sys.argv[2] == "sealed":
        mapped = SealedMemory.of_file(file.fileno(), 1 << 40, "test").map()
    else:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
print(mapped[0], flush=True)
sys.stdin.readline()
print(mapped[int(sys.argv[3])])
"""

SMALL_FILES = """
import os, resource, signal, sys
from filterd.base.sealed_memory import SealedMemory
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
memory = SealedMemory.of(bytes(range(256)), "test")
if not os.fork():
    os._exit(memory.octets - 256 + (memory.map()[:] != bytes(range(256))))
assert os.wait()[1] == 0
assert memory.is_same(memory)
"""


@pytest.fixture
def memory() -> SealedMemory:
    return SealedMemory.of(OCTETS, "test")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_it_has_the_octets_that_it_was_made_of(memory: SealedMemory) -> None:
    assert memory.octets == len(OCTETS)
    assert memory.map()[:] == OCTETS


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_of_several_pieces_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(sealed_memory, "_CHUNK_OCTETS", len(OCTETS) // 4)
    path = tmp_path / "file"
    path.write_bytes(OCTETS + bytes(more))
    with _opened(path) as descriptor:
        assert SealedMemory.of_file(descriptor, ALL, "test").map()[:] == OCTETS + bytes(more)


@pytest.mark.parametrize("most", [1, len(OCTETS) // 4, len(OCTETS) // 4 + 1])
def test_no_more_is_read_than_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(sealed_memory, "_CHUNK_OCTETS", len(OCTETS) // 4)
    path = tmp_path / "file"
    path.write_bytes(OCTETS)
    with _opened(path) as descriptor:
        assert SealedMemory.of_file(descriptor, most, "test").map()[:] == OCTETS[:most]


def test_nobody_can_change_what_is_sealed(memory: SealedMemory) -> None:
    attempts = (
        lambda: os.write(memory.descriptor, b"x"),
        lambda: os.ftruncate(memory.descriptor, 0),
        lambda: os.ftruncate(memory.descriptor, 1 << 20),
        lambda: mmap.mmap(memory.descriptor, 10),
    )
    for attempt in attempts:
        with pytest.raises(PermissionError):
            attempt()
    with pytest.raises(TypeError):
        memoryview(memory.map())[0] = 1
    assert memory.map()[:] == OCTETS


def test_what_is_not_sealed_is_refused_and_closed() -> None:
    descriptor = os.memfd_create("open", os.MFD_ALLOW_SEALING)
    with pytest.raises(OSError, match="Not sealed"):
        SealedMemory(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_what_is_mapped_outlives_its_descriptor(memory: SealedMemory) -> None:
    mapped = memory.map()
    memory.close()
    assert mapped[:] == OCTETS


def test_its_descriptor_ends_with_it() -> None:
    descriptor = SealedMemory.of(OCTETS, "test").descriptor
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_copy_of_its_descriptor_is_of_the_same_memory(memory: SealedMemory) -> None:
    assert memory.is_same(SealedMemory(os.dup(memory.descriptor)))
    assert not memory.is_same(SealedMemory.of(OCTETS, "test"))


def test_a_kernel_that_does_not_know_a_flag_is_asked_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = os.memfd_create

    def of_old(name: str, flags: int) -> int:
        if flags & sealed_memory._MFD_NOEXEC_SEAL:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return made(name, flags)

    monkeypatch.setattr(os, "memfd_create", of_old)
    assert SealedMemory.of(OCTETS, "test").map()[:] == OCTETS


def test_a_disk_that_fails_meanwhile_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "file"
    path.write_bytes(OCTETS)
    monkeypatch.setattr(os, "preadv", failing)
    with _opened(path) as descriptor:
        before = _open_descriptors()
        with pytest.raises(OSError, match="Input/output error"):
            SealedMemory.of_file(descriptor, ALL, "test")
        assert _open_descriptors() == before


def test_forks_share_it_where_no_file_may_be_so_large() -> None:
    done = subprocess.run([sys.executable, "-c", SMALL_FILES], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_a_file_is_in_memory_once_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it in one piece would be a second copy of five million names."""
    pieces = list[int]()
    preadv = os.preadv

    def counting(descriptor: int, buffers: list[memoryview], at: int) -> int:
        pieces.append(len(buffers[0]))
        return preadv(descriptor, buffers, at)

    monkeypatch.setattr(os, "preadv", counting)
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(5 << 20)
    with _opened(path) as descriptor:
        SealedMemory.of_file(descriptor, ALL, "test")
    assert max(pieces) <= 1 << 20


def _ends_at_a_bad_page(path: Path, how: str) -> int:
    """Read a page that becomes bad after the first was read; return the exit status."""
    page = 2 * PAGE_OCTETS
    words = [sys.executable, "-c", READ_ONE_PAGE, str(path), how, str(page)]
    with (
        bad_pages(path, [2], later=True) as card,
        subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as reader,
    ):
        assert reader.stdout is not None
        assert reader.stdout.readline() == "0\n"
        card.spoil()
        out, _ = reader.communicate("\n")
        assert reader.returncode or int(out) == OCTETS[page]
        return reader.returncode


@pytest.mark.usefixtures("needs_fuse")
def test_a_card_that_fails_later_takes_nothing_from_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OCTETS)
    assert _ends_at_a_bad_page(path, "sealed") == 0


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_a_card_that_fails_later_ends_a_process_that_has_mapped_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OCTETS)
    assert _ends_at_a_bad_page(path, "mapped") == -7


@pytest.mark.usefixtures("needs_fuse")
def test_a_page_that_cannot_be_read_is_an_error_and_no_signal(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OCTETS)
    with (
        bad_pages(path, [3]),
        _opened(path) as descriptor,
        pytest.raises(OSError, match="Input/output error"),
    ):
        SealedMemory.of_file(descriptor, ALL, "test")


def test_only_what_shares_memory_maps_anything() -> None:
    """A mapped file is a signal at the next bad page: see ``filterd.base.sealed_memory``."""
    package = ROOT / "filterd"
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "mmap.mmap(" in path.read_text(encoding="utf-8")
    }
    assert found == {"base/sealed_memory.py", "daemon/shared_page.py"}
