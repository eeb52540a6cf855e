# SPDX-License-Identifier: Apache-2.0
"""Measure how well IDs and ports of upstream questions hide, and their cost.

Run ``python -m tests.bench.entropy [questions]``. Every question has another qname; the
upstream, a process of its own, records the questions.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from array import array
from time import process_time
from typing import NamedTuple

import uvloop

from filterd.base.clock import SystemClock
from filterd.policy.model import UpstreamServer
from filterd.upstream import Forwarder, Route, UpstreamQuestion
from filterd.upstream.randomness import LOWEST
from tests.support.statistics import (
    chi_squared,
    chi_squared_p,
    distinct_expected,
    serial_correlation,
)

QUESTIONS = 100_000
AT_A_TIME = 50
KINDS = 1_024
"""IDs are counted by their upper ten bits, and by their lower ten."""


class Observed(NamedTuple):
    """What the upstream saw, in order, and the CPU time of each exchange in microseconds."""

    ids: list[int]
    ports: list[int]
    cpu_us: float


async def _ask(port: int, questions: int) -> float:
    forwarder, route = Forwarder(SystemClock()), Route((UpstreamServer("127.0.0.1", port),))
    numbers = iter(range(questions))

    async def one_after_another() -> None:
        for number in numbers:
            qname = b"\x08%08d\x07example\x03com\0" % number
            await forwarder.resolve(UpstreamQuestion(qname, 1, False, False, route))

    began = process_time()
    await asyncio.gather(*[one_after_another() for _ in range(AT_A_TIME)])
    took = process_time() - began
    forwarder.close()
    return took / questions * 1e6


def observe(questions: int) -> Observed:
    """Ask so many questions."""
    command = [sys.executable, "-m", "tests.bench.recorder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        try:
            cpu_us = uvloop.run(_ask(int(recorder.stdout.readline()), questions))
        finally:
            seen, _ = recorder.communicate(timeout=30)
    numbers = array("H", seen)
    if sys.byteorder == "little":
        numbers.byteswap()
    return Observed(list(numbers[::2]), list(numbers[1::2]), cpu_us)


class Figures(NamedTuple):
    """The figures of B1. ``p`` are the chances that honest randomness is as uneven."""

    distinct_ports: int
    expected_ports: float
    p_upper: float
    p_lower: float
    id_correlation: float
    port_correlation: float


def figures_of(seen: Observed) -> Figures:
    """Compute them."""
    upper = chi_squared([one >> 6 for one in seen.ids], KINDS)
    lower = chi_squared([one & KINDS - 1 for one in seen.ids], KINDS)
    sockets = len(seen.ports) // 3
    return Figures(
        len(set(seen.ports)),
        distinct_expected(sockets, 65_536 - LOWEST),
        chi_squared_p(upper, KINDS),
        chi_squared_p(lower, KINDS),
        serial_correlation(seen.ids),
        serial_correlation(seen.ports),
    )


def main() -> None:
    """Measure and print."""
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS
    seen = observe(questions)
    found = figures_of(seen)
    sys.stdout.write(
        f"{len(seen.ids)} questions at {seen.cpu_us:.1f} us CPU each, answers taken apart and all\n"
        f"distinct source ports   {found.distinct_ports} (chance: {found.expected_ports:.0f})\n"
        f"chi-squared of the IDs  p {found.p_upper:.3f} (upper), {found.p_lower:.3f} (lower bits)\n"
        f"serial correlation      {found.id_correlation:+.4f} (IDs), "
        f"{found.port_correlation:+.4f} (ports)\n"
    )


if __name__ == "__main__":
    main()
