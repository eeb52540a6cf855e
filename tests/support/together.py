# SPDX-License-Identifier: Apache-2.0
"""Run test files in several processes of pytest, each of which takes the next one of a queue.

``python -m tests.support.together PROCESSES ARGUMENT ...`` hands the arguments on to pytest,
collects once and forks. It prints the time and the CPU time of each file, what each process
reports, skips by reason, failures by cause, and last a closing line of all. Files that are named
beside their folder run first: a long one that began last would keep one process busy and the
others waiting.
What an ordinary user may not do, or a machine without IPv6 cannot, runs in a process that has
entered namespaces of its own, if the kernel lets users do that.
What fails runs once more, alone: sockets and other people's load on a machine may make a test
fail that is right. If it passes then, the whole has passed, and the closing line names it.
A process that hangs is ended, with all that it started, and another one goes on with the queue.
Ctrl-C ends all of them; what has failed until then is printed, and the exit code is 130.
Not pytest-xdist, whose processes collect each for itself and have a second thread: Python 3.12
and later warn of a fork there, and filterd forks.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from fcntl import ioctl
from itertools import groupby, zip_longest
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from termios import FIONREAD
from time import perf_counter
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.support import needs, time_limit
from tests.support.closing import (
    BY_FORKS,
    MISSING,
    Outcomes,
    Recorder,
    nothing_shown,
    reason_of,
)
from tests.support.processes import family

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

_TICKET_OCTETS = 4
_NICENESS = 17
"""Of all tests. What filterd runs at a lower priority, the guard above all, starves beside two
busy cores; the lowest there is, 19, leaves the difference between a worker and its manager."""
_MOST_AGAIN = 20
"""Of more tests that fail the load is not the reason."""
_LOOK_EVERY_MS = 1_000
_INTERRUPTED = 130
_LET_END_S = 10.0
"""After Ctrl-C."""
_SHOW, _SHOWN_IN_S = signal.SIGUSR2, 1.0
"""A process that hangs prints then where it is."""
_COLLECT_AFTER = 10_000, 5, 2
"""As a worker does, which takes a twentieth off all tests; but all of the generations after
100,000 objects, not a million: workers that have ended in this process hold megabytes each."""

_ENTER = """
import sys, pytest
from tests.support import needs
needs.enter_own()
sys.exit(pytest.main(sys.argv[1:]))
"""

_terminal = os.dup(2)  # before pytest captures it
_freeze = gc.freeze


@dataclass(eq=False)
class _Batch:
    """Files of which each process takes the next one.

    Attributes:
        files: the tests of each.
        entering: whether its processes enter namespaces of their own.
        queue: a pipe with a ticket for each file.
    """

    files: list[list[pytest.Item]]
    entering: bool
    queue: int = -1

    def __post_init__(self) -> None:
        self.queue, tickets = os.pipe()
        numbers = range(len(self.files))
        os.write(tickets, b"".join(n.to_bytes(_TICKET_OCTETS, "big") for n in numbers))
        os.close(tickets)

    @property
    def left(self) -> int:
        """How many files nobody has taken."""
        octets = ioctl(self.queue, FIONREAD, bytes(4))
        return int.from_bytes(octets, sys.byteorder) // _TICKET_OCTETS


@dataclass(eq=False)
class _Fork:
    """A process that runs tests, as the one that has collected sees it."""

    number: int
    batch: _Batch
    output: IO[bytes]
    records: int
    pid: int = 0
    ended: int = -1
    """A descriptor that is readable when it has ended (pidfd_open(2))."""
    code: int = 0
    seen: int = 0
    """Octets of records at the last look."""
    since_s: float = field(default_factory=perf_counter)
    """When it began the test at which it is."""
    at: str = ""
    """That test."""

    def read(self) -> bytes:
        """Return its records."""
        return os.pread(self.records, os.fstat(self.records).st_size, 0)

    def look(self) -> None:
        """Notice which test it is at."""
        content = self.read()
        if len(content) != self.seen:
            self.seen, self.since_s = len(content), perf_counter()
            begun = [line for line in content.split(b"\n") if line.startswith(b'["started"')]
            self.at = json.loads(begun[-1])[1] if begun else ""


class Together:
    """The plugin that runs what one process has collected in forks of it."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self.forks: list[_Fork] = []
        """All there were."""
        self.is_fork = False
        self.remarks: list[str] = []
        self.collected: list[str] = []
        self.paths: list[str] = []
        """The arguments that are files and folders."""
        self.entering = set[str]()
        """Tests that run in namespaces of their own."""
        self.left_out: list[str] = []
        """Why files were skipped whole."""
        self._limits: dict[str, int] = {}
        self.interrupted = False
        """Whether Ctrl-C has ended the run."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Leave the judgement of the whole to ``main``."""
        config.stash[BY_FORKS] = True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Notice Ctrl-C while tests are collected; pytest's own ends are derived from it."""
        self.interrupted = excinfo.type is KeyboardInterrupt

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count the files that are skipped while they are collected."""
        if report.skipped:
            self.left_out.append(reason_of(report))

    def pytest_collection_finish(self) -> None:
        """Leave what was collected out of all garbage collection: it stays to the end."""
        _freeze()
        gc.enable()
        gc.set_threshold(*_COLLECT_AFTER)

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork; wait in the process that has collected, run tests in the others."""
        if session.testsfailed or session.config.option.collectonly or not session.items:
            return None
        self.paths = session.config.args
        self.collected = [item.nodeid for item in session.items]
        self._limits = {item.nodeid: time_limit.limit_s(item) for item in session.items}
        signal.signal(signal.SIGTERM, self._name_what_runs)
        self.entering = _apart(session.items)
        apart = [item for item in session.items if item.nodeid in self.entering]
        anywhere = [item for item in session.items if item.nodeid not in self.entering]
        batches = [
            _Batch(self._in_turn(items), entering=entering)
            for items, entering in ((apart, True), (anywhere, False))
            if items
        ]
        try:
            if self._run_batches(batches, session):
                return True
        except KeyboardInterrupt:
            if self.is_fork:
                raise
            self._interrupted()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        session.config.pluginmanager.unregister(name="terminalreporter")  # the forks report
        return True

    def _in_turn(self, items: list[pytest.Item]) -> list[list[pytest.Item]]:
        """Return the tests of each file, in the order in which the files are taken."""
        files = [list(of_file) for _, of_file in groupby(items, _file_of)]
        return sorted(_by_turns(files), key=lambda tests: _file_of(tests[0]) not in self.paths)

    def _run_batches(self, batches: list[_Batch], session: pytest.Session) -> bool:
        """Run tests in forks; return whether this is one of them, which has run its own.

        One process at a time, or what others leave, is for those that enter namespaces: they wait
        much, and beside others they cost no time.
        """
        running: list[_Fork] = []
        while True:
            while len(running) < self._processes and (batch := _next(batches, running)):
                fork = self._forked(batch)
                if self.is_fork:
                    if batch.entering:
                        needs.enter_own()
                    session.config.pluginmanager.register(Recorder(fork.records, session.config))
                    _report_to(fork.output, session.config)
                    _run(batch, session)
                    return True
                running.append(fork)
            if not running:
                break
            ended = self._awaited(running)
            running = [fork for fork in running if fork not in ended]
        for batch in batches:
            os.close(batch.queue)
        return False

    def _forked(self, batch: _Batch) -> _Fork:
        """Fork for a batch; return the fork, whose ``pid`` is 0 in itself.

        Ctrl-C waits meanwhile. One that came just before has not reached the fork, which would run
        on where nobody knows of it.
        """
        sys.stdout.flush()
        output = os.fdopen(os.memfd_create("output"), "rb")
        fork = _Fork(len(self.forks) + 1, batch, output, os.memfd_create("records"))
        self.forks.append(fork)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            fork.pid = os.fork()
            if fork.pid:
                fork.ended = os.pidfd_open(fork.pid)
                if signal.SIGINT in signal.sigpending():
                    os.kill(fork.pid, signal.SIGINT)
            else:
                self.is_fork = True
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                faulthandler.register(_SHOW, _terminal)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return fork

    def _awaited(self, running: list[_Fork]) -> list[_Fork]:
        """Wait until a fork ends; end one that hangs, with all that it started."""
        poll = select.poll()
        for fork in running:
            poll.register(fork.ended, select.POLLIN)
        while not (ready := {descriptor for descriptor, _ in poll.poll(_LOOK_EVERY_MS)}):
            for fork in running:
                fork.look()
                limit_s = time_limit.LAST_RESORT * self._limits.get(fork.at, time_limit.LIMIT_S)
                if perf_counter() - fork.since_s > limit_s:
                    self.remarks.append(f"{fork.at} hung for {limit_s} s and was ended")
                    os.kill(fork.pid, _SHOW)
                    select.select([fork.ended], [], [], _SHOWN_IN_S)
                    _end(fork.pid)
        ended = [fork for fork in running if fork.ended in ready]
        for fork in ended:
            fork.code = os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1])
            fork.look()
            os.close(fork.ended)
            fork.ended = -1
            if fork.code > 1 or fork.code < 0:  # a failure of tests is 1
                remark = f"process {fork.number} ended with exit code {fork.code} in {fork.at}"
                self.remarks.append(remark)
        return ended

    def _interrupted(self) -> None:
        """Let the forks end, which have had the same Ctrl-C; end those that do not."""
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        running = [fork for fork in self.forks if fork.ended >= 0]
        poll = select.poll()
        for fork in running:
            poll.register(fork.ended, select.POLLIN)
        until = perf_counter() + _LET_END_S
        while running and (left_s := until - perf_counter()) > 0:
            for descriptor, _ in poll.poll(left_s * 1_000):
                poll.unregister(descriptor)
                running = [fork for fork in running if fork.ended != descriptor]
        for fork in running:
            _end(fork.pid)

    def _name_what_runs(self, *_: object) -> NoReturn:
        """End, as the time of a whole run is over; print the test of each process."""
        for fork in self.forks:
            fork.look()
            os.write(_terminal, f"stopped: process {fork.number} was at: {fork.at}\n".encode())
        for fork in self.forks:  # else they would go on, and their machines
            _end(fork.pid)
        os._exit(1)


