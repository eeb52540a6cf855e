# SPDX-License-Identifier: Apache-2.0
"""Every process beats, reports that it serves, and ends on request."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from filterd.daemon import process
from filterd.daemon.process import READY, Heart, on_hangup, prefer_the_loop, stop_event
from filterd.daemon.shared_page import SharedPage


def test_a_heart_beats_while_the_loop_runs_and_tells_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *whom: told.append(whom))
    monkeypatch.setattr(process, "BEAT_S", 0.0)
    page = SharedPage()

    async def whole() -> None:
        heart = Heart(page, 2)
        heart.start()
        heart.note_ready()
        while page.beats(2) < 5:
            await asyncio.sleep(0)
        heart.stop()

    asyncio.run(whole())
    assert told == [(os.getppid(), READY)]
    assert page.is_ready(2, os.getpid())
    assert page.beats(1) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_wish_and_not_the_end(number: signal.Signals) -> None:
    async def whole() -> None:
        stop = stop_event()
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 10)

    asyncio.run(whole())


def test_a_hangup_that_came_before_there_were_ears_is_heard() -> None:
    async def whole() -> None:
        heard = asyncio.Event()
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)  # another thread may hear it
        on_hangup(heard.set)
        await asyncio.wait_for(heard.wait(), 10)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    asyncio.run(whole())


def test_who_yields_goes_after_those_that_answer_and_so_does_what_it_starts() -> None:
    code = (
        "import os, subprocess, sys; from filterd.daemon.process import yield_to_workers\n"
        "before = os.nice(0); yield_to_workers()\n"
        "ask = [sys.executable, '-c', 'import os; print(os.nice(0))']\n"
        "print(before, os.nice(0), int(subprocess.check_output(ask)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, yielding, started = map(int, done.stdout.split())
    assert before < yielding == started


def test_where_the_loop_goes_first_threads_wait_for_it_sooner_than_python_lets_them() -> None:
    usual = sys.getswitchinterval()
    try:
        prefer_the_loop()
        assert sys.getswitchinterval() <= usual / 10
    finally:
        sys.setswitchinterval(usual)


START = """
import ctypes, os, sys, threading
from pathlib import Path
from filterd.daemon import process
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
library.fdopen.argtypes = (ctypes.c_int, ctypes.c_char_p)
library.malloc_info.argtypes = (ctypes.c_int, ctypes.c_void_p)

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "tuned":
    process.limit_free_memory()
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
    process.give_back()
print(resident() - before)
"""

glibc_only = pytest.mark.skipif(
    not hasattr(process._library, "malloc_info"), reason="another C library does as it likes"
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
    monkeypatch.setattr(process, "_library", object())
    process.limit_free_memory()
    process.give_back()
