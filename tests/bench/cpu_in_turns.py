# SPDX-License-Identifier: Apache-2.0
"""Measure the CPU time of a question in each server, asked in turns.

Run ``python -m tests.bench.cpu_in_turns``; it needs gcc, taskset and dnsperf. ``make
bench`` measures one server after the other, minutes apart, and the load of a shared
machine changes meanwhile. Here all run at once on the first core, and each mix is asked
of one after the other for two seconds, five times, so that their ratios are of one
moment. The first turn does not count, because memory is touched for the first time.

``--beside FOLDER`` compares filterd with that of another checkout, which `make setup` has
built, in 15 turns: median of the ratios, above 1 where this one costs more, the range of 90 %
of the turns, and the mean with its 95 % interval (Student's t).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import measuring
from tests.bench.latency import all_at_once, in_turn, usual
from tests.bench.peers import Filterd
from tests.bench.questions import Questions
from tests.bench.table import show, the_setting, title

if TYPE_CHECKING:
    from tests.bench.latency import Running
    from tests.bench.peers import Peer

MIXES = ("blocked", "cached", "school", "miss")
TURNS, SECONDS = 5, 2
_QUESTIONS_A_SECOND = 150_000


def measure(
    peers: list[Peer], listed: list[str], names: Path, folder: Path
) -> dict[str, dict[str, float]]:
    """Return microseconds of CPU a question, by peer and by the title of the mix's row."""
    costs = turns(peers, TURNS, listed, names, folder)
    return {
        name: {title(mix): statistics.median(of_turns) for mix, of_turns in by_mix.items()}
        for name, by_mix in costs.items()
    }


def turns(
    peers: list[Peer], count: int, listed: list[str], names: Path, folder: Path
) -> dict[str, dict[str, list[float]]]:
    """Return microseconds of CPU a question, by peer, by mix, for each turn."""
    questions = Questions(listed, folder)
    costs = {peer.name: {mix: list[float]() for mix in MIXES} for peer in peers}
    with all_at_once(peers, questions, listed[-1], names, folder) as running:
        for mix in MIXES:
            for turn in range(count + 1):
                for peer in in_turn(peers, turn):
                    file = questions.of(mix, _QUESTIONS_A_SECOND * SECONDS)
                    cost = _cost_us(running[peer.name], file)
                    if turn:
                        costs[peer.name][mix].append(cost)
    return costs


def _cost_us(server: Running, file: Path) -> float:
    return measuring.cpu_us(
        server.pid, lambda: measuring.dnsperf(server.at, file, SECONDS), rounds=1
    )


def compare(other: Path, listed: list[str], names: Path, folder: Path) -> None:
    """Print the ratios of this filterd to that of another checkout."""
    pair: list[Peer] = [Filterd(), Filterd("other", other.resolve() / "tests" / "bench")]
    costs = turns(pair, measuring.TURNS, listed, names, folder)
    for mix in MIXES:
        ratios = [
            ours / its for ours, its in zip(costs["filterd"][mix], costs["other"][mix], strict=True)
        ]
        sys.stdout.write(f"{mix:8} {measuring.ratios_text(ratios)}\n")


def main() -> None:
    """Measure every peer that is here and print a table, or compare two checkouts."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--beside", type=Path)
    options, rest = parser.parse_known_args()
    with the_setting(__doc__, rest) as (listed, names, folder):
        if options.beside:
            compare(options.beside, listed, names, folder)
        else:
            show(measure(usual(), listed, names, folder))


if __name__ == "__main__":
    main()
