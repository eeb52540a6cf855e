# SPDX-License-Identifier: Apache-2.0
"""Processes are kept: each test is a program with a supervisor of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING

import pytest

from filterd.daemon.serving.supervisor import _pause_s
from tests.support.commands import ROOT
from tests.support.processes import children

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import filterd.base.clock
import errno, gc, logging, os, signal, subprocess, sys, time
from filterd.base.clock import SystemClock
from filterd.daemon.serving import supervisor
from filterd.daemon.sealed_sites import SealedSites
from filterd.daemon.shared_page import SharedPage
from filterd.daemon.process import READY
from filterd.daemon.serving.supervisor import Child, Supervisor

logging.basicConfig(format="%(message)s", stream=sys.stdout)
page = SharedPage()
supervisor._TICK_S, supervisor.TICKS_AT_WORK = 0.05, 12

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def ready(number):
    page.note_ready(number, os.getpid())
    say("ready", number, os.getpid())
    os.kill(os.getppid(), READY)

def serve(number, beating=True):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    signal.signal(signal.SIGHUP, lambda *_: say("hangup", number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    ready(number)
    while True:
        if beating:
            page.beat(number)
        time.sleep(0.01)

def failing(fork, failed=[]):
    def once():
        if failed:
            return fork()
        failed.append(True)
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    return once

class Hurried:  # no time passes but where the supervisor waits, and there it passes at once
    now = 0.0

    def monotonic(self):
        return self.now

    def wait(self, numbers, seconds, wait=signal.sigtimedwait):
        is_pausing = any(not one.pid for one in children)
        received = wait(numbers, 0 if is_pausing else seconds)
        if received is None:
            self.now += seconds
        return received

    def hurry(self):
        signal.sigtimedwait, supervisor._TICK_S = self.wait, 1.0
        return self

    def failing_until(self, end, number, fork=os.fork, made=[]):
        def once():
            if made and self.now < end:
                raise OSError(number, os.strerror(number))
            made.append(True)
            return fork()
        os.fork = once
        return self.hurry()

def die_until(deaths, number):
    if next(one for one in children if one.number == number).quick_deaths >= deaths:
        serve(number)
    sys.exit(1)

def start_another():
    say("other", subprocess.Popen(["sleep", "600"]).pid)

children = eval(sys.argv[1])
clock = eval(sys.argv[2])
keeping = Supervisor(children, page, clock, SealedSites(1))
keeping.run(lambda: say("all ready"), lambda: say("stopping"))
say("stopped")
"""

_TWO = (
    "[Child('manager', 0, lambda: serve(0), hears_hangup=True{0}),"
    " Child('worker', 1, lambda: serve(1){0})]"
)
TWO_WITHOUT_PATIENCE, TWO = _TWO.format(""), _TWO.format(", patience_ticks=10**6")
"""On a machine with much other work, one that does not react for half a second is not ended."""


class Running:
    """The program, and its output."""

    def __init__(self, process: subprocess.Popen[str], said: IO[str]) -> None:
        self.process, self._said = process, said

    def wait_for(self, words: str) -> str:
        """Return the next line with these words."""
        for line in self._said:
            if words in line:
                return line.strip()
        raise AssertionError(f"it ended without saying {words!r}")

    def pid_of(self, number: int) -> int:
        """Wait until a child is ready and return its process ID."""
        return int(self.wait_for(f"ready {number} ").split()[2])


@contextmanager
def supervising(children: str, clock: str = "SystemClock()") -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, children, clock],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Running(process, process.stdout)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_notifies_once_that_all_are_ready_and_ends_with_its_children() -> None:
    with supervising(TWO) as running:
        running.wait_for("all ready")
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("stopping")
        running.wait_for("stopped")
        assert running.process.wait(10) == 0


def test_it_forks_with_one_thread_only() -> None:
    """A child would have the locks that a thread held, and nobody to release them."""
    thread = "__import__('threading').Thread(target=signal.pause, daemon=True).start()"
    threaded = f"({thread}, {TWO})[1]"
    with supervising(threaded) as running, pytest.raises(AssertionError):
        running.wait_for("ready")


