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


def test_a_heart_beats_while_the_loop_runs_and_signals_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *whom: calls.append(whom))
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
    assert calls == [(os.getppid(), READY)]
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


def test_a_process_that_yields_and_its_children_run_after_the_workers() -> None:
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
