# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""How long commands take that ask a running daemon, in times of ``python -c pass``.

Run ``python -m tests.bench.command_start``. Each command is timed directly after a ``python -c
pass``, so that both of a pair meet the same load of the machine. Printed are the median of the
pairs' ratios and the interval that has the true median in 95 of 100 runs.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from tests.support.commands import ROOT, environment
from tests.support.daemon import build_lists, free_port, serving, write_site

COMMANDS = ("status", "check www.tiktok.com --grade 6", "allow --help", "room list")
GOAL = 9
_ZONE = "time_zone: Asia/Ho_Chi_Minh\n"


def interval(ratios: list[float]) -> tuple[float, float]:
    """Return the values between which the median lies with 95 % (order statistics)."""
    ordered, n = sorted(ratios), len(ratios)
    away = 0.98 * math.sqrt(n)  # 1.96 standard deviations of the number below the median
    return (
        ordered[max(math.floor(n / 2 - away), 0)],
        ordered[min(math.ceil(n / 2 + away), n - 1)],
    )


def _seconds(words: list[str]) -> float:
    began = perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return perf_counter() - began


def measure(options: tuple[str, ...], pairs: int) -> dict[str, list[float]]:
    """Return the ratios of each command; the first pair of each does not count."""
    found: dict[str, list[float]] = {one: [] for one in COMMANDS}
    for _ in range(pairs + 1):
        for command, ratios in found.items():
            alone = _seconds(["-c", "pass"])
            ratios.append(_seconds(["-m", "filterd", *command.split(), *options]) / alone)
    return {command: ratios[1:] for command, ratios in found.items()}


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pairs", type=int, default=30)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        config = write_site(folder / "site", port=free_port(), more=_ZONE)
        build_lists(config, folder / "state")
        with serving(config, folder / "state") as daemon:
            found = measure(daemon.options, pairs)
    print(f"a command, in times of `python -c pass` ({pairs} pairs, {os.cpu_count()} cores)")
    for command, ratios in found.items():
        low, high = interval(ratios)
        figure = f"{statistics.median(ratios):5.1f} ({low:.1f} to {high:.1f})"
        print(f"  filterd {command:32} {figure}, goal {GOAL}")


if __name__ == "__main__":
    main()