def test_a_start_may_do_without_collecting_but_no_child_does() -> None:
    child = "say('collects', gc.isenabled()) or serve(1)"
    with supervising(f"gc.disable() or [Child('worker', 1, lambda: {child})]") as running:
        assert running.wait_for("collects") == "collects True"


def test_a_child_that_is_killed_is_replaced() -> None:
    with supervising(TWO) as running:
        first = running.pid_of(1)
        running.wait_for("all ready")
        os.kill(first, signal.SIGKILL)
        assert running.wait_for("ended") == "the worker ended (signal 9); starting it again"
        assert running.pid_of(1) != first


def test_a_child_that_fails_is_replaced_and_its_error_is_logged() -> None:
    with supervising("[Child('worker', 1, lambda: 1 // 0)]") as running:
        running.wait_for("the worker failed")
        running.wait_for("ZeroDivisionError")
        running.wait_for("the worker ended (exit status 1); starting it again")
        running.wait_for("the worker failed")


def test_a_child_that_has_said_why_it_ends_leaves_no_traceback() -> None:
    with supervising("[Child('worker', 1, lambda: sys.exit(3))]") as running:
        said = running.wait_for("")
        assert said == "the worker ended (exit status 3); starting it again"


def test_a_child_that_hangs_is_ended_and_replaced() -> None:
    with supervising("[Child('worker', 1, lambda: serve(1, beating=False))]") as running:
        first = running.pid_of(1)
        running.wait_for("the worker does not react; ending it")
        assert running.pid_of(1) != first


_UNENDING = "[Child('worker', 1, lambda: serve(1, beating=False))]"
_KILLS_NOTHING = "setattr(os, 'kill', lambda *_: None) or SystemClock()"


def test_one_that_cannot_be_ended_is_replaced_and_no_more_than_a_few() -> None:
    with supervising(_UNENDING, _KILLS_NOTHING) as running:
        pids = []
        for _ in range(4):
            running.wait_for("the worker does not react; ending it")
            said = running.wait_for("the worker ")
            assert said == "the worker cannot be ended: it waits for a disk; starting another"
            pids = children(running.process.pid)
        assert len(pids) >= 4
        running.wait_for("the worker does not react; ending it")
        assert running.wait_for("the worker ") == "the worker does not react; ending it"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def test_a_child_that_is_not_ready_yet_has_more_time_and_not_for_ever() -> None:
    with supervising("[Child('worker', 1, lambda: time.sleep(600), patience_ticks=0)]") as running:
        running.wait_for("the worker does not react; ending it")
        running.wait_for("the worker ended (signal 9)")


def test_a_child_may_have_more_patience_than_others() -> None:
    two = (
        "[Child('manager', 0, lambda: serve(0, beating=False), patience_ticks=10**6),"
        " Child('worker', 1, lambda: serve(1, beating=False))]"
    )
    with supervising(two) as running:
        assert "the worker does" in running.wait_for("does not react")
        assert "the worker does" in running.wait_for("does not react")


def test_a_child_that_is_stopped_is_ended_and_replaced() -> None:
    with supervising(TWO_WITHOUT_PATIENCE) as running:
        first = running.pid_of(1)
        running.wait_for("all ready")
        os.kill(first, signal.SIGSTOP)
        running.wait_for("the worker does not react; ending it")
        assert running.pid_of(1) != first


def test_control_a_child_that_beats_is_left_alone() -> None:
    with supervising(TWO) as running:
        pid = running.pid_of(1)
        running.wait_for("all ready")
        for _ in range(20):  # each takes a hangup round trip, longer than the ticks that count
            running.process.send_signal(signal.SIGHUP)
            running.wait_for("hangup 0")
        assert _is_alive(pid)


def test_a_hangup_goes_only_to_the_child_that_handles_it() -> None:
    with supervising(TWO) as running:
        running.wait_for("all ready")
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("hangup 0")
        running.process.send_signal(signal.SIGTERM)
        with pytest.raises(AssertionError):
            running.wait_for("hangup 1")


