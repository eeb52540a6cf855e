# SPDX-License-Identifier: Apache-2.0
"""The process that keeps the others: it forks them, and forks them again when they end.

It owns what must outlive them, above all the listening sockets: while a worker
is replaced, questions wait in the kernel and the next one answers them. It has
neither threads nor an event loop, so that forking is safe, and it does nothing
else, so that there is little in it that could fail.

A process that ends is replaced at once, and with growing pauses when it does
not live; one that shows no heartbeat is killed first. Children end with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from filterd.clock import Clock
    from filterd.server.page import SharedPage

_TICK_S = 1.0
_TICKS_WITHOUT_BEAT = 15
"""A worker that maps and checks five million names has more to do than beat."""
_LONG_LIFE_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_STOP_WITHIN_S = 5.0
_PR_SET_PDEATHSIG = 1

READY = signal.SIGUSR1
"""What a child sends when it serves; the page says which one it is."""

_STOP = (signal.SIGTERM, signal.SIGINT)
_HEEDED = frozenset((*_STOP, signal.SIGHUP, signal.SIGCHLD, READY))

_log = logging.getLogger("filterd.supervisor")


@dataclass(slots=True, eq=False)
class Child:
    """A process to keep. ``run`` is its whole life; ``number`` its place in the page.

    ``hears_hangup``: SIGHUP is passed on to it.
    """

    name: str
    number: int
    run: Callable[[], None]
    hears_hangup: bool = False
    pid: int = 0
    started_at: float = 0.0
    start_after: float = 0.0
    quick_deaths: int = 0
    beats: int = 0
    ticks_without_beat: int = field(default=0)


class Supervisor:
    """Keeps children until it is told to stop."""

    def __init__(self, children: Sequence[Child], page: SharedPage, clock: Clock) -> None:
        self._children, self._page, self._clock = children, page, clock
        self._announced = False
        self._looked_at = clock.monotonic()

    def run(self, on_ready: Callable[[], None]) -> None:
        """Start the children and keep them until SIGTERM or SIGINT; then end them.

        Args:
            on_ready: called once, when all of them serve.
        """
        gc.freeze()  # what is there now stays shared with the children
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
        stopping = False
        try:
            while not stopping:
                self._start_those_that_are_due()
                stopping = self._heed(signal.sigtimedwait(_HEEDED, self._patience_s()))
                self._bury()
                self._look_for_the_stuck()
                self._announce(on_ready)
        finally:
            self._end_all()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)

    def _heed(self, received: signal.struct_siginfo | None) -> bool:
        """Act on a signal, None for none; tell whether it was one to stop."""
        if received is None:
            return False
        if received.si_signo == signal.SIGHUP:
            for child in self._children:
                if child.hears_hangup:
                    _signal(child, signal.SIGHUP)
        return received.si_signo in _STOP

    def _start_those_that_are_due(self) -> None:
        now = self._clock.monotonic()
        for child in self._children:
            if not child.pid and child.start_after <= now:
                self._start(child, now)

    def _start(self, child: Child, now: float) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _live(child)
        child.pid, child.started_at, child.ticks_without_beat = pid, now, 0

    def _patience_s(self) -> float:
        now = self._clock.monotonic()
        waits = [child.start_after - now for child in self._children if not child.pid]
        return max(0.0, min([_TICK_S, *waits]))

    def _bury(self) -> None:
        """Note which children have ended, and when each may start again."""
        for child in self._children:
            if child.pid and (status := _exit_status(child.pid)) is not None:
                _log.error("the %s ended (%s); starting it again", child.name, _words(status))
                lived_s = self._clock.monotonic() - child.started_at
                child.quick_deaths = 0 if lived_s >= _LONG_LIFE_S else child.quick_deaths + 1
                child.pid = 0
                child.start_after = self._clock.monotonic() + _pause_s(child.quick_deaths)

    def _look_for_the_stuck(self) -> None:
        """Count looks and not seconds: after a pause of the whole machine nobody is stuck."""
        now = self._clock.monotonic()
        if now < self._looked_at + _TICK_S:
            return
        self._looked_at = now
        for child in self._children:
            beats = self._page.beats(child.number)
            child.ticks_without_beat = 0 if beats != child.beats else child.ticks_without_beat + 1
            child.beats = beats
            if child.pid and child.ticks_without_beat >= _TICKS_WITHOUT_BEAT:
                _log.error("the %s does not react; ending it", child.name)
                child.ticks_without_beat = 0
                os.kill(child.pid, signal.SIGKILL)

    def _announce(self, on_ready: Callable[[], None]) -> None:
        serving = (self._page.is_ready(one.number, one.pid) for one in self._children)
        if not self._announced and all(serving):
            self._announced = True
            on_ready()

    def _end_all(self) -> None:
        """Ask every child to end, and end those that do not."""
        until = self._clock.monotonic() + _STOP_WITHIN_S
        for child in self._children:
            _signal(child, signal.SIGTERM)
        while any(child.pid for child in self._children):
            if self._clock.monotonic() >= until:
                for child in self._children:
                    _signal(child, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
            for child in self._children:
                if child.pid and _exit_status(child.pid) is not None:
                    child.pid = 0


def _live(child: Child) -> None:
    """Be the child, from the fork to the end of the process; never returns."""
    code = 1
    try:
        parent = os.getppid()
        # Whatever becomes of the supervisor, nobody may hold its sockets and its lock on.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            for number in _STOP:
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it has ears for it
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)
            child.run()
            code = 0
    except BaseException:  # noqa: BLE001 -- logged whole; nothing may get past the fork
        _log.exception("the %s failed", child.name)
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _exit_status(pid: int) -> int | None:
    """Return the wait status of a child that has ended, None for one that has not."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # somebody else has waited for it
        return 0
    return status if ended else None


def _words(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _pause_s(quick_deaths: int) -> float:
    """The first death costs no time; what keeps dying must not take the machine with it."""
    if quick_deaths <= 1:
        return 0.0
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (quick_deaths - 2))


def _signal(child: Child, number: signal.Signals) -> None:
    if child.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)