def _apart(items: list[pytest.Item]) -> set[str]:
    """Return the tests that can run only in namespaces of their own, if those may be made."""
    gained = needs.gained_in_own()
    apart = {
        item.nodeid for item in items if not gained.isdisjoint(getattr(item, "fixturenames", ()))
    }
    return apart if apart and needs.may_enter_own() else set()


def _next(batches: list[_Batch], running: list[_Fork]) -> _Batch | None:
    """Return the batch for which to fork next."""
    taking = Counter(id(fork.batch) for fork in running)
    waiting = [batch for batch in batches if batch.left and taking[id(batch)] < len(batch.files)]
    at_once = (one for one in waiting if not (one.entering and taking[id(one)]))
    return next(at_once, waiting[0] if waiting else None)


def _end(pid: int) -> None:
    """End a process and all that it started."""
    for one in list(family(pid)):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _report_to(output: IO[bytes], config: pytest.Config) -> None:
    """Let pytest print to a file of this fork, and capture into files of its own."""
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    os.dup2(output.fileno(), 1)
    capture.start_global_capturing()
    capture.suspend_global_capture()


def _run(batch: _Batch, session: pytest.Session) -> None:
    """Run the tests of one file after another, as long as the batch has tickets."""
    # A worker in the process of a test would give all that was collected back to the collector
    # when it stops; each full collection then takes a second.
    patch = pytest.MonkeyPatch()
    patch.setattr(gc, "freeze", lambda: None)
    patch.setattr(gc, "unfreeze", lambda: None)
    while ticket := os.read(batch.queue, _TICKET_OCTETS):
        items = batch.files[int.from_bytes(ticket, "big")]
        started, used_s = perf_counter(), _cpu_s()
        for item, after in zip_longest(items, items[1:]):
            # The fixtures of the session stay where a next file may come here.
            following = after or (session if batch.left else None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        took_s, used_s = perf_counter() - started, _cpu_s() - used_s
        line = f"{took_s:7.1f} s, CPU {used_s:6.1f} s  {_file_of(items[0])}\n"
        os.write(_terminal, line.encode())
        # What this file leaves behind stays: without this, each collection looks through it again,
        # and a file that comes late takes four times as long.
        gc.collect()
        _freeze()


def _by_turns(files: list[list[pytest.Item]]) -> list[list[pytest.Item]]:
    """Return by turns one file of the first third and two of the rest.

    At the beginning are those of ``e2e``, which wait much: beside each other they would leave
    the cores idle, and start their daemons at once.
    """
    third = (len(files) + 2) // 3
    turns = zip_longest(files[:third], files[third::2], files[third + 1 :: 2])
    return [one for turn in turns for one in turn if one]


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _cpu_s() -> float:
    """Return the CPU time of this process and of the children that it has waited for."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN))
    )


def main(processes: int, arguments: list[str]) -> int:
    """Run so many processes at once; return 0 where every test passed."""
    started, together = perf_counter(), Together(processes)
    _print("tests: reading them takes some ten seconds; then a line for each file that has run")
    sys.stdout.flush()
    os.nice(max(0, _NICENESS - os.nice(0)))
    sys.dont_write_bytecode = False  # to rewrite all asserts takes half of the collecting
    gc.disable()  # until all is collected: nothing of it is garbage
    code = int(pytest.main(["-q", "--color=no", *arguments], plugins=[together]))
    if together.is_fork or not together.forks:  # or nothing was run
        return _INTERRUPTED if together.interrupted else int(bool(code))
    outcomes = Outcomes({} if together.interrupted else dict.fromkeys(together.collected, MISSING))
    for fork in together.forks:
        outcomes.add(fork.read())
    if outcomes.failing or not together.interrupted:
        for fork in together.forks:
            _print(f"process {fork.number} of {len(together.forks)}:", *_lines(fork.output))
    if together.interrupted:
        not_run = len(set(together.collected) - outcomes.of.keys())
        return _stopped(outcomes, started, [f"stopped by Ctrl-C: {not_run} were not run"])
    return _close(together, outcomes, arguments, started)


def _stopped(outcomes: Outcomes, started: float, remarks: Iterable[str]) -> int:
    """Print what is known when Ctrl-C has ended a run, and return the exit code."""
    _print(*outcomes.lines(), outcomes.closing(perf_counter() - started, _cpu_s(), remarks))
    return _INTERRUPTED


def _close(together: Together, outcomes: Outcomes, arguments: list[str], started: float) -> int:
    """Run alone what has failed, print how all ended, and return the exit code."""
    again, remarks = outcomes.failing, list(together.remarks)
    outcomes.counts["error"] += sum(outcomes.of[test] == MISSING for test in again)
    for number, reason in enumerate(together.left_out):
        outcomes.of[f"a whole file ({number})"] = "skipped"
        outcomes.reasons[f"a whole file ({number})"] = reason
        outcomes.counts["skipped"] += 1
    failed = bool(remarks) or any(fork.code for fork in together.forks)
    if again and not remarks and len(again) <= _MOST_AGAIN:
        _print(f"once more, alone: {len(again)}")
        options = [argument for argument in arguments if argument not in together.paths]
        try:
            failing = {one for one in again if _fails([*options, one], one in together.entering)}
        except KeyboardInterrupt:
            return _stopped(outcomes, started, [*remarks, "stopped by Ctrl-C while they ran alone"])
        remarks += [f"{test} {'fails' if test in failing else 'passes'} alone" for test in again]
        failed = bool(failing)
    counts = outcomes.counts
    if wrong := nothing_shown(counts["passed"] + counts["failed"], counts["skipped"]):
        remarks.append(wrong)
        failed = True
    if counts["skipped"] and os.environ.get("FILTERD_NO_SKIPS") == "1":
        remarks.append("FILTERD_NO_SKIPS=1 takes a skip for a failure")
        failed = True
    _print(*outcomes.lines())
    _print(outcomes.closing(perf_counter() - started, _cpu_s(), remarks))
    return int(failed)


def _lines(output: IO[bytes]) -> list[str]:
    output.seek(0)
    return output.read().decode(errors="replace").rstrip().split("\n")


def _fails(arguments: Iterable[str], entering: bool) -> bool:
    """Return whether a test fails in a process that runs no others."""
    sys.stdout.flush()
    how = ("-c", _ENTER) if entering else ("-m", "pytest")
    command = [sys.executable, *how, "-q", "--color=no", *arguments]
    return bool(subprocess.run(command, check=False).returncode)


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
