# SPDX-License-Identifier: Apache-2.0
"""The supervisor process: fork the other processes, replace those that end.

It owns what must outlive them, above all the listening sockets: while a worker
is replaced, questions wait in the kernel and the next one answers them. It has
neither threads nor an event loop, so that forking is safe, and it does nothing
else, so that there is little in it that could fail.

A process that ends is replaced at once, and with growing pauses when it does
not live; one that shows no heartbeat is killed first. One that the kernel cannot end,
because a thread of it waits for a disk that hangs, is left to its end and replaced. Children
end with it, and what a child has started ends with the child: each leads a process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filterd.base.clock import doubled_s
from filterd.base.privileges import end_sooner
from filterd.base.process_memory import give_back
from filterd.daemon.process import READY
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from filterd.base.clock import Clock
    from filterd.daemon.sealed_sites import SealedSites
    from filterd.daemon.shared_page import SharedPage
    from filterd.texts.i18n import Sentence

_TICK_S = 0.25
_TICKS_WITHOUT_BEAT = 12
"""3 s: no client may wait longer than 5 s for DNS. A beat and a look, 0.25 s
each, may have been just before; the rest is for the replacement, which loads what is in force."""
TICKS_OF_THE_MANAGER = 60
"""15 s: no lookup waits for it."""
TICKS_AT_WORK = 120
"""30 s: checking five million names lets no heart beat for some seconds on a small board."""
_TICKS_TO_END = 4
"""1 s: a process that is killed ends in milliseconds."""
_MOST_LEFT = 4
"""Processes that do not end hold their memory."""
_LONG_LIFE_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 0.5
"""However often it has died, the next one answers within 1 s, of which its start takes some."""
_STOP_WITHIN_S = 5.0
_PR_SET_PDEATHSIG = 1

_STOP = (signal.SIGTERM, signal.SIGINT)
_HEEDED = frozenset((*_STOP, signal.SIGHUP, signal.SIGCHLD, READY))

_logger = logging.getLogger("filterd.supervisor")


@dataclass(slots=True, eq=False)
class Child:
    """A process to keep. ``run`` is its whole life; ``number`` its place in the page.

    ``hears_hangup``: SIGHUP is passed on to it. ``patience_ticks``: how long it may
    show no heartbeat. One that has not served yet, and whose predecessor has not
    either, has ``TICKS_AT_WORK`` until it serves. ``ended_sooner``: see
    ``filterd.base.privileges``.
    """

    name: str
    number: int
    run: Callable[[], None]
    hears_hangup: bool = False
    patience_ticks: int = _TICKS_WITHOUT_BEAT
    ended_sooner: int = 0
    has_served: bool = False
    """The process before the present one."""
    has_hung: bool = False
    pid: int = 0
    started_at: float = 0.0
    start_after: float = 0.0
    quick_deaths: int = 0
    beats: int = 0
    ticks_without_beat: int = field(default=0)


class Supervisor:
    """Starts children and replaces them until it is stopped.

    Args:
        children: what to keep.
        page: where they show that they live.
        clock: the machine's.
        sites: what children have in memory by being forked.
    """

    def __init__(
        self, children: Sequence[Child], page: SharedPage, clock: Clock, sites: SealedSites
    ) -> None:
        self._children, self._page, self._clock, self._sites = children, page, clock, sites
        self._announced = False
        self._left = set[int]()
        self._looked_at = clock.monotonic()

    def run(self, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        """Start the children and keep them until SIGTERM or SIGINT; then end them.

        The signals that it handles stay blocked afterwards: a late one must not become
        the exit status.

        Args:
            on_ready: called once, when all of them serve.
            on_stop: called once, before they are signalled to end.
        """
        assert threading.active_count() == 1, "a fork would copy the locks that threads hold"
        # Objects of now stay shared with the children; free memory would be copied for each.
        # A start leaves little garbage in cycles, and a collection takes longer than a fork.
        give_back()
        gc.freeze()
        gc.enable()  # it is off during a start
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, no child could be waited for
        stopping = False
        try:
            while not stopping:
                self._start_those_that_are_due()
                stopping = self._heed(signal.sigtimedwait(_HEEDED, self._patience_s()))
                self._bury()
                self._sites.follow(self._page)  # what is not in force any more is freed
                self._look_for_the_stuck()
                self._announce(on_ready)
            on_stop()
        finally:
            self._end_all()

    def _heed(self, received: signal.struct_siginfo | None) -> bool:
        """Act on a signal, None for none; return whether it was one to stop."""
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
        _flush()
        self._sites.follow(self._page)  # it needs what the manager has put in force since
        supervisor = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # no memory or no process is left at the moment
            _logger.error("the %s cannot be started (%s); trying again", child.name, refused(error))
            child.quick_deaths = max(2, child.quick_deaths + 1)
            child.start_after = now + _pause_s(child.quick_deaths)
            return
        if pid == 0:
            _live(child, supervisor)
        child.pid, child.started_at, child.ticks_without_beat = pid, now, 0

    def _patience_s(self) -> float:
        now = self._clock.monotonic()
        waits = [child.start_after - now for child in self._children if not child.pid]
        return max(0.0, min([_TICK_S, *waits]))

    def _bury(self) -> None:
        """Note which children have ended, and when each may start again."""
        for child, status in self._ended():
            _logger.error("the %s ended (%s); starting it again", child.name, _words(status))
            now = self._clock.monotonic()
            lived_long = now - child.started_at >= _LONG_LIFE_S
            child.quick_deaths = 0 if lived_long else child.quick_deaths + 1
            # To detect that it hangs has taken longer than any pause.
            child.start_after = now + (0.0 if child.has_hung else _pause_s(child.quick_deaths))
            child.has_hung = False

    def _ended(self) -> Iterator[tuple[Child, int]]:
        """Yield the children that have ended, with their wait status.

        One signal may be for many. Foreign children are reaped too: the first process of a
        container inherits orphans.
        """
        while (pid := _ended_child()) is not None:
            child = next((one for one in self._children if one.pid == pid), None)
            self._left.discard(pid)
            if child is not None:
                _end_group(pid)  # while its number cannot be reused
            _, status = os.waitpid(pid, 0)
            if child is not None:
                child.has_served = self._page.is_ready(child.number, pid)
                child.pid = 0
                yield child, status

    def _look_for_the_stuck(self) -> None:
        """Count looks, not seconds, and end the children that do not react.

        So after a pause of the whole machine no child counts as stuck.
        """
        now = self._clock.monotonic()
        if now < self._looked_at + _TICK_S:
            return
        self._looked_at = now
        for child in self._children:
            beats = self._page.beats(child.number)
            child.ticks_without_beat = 0 if beats != child.beats else child.ticks_without_beat + 1
            child.beats = beats
            if child.pid and child.ticks_without_beat >= self._patience_with(child):
                if child.has_hung and len(self._left) < _MOST_LEFT:
                    self._leave(child, now)
                    continue
                _logger.error("the %s does not react; ending it", child.name)
                child.ticks_without_beat, child.has_hung = 0, True
                os.kill(child.pid, signal.SIGKILL)

    def _leave(self, child: Child, now: float) -> None:
        """Have another process in the place of one that was killed and does not end."""
        _logger.error("the %s cannot be ended: it waits for a disk; starting another", child.name)
        self._left.add(child.pid)
        child.pid, child.start_after, child.has_hung = 0, now, False

    def _patience_with(self, child: Child) -> int:
        """Return the number of checks that may find no heartbeat.

        The successor of a process that served begins with what that had verified.
        """
        if child.has_hung:
            return _TICKS_TO_END
        if child.has_served or self._page.is_ready(child.number, child.pid):
            return child.patience_ticks
        return max(TICKS_AT_WORK, child.patience_ticks)

    def _announce(self, on_ready: Callable[[], None]) -> None:
        serving = (self._page.is_ready(one.number, one.pid) for one in self._children)
        if not self._announced and all(serving):
            self._announced = True
            on_ready()

    def _end_all(self) -> None:
        """Ask every child to end, and end those that do not; wait for none that cannot."""
        until = self._clock.monotonic() + _STOP_WITHIN_S
        for child in self._children:
            _signal(child, signal.SIGTERM)
        while any(child.pid for child in self._children):
            if self._clock.monotonic() >= until + _STOP_WITHIN_S:
                return
            if self._clock.monotonic() >= until:
                for child in self._children:
                    _signal(child, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
            for _ in self._ended():
                pass


def _live(child: Child, supervisor: int) -> None:
    """Run the child, from the fork to the end of the process; never return."""
    code = 1
    try:
        os.setpgid(0, 0)
        # If the supervisor ends, no process may keep its sockets and its lock.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == supervisor:
            end_sooner(child.ended_sooner)
            for number in _STOP:
                signal.signal(number, signal.SIG_DFL)
            # A hangup stays blocked until the child has a handler for it.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED - {signal.SIGHUP})
            child.run()
            code = 0
    except SystemExit as end:  # the reason is logged already
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        _logger.exception("the %s failed", child.name)
    finally:
        _flush()
        os._exit(code)


def _flush() -> None:
    """Flush the streams, for a fork or an exit; a full disk is no error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _ended_child() -> int | None:
    """Return the process ID of a child that has ended and was not waited for."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended else None


def _end_group(leader: int) -> None:
    """End the processes that a child has started: their results would come too late."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _words(status: int) -> Sentence:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return say("signal {number}", number=-code)
    return say("exit status {status}", status=code)


def _pause_s(quick_deaths: int) -> float:
    """Return the pause before a restart.

    A process that keeps dying must not use up the machine.
    """
    if quick_deaths <= 1:
        return 0.0
    return doubled_s(_FIRST_PAUSE_S, quick_deaths - 2, _LONGEST_PAUSE_S)


def _signal(child: Child, number: signal.Signals) -> None:
    if child.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)
