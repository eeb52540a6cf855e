# SPDX-License-Identifier: Apache-2.0
"""Run test files in several pytest processes, which take them from one queue.

``python -m tests.support.together PROCESSES ARGUMENT ...`` passes the arguments on to
pytest, prints the duration of each file, the reports of each process, and a last line
for all. pytest-xdist is not used: its processes have a second thread, Python 3.12 and
later warn of a fork there, and filterd forks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from itertools import groupby, pairwise
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

    import pytest

_QUEUE = "FILTERD_TESTS_QUEUE"
_TICKET_OCTETS = 4
_TICKETS = 10_000
"""More than there are files; a pipe takes as many at once."""
_NICENESS = 17
"""Of all tests. What filterd runs at a lower priority, the guard above all, starves beside two
busy cores; the lowest there is, 19, leaves the difference between a worker and its manager."""

_WORDS = ("failed", "passed", "skipped", "xfailed", "xpassed", "warning", "error")
_COUNT = re.compile(rf"(\d+) ({'|'.join(_WORDS)})s?\b")
_terminal = os.dup(2)  # before pytest captures it


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests of one file after another, as long as the queue has tickets."""
    if _QUEUE not in os.environ or session.testsfailed or session.config.option.collectonly:
        return None
    queue = int(os.environ[_QUEUE])
    files = [list(of_file) for _, of_file in groupby(session.items, _file_of)]
    while (ticket := int.from_bytes(os.read(queue, _TICKET_OCTETS), "big")) < len(files):
        started, items = perf_counter(), files[ticket]
        for item, following in pairwise((*items, session)):  # whose fixtures stay for the next file
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        told = f"{perf_counter() - started:7.1f} s  {_file_of(items[0])}\n"
        os.write(_terminal, told.encode())
    return True


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def main(processes: int, arguments: list[str]) -> int:
    """Run so many processes at once; return 0 where every test passed."""
    started, counts = perf_counter(), Counter[str]()
    os.nice(max(0, _NICENESS - os.nice(0)))
    queue, tickets = os.pipe()
    os.write(tickets, b"".join(n.to_bytes(_TICKET_OCTETS, "big") for n in range(_TICKETS)))
    with ExitStack() as opened:
        outputs = [opened.enter_context(tempfile.TemporaryFile()) for _ in range(processes)]
        running = [_start(arguments, queue, output) for output in outputs]
        codes = [one.wait() for one in running]
        reports = [_report(output) for output in outputs]
    for number, (code, (lines, closing)) in enumerate(zip(codes, reports, strict=True), 1):
        _print(f"process {number} of {processes}:", *lines)
        found = {word: int(count) for count, word in _COUNT.findall(closing)}
        if code and not found:  # it did not come to its closing line
            _print(closing, f"the process ended with exit code {code}")
            found = {"error": 1}
        counts.update(found)
    _print(_closing_line(counts, perf_counter() - started))
    return int(any(codes))


def _start(arguments: list[str], queue: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", __spec__.name, *arguments],
        env={**os.environ, _QUEUE: str(queue)},
        pass_fds=[queue],
        stdout=output,
    )


def _report(output: IO[bytes]) -> tuple[list[str], str]:
    """Return all lines but the last, and that."""
    output.seek(0)
    *lines, closing = output.read().decode(errors="replace").rstrip().split("\n")
    return lines, closing


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _closing_line(counts: Counter[str], seconds: float) -> str:
    """Print it as pytest does."""
    told = [
        f"{counts[word]} {word}{'s' * (counts[word] > 1 and word in _WORDS[-2:])}"
        for word in _WORDS
        if counts[word]
    ]
    return (
        f"{', '.join(told) or 'no tests ran'} in {seconds:.2f}s ({timedelta(seconds=int(seconds))})"
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
