# SPDX-License-Identifier: Apache-2.0
"""What a process frees goes back to the system; the memory of a child has bounds."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from filterd.base import process_memory
from filterd.base.process_memory import child_octets, group_octets

if TYPE_CHECKING:
    from pathlib import Path

START = """
import ctypes, os, sys, threading
from pathlib import Path
from filterd.base import process_memory
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
library.fdopen.argtypes = (ctypes.c_int, ctypes.c_char_p)
library.malloc_info.argtypes = (ctypes.c_int, ctypes.c_void_p)

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "tuned":
    process_memory.limit_free_memory()
"""

A_TABLE_GROWS_AND_GOES = """
bytearray(24 << 20)  # freed at once: from now on glibc holds blocks up to that size back
before = resident()
table = bytearray(b"x") * (8 << 20)
above = [bytes(600) for _ in range(400)]
del table
print(resident() - before)
"""

THREADS_ALLOCATE = """
def allocate():
    kept.append([bytes(2000) for _ in range(10)])
    both.wait()

kept, both = [], threading.Barrier(3)
for _ in range(2):
    threading.Thread(target=allocate).start()
both.wait()
library.malloc_info(0, library.fdopen(1, b"w"))
library.fflush(None)
"""

BLOCKS_ARE_FREED_BENEATH_ANOTHER = """
before = resident()
blocks = [bytearray(b"x") * 100_000 for _ in range(100)]
above = [bytes(600) for _ in range(400)]
del blocks
if sys.argv[1] == "tuned":
    process_memory.give_back()
print(resident() - before)
"""


def run(story: str, how: str) -> str:
    command = [sys.executable, "-c", START + story, how]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.usefixtures("needs_glibc")
@pytest.mark.parametrize("story", [A_TABLE_GROWS_AND_GOES, BLOCKS_ARE_FREED_BENEATH_ANOTHER])
def test_what_is_freed_goes_back(story: str) -> None:
    assert int(run(story, "tuned")) < 2_000_000


@pytest.mark.usefixtures("needs_glibc")
@pytest.mark.parametrize("story", [A_TABLE_GROWS_AND_GOES, BLOCKS_ARE_FREED_BENEATH_ANOTHER])
def test_control_as_glibc_comes_it_stays(story: str) -> None:
    assert int(run(story, "as it comes")) > 6_000_000


@pytest.mark.usefixtures("needs_glibc")
def test_threads_share_one_heap() -> None:
    assert run(THREADS_ALLOCATE, "tuned").count("<heap nr=") == 1


@pytest.mark.usefixtures("needs_glibc")
def test_control_as_glibc_comes_each_has_its_own() -> None:
    assert run(THREADS_ALLOCATE, "as it comes").count("<heap nr=") > 1


def test_another_c_library_does_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Mock(return_value=object())
    monkeypatch.setattr(process_memory, "_library", library)
    process_memory.limit_free_memory()
    process_memory.give_back()
    assert library.call_count == 2


MB = 1_000_000
BOARD = 905 * MB


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Return the folder of a group of version 2, beneath a root of its own."""
    _write(tmp_path / "proc/self/cgroup", "0::/system.slice/filterd-feed.service\n")
    return tmp_path / "sys/fs/cgroup/system.slice/filterd-feed.service"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _limit(group: Path, limit: object, anon: int) -> None:
    _write(group / "memory.max", f"{limit}\n")
    _write(group / "memory.stat", f"anon {anon}\nfile 7\n")


def test_a_group_leaves_its_limit_less_what_it_holds(group: Path, tmp_path: Path) -> None:
    _limit(group, 588 * MB, 80 * MB)
    assert group_octets(tmp_path) == 508 * MB


def test_a_group_above_with_less_room_counts(group: Path, tmp_path: Path) -> None:
    _limit(group, 588 * MB, 80 * MB)
    _limit(group.parent, 300 * MB, 200 * MB)
    assert group_octets(tmp_path) == 100 * MB


def test_a_group_without_a_limit_bounds_nothing(group: Path, tmp_path: Path) -> None:
    _limit(group, "max", 80 * MB)
    assert group_octets(tmp_path) is None


def test_a_group_of_version_1_is_read_as_well(tmp_path: Path) -> None:
    _write(tmp_path / "proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/feed\n")
    folder = tmp_path / "sys/fs/cgroup/memory/feed"
    _write(folder / "memory.limit_in_bytes", f"{588 * MB}\n")
    _write(folder / "memory.stat", f"cache 7\nrss 1\ntotal_rss {80 * MB}\n")
    assert group_octets(tmp_path) == 508 * MB


def test_a_system_without_groups_bounds_nothing(tmp_path: Path) -> None:
    assert group_octets(tmp_path) is None


@pytest.mark.parametrize(
    ("machine", "group", "room"),
    [
        (1 << 40, None, 640 * MB),
        (BOARD, None, BOARD // 2),
        (BOARD, 300 * MB, 300 * MB),
        (BOARD, -1, 0),
    ],
)
def test_a_child_may_take_the_least_of_all(
    monkeypatch: pytest.MonkeyPatch, machine: int, group: int | None, room: int
) -> None:
    monkeypatch.setattr(process_memory, "machine_octets", lambda: machine)
    monkeypatch.setattr(process_memory, "group_octets", lambda: group)
    assert child_octets(640 * MB) == room
