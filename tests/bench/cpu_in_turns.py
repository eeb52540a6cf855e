# SPDX-License-Identifier: Apache-2.0
"""Measure the CPU time of a question in each server, asked in turns.

Run ``python -m tests.bench.cpu_in_turns``; it needs gcc, taskset and dnsperf. ``make
bench`` measures one server after the other, minutes apart, and the load of a shared
machine changes meanwhile. Here all run at once on the first core, and each mix is asked
of one after the other for two seconds, five times, so that their ratios are of one
moment. The first turn does not count, because memory is touched for the first time.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.bench import measuring
from tests.bench.latency import all_at_once, in_turn, usual
from tests.bench.questions import Questions
from tests.bench.table import show, the_setting, title

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.latency import Running
    from tests.bench.peers import Peer

MIXES = ("blocked", "cached", "school", "miss")
TURNS, SECONDS = 5, 2
_QUESTIONS_A_SECOND = 150_000


def measure(
    peers: list[Peer], listed: list[str], names: Path, folder: Path
) -> dict[str, dict[str, float]]:
    """Return microseconds of CPU a question, by peer and by the title of the mix's row."""
    questions, figures = (
        Questions(listed, folder),
        {peer.name: dict[str, float]() for peer in peers},
    )
    with all_at_once(peers, questions, listed[-1], names, folder) as running:
        for mix in MIXES:
            found = {peer.name: list[float]() for peer in peers}
            for turn in range(TURNS + 1):
                for peer in in_turn(peers, turn):
                    file = questions.of(mix, _QUESTIONS_A_SECOND * SECONDS)
                    found[peer.name].append(_cost_us(running[peer.name], file))
            for name, costs in found.items():
                figures[name][title(mix)] = statistics.median(costs[1:])
    return figures


def _cost_us(server: Running, file: Path) -> float:
    return measuring.cpu_us(
        server.pid, lambda: measuring.dnsperf(server.at, file, SECONDS), rounds=1
    )


def main() -> None:
    """Measure every peer that is here and print a table."""
    with the_setting(__doc__) as (listed, names, folder):
        show(measure(usual(), listed, names, folder))


if __name__ == "__main__":
    main()
