# SPDX-License-Identifier: Apache-2.0
"""Measure the cost of reading messages, as CPU time and as ratios.

Run ``python -m tests.bench.wire_cost``. "parse" is the parser alone; "use" adds the work
of the higher packages on a response: read every target and hint, rebuild it for the
cache, truncate it.
"""

from __future__ import annotations

import sys
from time import process_time_ns
from typing import TYPE_CHECKING

from filterd.base.errors import WireError
from filterd.wire import parse_query, parse_response
from tests.support.cost_bombs import QUERIES, RESPONSES
from tests.support.wire import a_query, a_response
from tests.support.wire_work import use_response

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9
ROW = "{:<46}{:>8}{:>11}{:>9}{:>11}{:>9}\n"

NORMAL_QUERY = a_query("www.example.com")
NORMAL_RESPONSE = a_response(
    NORMAL_QUERY,
    "www.example.com 300 CNAME a.b.example.net",
    "a.b.example.net 300 A 198.18.0.1",
    "a.b.example.net 300 A 198.18.0.2",
)


def cost_us(read: Callable[[bytes], object], message: bytes, calls: int = 1) -> float:
    """Return the CPU time of one call in microseconds: the least of several rounds."""
    best = sys.maxsize
    for _ in range(ROUNDS):
        start = process_time_ns()
        for _ in range(calls):
            _swallow(read, message)
        best = min(best, process_time_ns() - start)
    return best / calls / 1000


def _swallow(read: Callable[[bytes], object], message: bytes) -> None:
    try:
        read(message)
    except WireError:
        return


def main() -> None:
    """Print a row for every message and the greatest cost."""
    normal_query = cost_us(parse_query, NORMAL_QUERY, 2000)
    normal_response = cost_us(parse_response, NORMAL_RESPONSE, 2000)
    normal_use = cost_us(use_response, NORMAL_RESPONSE, 2000)
    out = sys.stdout.write
    out(ROW.format("message", "octets", "parse us", "ratio", "use us", "ratio"))
    out(ROW.format("a normal query", len(NORMAL_QUERY), f"{normal_query:.1f}", 1, "", ""))
    normal = (f"{normal_response:.1f}", 1, f"{normal_use:.1f}", 1)
    out(ROW.format("a normal response", len(NORMAL_RESPONSE), *normal))
    worst_parse = worst_use = 0.0
    for name, message in (QUERIES | RESPONSES).items():
        as_query = cost_us(parse_query, message)
        as_response = cost_us(parse_response, message)
        use = cost_us(use_response, message)
        parse, base = max((as_query, normal_query), (as_response, normal_response))
        worst_parse, worst_use = max(worst_parse, parse), max(worst_use, use)
        ratios = (f"{parse:.1f}", f"{parse / base:.1f}", f"{use:.1f}", f"{use / normal_use:.1f}")
        out(ROW.format(name, len(message), *ratios))
    out(f"max: parse {worst_parse / 1000:.3f} ms, use {worst_use / 1000:.3f} ms of CPU\n")


if __name__ == "__main__":
    main()
