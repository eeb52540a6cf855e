# SPDX-License-Identifier: Apache-2.0
"""Measure what something costs the lookups that are asked beside it, in paired turns."""

from __future__ import annotations

import socket
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.measuring import TURNS, ratios_text
from tests.support.daemon import SOURCES
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

A_SECOND = 500
_BLOCKED = a_query("www.tiktok.com")


class Lookups(NamedTuple):
    """Answers of some seconds: median and 99th percentile in ms, CPU of the worker in µs."""

    median_ms: float
    p99_ms: float
    cpu_us: float


def thread_cpu_s(pid: int) -> float:
    """Return seconds on the CPU of all threads of a process (schedstat, proc(5))."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) / 1e9 for thread in threads)


def lookups(port: int, worker: int, seconds: float) -> Lookups:
    """Ask blocked names at an even pace."""
    before, waits = thread_cpu_s(worker), list[float]()
    with socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.bind((SOURCES["6"], 0))
        stub.connect(("127.0.0.1", port))
        stub.settimeout(5.0)
        begin = time.perf_counter()
        for number in range(int(seconds * A_SECOND)):
            time.sleep(max(0.0, begin + number / A_SECOND - time.perf_counter()))
            asked = time.perf_counter()
            stub.send(_BLOCKED)
            stub.recv(4096)
            waits.append((time.perf_counter() - asked) * 1e3)
    cpu_us = (thread_cpu_s(worker) - before) / len(waits) * 1e6
    return Lookups(statistics.median(waits), sorted(waits)[len(waits) * 99 // 100], cpu_us)


def compare(
    port: int, worker: int, load: Callable[[], AbstractContextManager[object]], seconds: float = 1.0
) -> str:
    """Return how lookups beside a load compare with those alone, of turns of a moment each."""
    pairs = list[tuple[Lookups, Lookups]]()
    for _ in range(TURNS):
        alone = lookups(port, worker, seconds)
        with load():
            pairs.append((alone, lookups(port, worker, seconds)))
    lines = []
    for field, unit in (("median_ms", "ms"), ("p99_ms", "ms"), ("cpu_us", "µs")):
        both = [(getattr(one, field), getattr(other, field)) for one, other in pairs]
        alone_, beside = (statistics.median(column) for column in zip(*both, strict=True))
        ratios = ratios_text([other / one for one, other in both])
        lines.append(f"  {field:10} {alone_:.2f} to {beside:.2f} {unit}; ratio {ratios}")
    return "\n".join(lines)
