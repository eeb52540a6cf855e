# SPDX-License-Identifier: Apache-2.0
"""Run test files in several processes of pytest, each of which takes the next one of a queue.

``python -m tests.support.together PROCESSES ARGUMENT ...`` hands the arguments on to pytest,
collects once and forks. It prints the time and the CPU time of each file, what each process
reports, and last a closing line of all. Files that are named beside their folder run first: a
long one that began last would keep one process busy and the others waiting.
What fails runs once more, alone: sockets and other people's load on a machine may make a test
fail that is right. If it passes then, the whole has passed, and the closing line names it.
Not pytest-xdist, whose processes collect each for itself and have a second thread: Python 3.12
and later warn of a fork there, and filterd forks.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from fcntl import ioctl
from itertools import groupby, zip_longest
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from termios import FIONREAD
from time import perf_counter
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from typing import IO

_TICKET_OCTETS = 4
_NICENESS = 17
"""Of all tests. What filterd runs at a lower priority, the guard above all, starves beside two
busy cores; the lowest there is, 19, leaves the difference between a worker and its manager."""

_WORDS = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")
_FAILURES = ("failed", "error", "missing")
_MOST_AGAIN = 20
"""Of more tests that fail the load is not the reason."""

_terminal = os.dup(2)  # before pytest captures it


class Together:
    """The plugin that runs what one process has collected in forks of it."""

    def __init__(self, processes: int) -> None:
        self.outputs = [os.fdopen(os.memfd_create("output"), "rb") for _ in range(processes)]
        self.records = [os.memfd_create("records") for _ in range(processes)]
        """A line for each outcome: a word of ``_WORDS``, or "started", and the node id."""
        self.collected: list[str] = []
        self.paths: list[str] = []
        """The arguments that are files and folders."""
        self.codes: list[int] = []
        """How the forks ended; in a fork there are none."""
        self._forks: list[int] = []

    def pytest_collection_finish(self) -> None:
        """Leave what was collected out of all garbage collection: it stays to the end."""
        gc.freeze()
        gc.enable()

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork; wait in the process that has collected, run tests in the others."""
        if session.testsfailed or session.config.option.collectonly or not session.items:
            return None
        files = [list(of_file) for _, of_file in groupby(session.items, _file_of)]
        self.paths = session.config.args
        files = sorted(_by_turns(files), key=lambda tests: _file_of(tests[0]) not in self.paths)
        self.collected = [item.nodeid for item in session.items]
        queue, tickets = os.pipe()
        os.write(tickets, b"".join(n.to_bytes(_TICKET_OCTETS, "big") for n in range(len(files))))
        os.close(tickets)
        sys.stdout.flush()
        forks = self._forks
        for output, records in zip(self.outputs, self.records, strict=True):
            if not (pid := os.fork()):
                session.config.pluginmanager.register(_Recorder(records, session.config))
                _report_to(output, session.config)
                _run(files, queue, session)
                return True
            forks.append(pid)
        os.close(queue)
        signal.signal(signal.SIGTERM, self._name_what_runs)
        self.codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forks]
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        session.config.pluginmanager.unregister(name="terminalreporter")  # the forks report
        return True

    def _name_what_runs(self, *_: object) -> NoReturn:
        """End, as the time of a whole run is over; print the test of each process."""
        for number, records in enumerate(self.records, 1):
            content = os.pread(records, os.fstat(records).st_size, 0).decode()
            last = next((one for one in reversed(content.split("\n")) if one), "nothing")
            os.write(_terminal, f"stopped: process {number} was at: {last}\n".encode())
        for pid in self._forks:  # else they would go on, and their machines
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        os._exit(1)


