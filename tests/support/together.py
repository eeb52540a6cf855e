# SPDX-License-Identifier: Apache-2.0
"""Run test files in several processes of pytest, each of which takes the next one of a queue.

``python -m tests.support.together PROCESSES ARGUMENT ...`` hands the arguments on to pytest,
collects once and forks. It prints the time and the CPU time of each file, what each process
reports, and last a closing line of all.
Not pytest-xdist, whose processes collect each for itself and have a second thread: Python 3.12
and later warn of a fork there, and filterd forks.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections import Counter
from datetime import timedelta
from fcntl import ioctl
from itertools import groupby, zip_longest
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from termios import FIONREAD
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import IO

_TICKET_OCTETS = 4
_NODE_OCTETS = 1_000
_NICENESS = 17
"""Of all tests. What filterd runs at a lower priority, the guard above all, starves beside two
busy cores; the lowest there is, 19, leaves the difference between a worker and its manager."""

_WORDS = ("failed", "passed", "skipped", "xfailed", "xpassed", "warning", "error")
_COUNT = re.compile(rf"(\d+) ({'|'.join(_WORDS)})s?\b")
_terminal = os.dup(2)  # before pytest captures it


class Together:
    """The plugin that runs what one process has collected in forks of it."""

    def __init__(self, processes: int) -> None:
        self.outputs = [os.fdopen(os.memfd_create("output"), "rb") for _ in range(processes)]
        self.running = [os.memfd_create("running") for _ in range(processes)]
        """What each runs now, as bytes of its node id."""
        self.codes: list[int] = []
        """How the forks ended; in a fork there are none."""

    def pytest_collection_finish(self) -> None:
        """Leave what was collected out of all garbage collection: it stays to the end."""
        gc.freeze()
        gc.enable()

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork; wait in the process that has collected, run tests in the others."""
        if session.testsfailed or session.config.option.collectonly or not session.items:
            return None
        files = [list(of_file) for _, of_file in groupby(session.items, _file_of)]
        queue, tickets = os.pipe()
        os.write(tickets, b"".join(n.to_bytes(_TICKET_OCTETS, "big") for n in range(len(files))))
        os.close(tickets)
        sys.stdout.flush()
        forks = []
        for output, running in zip(self.outputs, self.running, strict=True):
            if not (pid := os.fork()):
                _report_to(output, session.config)
                _run(files, queue, session, running)
                return True
            forks.append(pid)
        os.close(queue)
        self.codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forks]
        session.config.pluginmanager.unregister(name="terminalreporter")  # the forks report
        return True


def _report_to(output: IO[bytes], config: pytest.Config) -> None:
    """Let pytest print to a file of this fork, and capture into files of its own."""
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    os.dup2(output.fileno(), 1)
    capture.start_global_capturing()
    capture.suspend_global_capture()


def _run(files: list[list[pytest.Item]], queue: int, session: pytest.Session, running: int) -> None:
    """Run the tests of one file after another, as long as the queue has tickets."""
    while ticket := os.read(queue, _TICKET_OCTETS):
        started, used_s, items = perf_counter(), _cpu_s(), files[int.from_bytes(ticket, "big")]
        for item, after in zip_longest(items, items[1:]):
            following = after or (session if _has_more(queue) else None)
            os.pwrite(running, item.nodeid.encode().ljust(_NODE_OCTETS, b"\0"), 0)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        took_s, used_s = perf_counter() - started, _cpu_s() - used_s
        told = f"{took_s:7.1f} s, CPU {used_s:6.1f} s  {_file_of(items[0])}\n"
        os.write(_terminal, told.encode())


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
    started, counts, together = perf_counter(), Counter[str](), Together(processes)
    os.nice(max(0, _NICENESS - os.nice(0)))
    sys.dont_write_bytecode = False  # to rewrite all asserts takes half of the collecting
    gc.disable()  # until all is collected: nothing of it is garbage
    code = int(pytest.main(["-q", "--color=no", *arguments], plugins=[together]))
    if not together.codes:  # this is a fork, or nothing was run
        return int(bool(code))
    died = ""
    for number, code in enumerate(together.codes, 1):
        lines, closing = _report(together.outputs[number - 1])
        _print(f"process {number} of {processes}:", *lines)
        found = {word: int(count) for count, word in _COUNT.findall(closing)}
        if code and not found:  # it did not come to its closing line
            _print(closing)
            test = os.pread(together.running[number - 1], _NODE_OCTETS, 0).rstrip(b"\0").decode()
            died += f"; process {number} ended with exit code {code} in {test}"
            found = {"error": 1}
        counts.update(found)
    _print(_closing_line(counts, perf_counter() - started) + died)
    return int(any(together.codes))


def _report(output: IO[bytes]) -> tuple[list[str], str]:
    """Return all lines but the last, and that."""
    output.seek(0)
    *lines, closing = output.read().decode(errors="replace").rstrip().split("\n")
    return lines, closing


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _closing_line(counts: Counter[str], seconds: float) -> str:
    """Say it as pytest does, and what CPU time it took."""
    told = ", ".join(
        f"{counts[word]} {word}{'s' * (counts[word] > 1 and word in _WORDS[-2:])}"
        for word in _WORDS
        if counts[word]
    )
    took = f"{seconds:.2f}s ({timedelta(seconds=int(seconds))})"
    return f"{told or 'no tests ran'} in {took}, CPU {timedelta(seconds=int(_cpu_s()))}"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
