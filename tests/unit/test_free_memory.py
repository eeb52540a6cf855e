# SPDX-License-Identifier: Apache-2.0
"""What a process frees goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from filterd import free_memory

START = """
import ctypes, os, sys, threading
from pathlib import Path
from filterd import free_memory
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
library.fdopen.argtypes = (ctypes.c_int, ctypes.c_char_p)
library.malloc_info.argtypes = (ctypes.c_int, ctypes.c_void_p)

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "tuned":
    free_memory.limit_free_memory()
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
    free_memory.give_back()
print(resident() - before)
"""

glibc_only = pytest.mark.skipif(
    not hasattr(free_memory._library, "malloc_info"), reason="another C library does as it likes"
)


def run(story: str, how: str) -> str:
    command = [sys.executable, "-c", START + story, how]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@glibc_only
@pytest.mark.parametrize("story", [A_TABLE_GROWS_AND_GOES, BLOCKS_ARE_FREED_BENEATH_ANOTHER])
def test_what_is_freed_goes_back(story: str) -> None:
    assert int(run(story, "tuned")) < 2_000_000


@glibc_only
@pytest.mark.parametrize("story", [A_TABLE_GROWS_AND_GOES, BLOCKS_ARE_FREED_BENEATH_ANOTHER])
def test_control_as_glibc_comes_it_stays(story: str) -> None:
    assert int(run(story, "as it comes")) > 6_000_000


@glibc_only
def test_threads_share_one_heap() -> None:
    assert run(THREADS_ALLOCATE, "tuned").count("<heap nr=") == 1


@glibc_only
def test_control_as_glibc_comes_each_has_its_own() -> None:
    assert run(THREADS_ALLOCATE, "as it comes").count("<heap nr=") > 1


def test_another_c_library_does_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "_library", object())
    free_memory.limit_free_memory()
    free_memory.give_back()