class _Recorder:
    """The plugin that records outcomes where they outlive the process."""

    def __init__(self, records: int, config: pytest.Config) -> None:
        self._records, self._config = records, config

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._record("started", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        word, *_ = self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        if word:
            self._record(word, report.nodeid)

    def _record(self, word: str, nodeid: str) -> None:
        os.write(self._records, f"{word} {nodeid}\n".encode())


def _report_to(output: IO[bytes], config: pytest.Config) -> None:
    """Let pytest print to a file of this fork, and capture into files of its own."""
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    os.dup2(output.fileno(), 1)
    capture.start_global_capturing()
    capture.suspend_global_capture()


def _run(files: list[list[pytest.Item]], queue: int, session: pytest.Session) -> None:
    """Run the tests of one file after another, as long as the queue has tickets."""
    while ticket := os.read(queue, _TICKET_OCTETS):
        started, used_s, items = perf_counter(), _cpu_s(), files[int.from_bytes(ticket, "big")]
        for item, after in zip_longest(items, items[1:]):
            following = after or (session if _has_more(queue) else None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        took_s, used_s = perf_counter() - started, _cpu_s() - used_s
        line = f"{took_s:7.1f} s, CPU {used_s:6.1f} s  {_file_of(items[0])}\n"
        os.write(_terminal, line.encode())


def _by_turns(files: list[list[pytest.Item]]) -> list[list[pytest.Item]]:
    """Return by turns one file of the first third and two of the rest.

    At the beginning are those of ``e2e``, which wait much: beside each other they would leave
    the cores idle, and start their daemons at once.
    """
    third = (len(files) + 2) // 3
    turns = zip_longest(files[:third], files[third::2], files[third + 1 :: 2])
    return [one for turn in turns for one in turn if one]


def _has_more(queue: int) -> bool:
    """Return whether a next file may come here, for which the fixtures of the session stay."""
    return ioctl(queue, FIONREAD, bytes(4)) != bytes(4)


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
    os.nice(max(0, _NICENESS - os.nice(0)))
    sys.dont_write_bytecode = False  # to rewrite all asserts takes half of the collecting
    gc.disable()  # until all is collected: nothing of it is garbage
    code = int(pytest.main(["-q", "--color=no", *arguments], plugins=[together]))
    if not together.codes:  # this is a fork, or nothing was run
        return int(bool(code))
    outcomes, counts = dict.fromkeys(together.collected, "missing"), Counter[str]()
    remarks = list[str]()
    for number, (code, output, records) in enumerate(
        zip(together.codes, together.outputs, together.records, strict=True), 1
    ):
        _print(f"process {number} of {processes}:", *_lines(output))
        last = _take(records, outcomes, counts)
        if code > 1 or code < 0:  # a failure of tests is 1
            remarks.append(f"process {number} ended with exit code {code} in {last}")
    again = [test for test, outcome in outcomes.items() if outcome in _FAILURES]
    counts["error"] += sum(outcomes[test] == "missing" for test in again)
    failed = bool(remarks) or any(together.codes)
    if again and not remarks and len(again) <= _MOST_AGAIN:
        _print(f"once more, alone: {len(again)}")
        options = [one for one in arguments if one not in together.paths]
        failing = {test for test in again if _fails([*options, test])}
        remarks += [f"{test} {'fails' if test in failing else 'passes'} alone" for test in again]
        failed = bool(failing)
    _print("; ".join((_closing_line(counts, perf_counter() - started), *remarks)))
    return int(failed)


def _lines(output: IO[bytes]) -> list[str]:
    output.seek(0)
    return output.read().decode(errors="replace").rstrip().split("\n")


def _take(records: int, outcomes: dict[str, str], counts: Counter[str]) -> str:
    """Add what a process has recorded; return the test that it began last."""
    last = ""
    with os.fdopen(records, "rb") as file:
        file.seek(0)
        for line in file.read().decode().split("\n")[:-1]:
            word, _, test = line.partition(" ")
            if word == "started":
                last = test
                continue
            counts[word] += 1
            if outcomes[test] not in ("failed", "error"):
                outcomes[test] = word
    return last


def _fails(arguments: list[str]) -> bool:
    """Return whether a test fails in a process that runs no others."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", *arguments]
    return bool(subprocess.run(command, check=False).returncode)


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _closing_line(counts: Counter[str], seconds: float) -> str:
    """Return it as pytest writes it, with the CPU time."""
    line = ", ".join(
        f"{counts[word]} {word}{'s' * (counts[word] > 1 and word == 'error')}"
        for word in _WORDS
        if counts[word]
    )
    took = f"{seconds:.2f}s ({timedelta(seconds=int(seconds))})"
    return f"{line or 'no tests ran'} in {took}, CPU {timedelta(seconds=int(_cpu_s()))}"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