def test_children_do_not_outlive_a_supervisor_that_is_killed() -> None:
    with supervising(TWO) as running:
        running.wait_for("all ready")
        running.process.kill()
        with pytest.raises(AssertionError):  # the pipe ends when the last of them is gone
            running.wait_for("never said")


STARTING = "[Child('manager', 0, lambda: (start_another(), serve(0)))]"


def test_what_a_child_has_started_ends_with_it() -> None:
    with supervising(STARTING) as running:
        other = int(running.wait_for("other").split()[1])
        os.kill(running.pid_of(0), signal.SIGKILL)
        running.wait_for("the manager ended (signal 9)")
        _wait_for_the_end_of(other)


def test_a_stop_ends_what_children_have_started() -> None:
    with supervising(STARTING) as running:
        other = int(running.wait_for("other").split()[1])
        running.wait_for("all ready")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0
        _wait_for_the_end_of(other)


def _wait_for_the_end_of(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(pid)], [], [], 10)


def test_where_no_process_can_be_made_it_tries_again() -> None:
    forking = "(setattr(os, 'fork', failing(os.fork)), [Child('worker', 1, lambda: serve(1))])[1]"
    with supervising(forking) as running:
        wanted = "the worker cannot be started (Cannot allocate memory); trying again"
        assert running.wait_for("cannot be started") == wanted
        running.wait_for("all ready")


def test_where_dead_children_were_ignored_before_they_are_heeded() -> None:
    ignoring = f"(signal.signal(signal.SIGCHLD, signal.SIG_IGN), {TWO})[1]"
    with supervising(ignoring) as running:
        os.kill(running.pid_of(1), signal.SIGKILL)
        running.wait_for("the worker ended (signal 9); starting it again")


def test_a_log_that_cannot_be_written_ends_no_process() -> None:
    closed = (
        f"(setattr(sys, 'stderr', open('/dev/full', 'w')), print('x', file=sys.stderr), {TWO})[2]"
    )
    with supervising(closed) as running:
        first = running.pid_of(1)
        os.kill(first, signal.SIGKILL)
        assert running.pid_of(1) != first


def test_what_keeps_dying_gets_longer_and_longer_pauses() -> None:
    assert [_pause_s(deaths) for deaths in range(5)] == [0.0, 0.0, 0.1, 0.2, 0.4]
    assert {_pause_s(deaths) for deaths in (50, 1_025, 1_026, 5_000, 2**64, 10**400)} == {0.5}


def _goes_on(running: Running) -> None:
    """Wait until both serve; the manager has been started once and never ended."""
    lines = iter(partial(running.wait_for, ""), "all ready")
    ready = [line.split() for line in lines if line.startswith("ready ")]
    assert sorted(number for _, number, _ in ready) == ["0", "1"]
    assert all(_is_alive(int(pid)) for *_, pid in ready)
    running.process.send_signal(signal.SIGTERM)
    running.wait_for("stopped")
    assert running.process.wait(10) == 0


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
def test_an_hour_without_a_free_process_ends_neither_it_nor_a_healthy_child(number: int) -> None:
    with supervising(TWO, f"Hurried().failing_until(3_600.0, {number})") as running:
        _goes_on(running)


def _dying(deaths: int, more: int) -> str:
    """Return two children: one serves, the other has died so often and goes on to die."""
    dying = f"lambda: die_until({deaths + more}, 1)"
    return TWO.replace("lambda: serve(1)", f"{dying}, quick_deaths={deaths}")


@pytest.mark.parametrize("deaths", [1_020, 5_000, 2**64])
def test_a_child_that_dies_for_hours_ends_neither_it_nor_a_healthy_child(deaths: int) -> None:
    with supervising(_dying(deaths, 10), "Hurried().hurry()") as running:
        _goes_on(running)


@pytest.mark.control
def test_control_with_a_pause_that_counts_each_death_it_ends_itself() -> None:
    counting = "setattr(filterd.base.clock, '_MOST_DOUBLINGS', 10**6) or Hurried().hurry()"
    with supervising(_dying(1_020, 10), counting) as running, pytest.raises(AssertionError):
        _goes_on(running)
