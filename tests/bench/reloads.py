# SPDX-License-Identifier: Apache-2.0
"""Measure a reload under load: the longest wait, lost and unfiltered answers.

A new policy or new lists come into force under 5,000 questions a second. A listed name
and another are asked in turn 500 times a second as well, until the reload is done and
some time after. The slowest answer is compared with the slowest of a quiet run just
before, because on a machine with other load neither means anything alone.
"""

from __future__ import annotations

import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import measuring
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.peers import At

LOAD_A_SECOND = 5_000
PROBES_A_SECOND = 500
SETTLES_S, QUIET_S, AFTER_S = 0.5, 2.0, 1.0
_ANSWERS_WITHIN_S = 1.0
_NOERROR, _NXDOMAIN = 0, 3


class ProbeAnswers(NamedTuple):
    """The answers to the probes of a run. ``worst_ms`` counts a lost one as a second."""

    worst_ms: float
    lost: int
    wrong: int


class Cost(NamedTuple):
    """Of several reloads: the median of the worst waits over quiet runs, and all that failed."""

    over_quiet_ms: float
    failed: int


class Probes:
    """Two questions in turn over one socket, each with its own ID; a thread takes the answers."""

    def __init__(self, at: At, listed: str, other: str) -> None:
        self._asked: list[float] = []
        self._answered: dict[int, float] = {}
        self._wrong = 0
        self._queries = a_query(other)[2:], a_query(listed)[2:]
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.settimeout(0.05)
        self._socket.connect((at.address, at.port))
        self._stopping = threading.Event()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def ask(self) -> None:
        """Ask the next one at its time."""
        number = len(self._asked) % 65_536
        if self._asked:
            time.sleep(max(0.0, self._asked[-1] + 1 / PROBES_A_SECOND - time.perf_counter()))
        self._asked.append(time.perf_counter())
        self._socket.send(number.to_bytes(2) + self._queries[number % 2])

    def finish(self) -> ProbeAnswers:
        """Wait for the last answers and return what there was."""
        time.sleep(_ANSWERS_WITHIN_S)
        self._stopping.set()
        self._reading.join()
        self._socket.close()
        waits = [
            self._answered.get(number, asked + _ANSWERS_WITHIN_S) - asked
            for number, asked in enumerate(self._asked)
        ]
        return ProbeAnswers(1000 * max(waits), len(self._asked) - len(self._answered), self._wrong)

    def _read(self) -> None:
        while not self._stopping.is_set():
            try:
                answer = self._socket.recv(4096)
            except OSError:  # no answer for a while, or no server
                continue
            number = int.from_bytes(answer[:2])
            self._answered[number] = time.perf_counter()
            self._wrong += answer[3] & 15 != (_NXDOMAIN if number % 2 else _NOERROR)


def run(probes: Probes, change: Callable[[], object] | None) -> ProbeAnswers:
    """Ask while ``change`` is made, or for a quiet while; return the answers to the probes."""
    changing = threading.Thread(target=change) if change else None
    started = time.perf_counter()
    if changing is not None:
        changing.start()
    done_at = started + QUIET_S - AFTER_S
    while time.perf_counter() < done_at + AFTER_S:
        probes.ask()
        if changing is not None and changing.is_alive():
            done_at = time.perf_counter()
    return probes.finish()


def cost_of(
    change: Callable[[], object], at: At, names: tuple[str, str], file: Path, rounds: int
) -> Cost:
    """Make a change again and again under load, each time after a quiet run.

    Args:
        change: puts something new in force, and returns when it is.
        at: where the server listens.
        names: one that is listed, one that is not.
        file: the questions of the load, for dnsperf.
        rounds: how many times.
    """
    where = ["-s", at.address, "-p", str(at.port), "-d", str(file), "-l", "600"]
    load = ["dnsperf", *where, "-c", "20", "-T", "1", "-q", "200", "-Q", str(LOAD_A_SECOND)]
    over, failed = [], 0
    with measuring.running([*measuring.ASKING, *load], file.with_suffix(".log")):
        time.sleep(SETTLES_S)
        for _ in range(rounds):
            quiet = run(Probes(at, *names), None)
            changed = run(Probes(at, *names), change)
            over.append(changed.worst_ms - quiet.worst_ms)
            failed += changed.lost + changed.wrong
    return Cost(statistics.median(over), failed)
