# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure nights of followed lists: CPU and memory of each stage, for made-up names.

Run ``python -m tests.bench.followed_night``; ``--names 5000000`` for more. Five lists in the
usual formats come from an HTTPS server on loopback; then half a percent of the names of each
changes, so that all five are fetched and read anew. No daemon runs.

Seconds are CPU time: of this process's main thread (the server has another) and of the two
children. As machines differ, the last column has them in units of one ``sort`` of the same
names in the same run. Memory is the most that one process of a stage has held.

Goals (issue: lists that really filter): a night of a million names in 10 s and 300 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from filterd.base.clock import SystemClock
from filterd.base.paths import shipped
from filterd.base.state_folder import StateFolder
from filterd.config.lists_build import build_lists
from filterd.feed import guard
from filterd.feed.appliance_files import Wanted
from filterd.feed.feed_config import own_source
from filterd.feed.followed import followed_arrival
from filterd.feed.followed.followed_arrival import FollowedArrival
from filterd.feed.sync import SiteFeed
from filterd.feed.version_watch import Daemon
from filterd.lists.index_files import Blocklists
from tests.support.processes import family
from tests.support.web import Page, Web, public_server

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS = {
    "hosts": ("ads-trackers", "hosts", 0.10, "0.0.0.0 {}\n"),
    "ads": ("ads-trackers", "domains", 0.25, "{}\n"),
    "adult": ("porn", "domains", 0.35, "{}\n"),
    "bets": ("gambling", "wildcard", 0.12, "*.{}\n"),
    "threats": ("malware", "adblock", 0.18, "||{}^\n"),
}
"""Each: its category, its format, its share of the names, and one line."""
CHURN = 0.005
_SYLLABLES = ("ba", "da", "gu", "ho", "ki", "la", "me", "ni", "po", "ru", "so", "ta", "vi", "xo")
_SUFFIXES = ("com", "com", "com", "net", "org", "top", "vip", "club", "vn", "com.vn", "co.uk")


def made_name(rng: random.Random) -> str:
    """Return a name like those of lists: a quarter with digits, a quarter beneath a host."""
    label = "".join(rng.choices(_SYLLABLES, k=rng.randint(3, 9)))
    label += str(rng.randint(1, 9999)) if rng.random() < 0.25 else ""
    host = rng.choice(("www.", "m.", "cdn.", "")) if rng.random() < 0.33 else ""
    return f"{host}{label}.{rng.choice(_SUFFIXES)}"


class Stages:
    """CPU and peak memory by stage, in the order in which they end."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float]] = []

    def around(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``work``, measured with the children that it starts."""

        def measured(*given: Any, **named: Any) -> Any:
            began = _cpu_s()
            with _Peak() as peak:
                try:
                    return work(*given, **named)
                finally:
                    self.rows.append((stage, _cpu_s() - began, peak.megabytes))

        return measured


class _Peak(threading.Thread):
    """Watches the peak memory of children, 100 times a second; ``megabytes`` of the largest."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes, self._ended = 0.0, threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        here = Path("/proc/self/cmdline").read_bytes()
        while not self._ended.wait(0.01):
            for pid in family(os.getpid()):
                with contextlib.suppress(OSError, ValueError, IndexError):
                    if Path(f"/proc/{pid}/cmdline").read_bytes() != here:  # else it is still a fork
                        text = Path(f"/proc/{pid}/status").read_text()
                        octets = int(text.split("VmHWM:")[1].split()[0])
                        self.megabytes = max(self.megabytes, octets / 1024)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.thread_time() + children.ru_utime + children.ru_stime


def sort_s(lists: dict[str, list[str]], folder: Path) -> float:
    """Return the CPU seconds of a ``sort`` of all names."""
    file = folder / "names"
    file.write_text("".join(f"{one}\n" for names in lists.values() for one in names))
    began = _cpu_s()
    subprocess.run(
        ["sort", "--parallel=1", "-o", file, file],
        check=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return _cpu_s() - began


def measure(count: int, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Print the table."""
    rng = random.Random(1)
    lists = {
        one: list(dict.fromkeys(made_name(rng) for _ in range(int(share * count))))
        for one, (_, _, share, _) in LISTS.items()
    }
    unit = sort_s(lists, folder)
    clock = SystemClock()
    config, state = folder / "site", StateFolder(folder / "state")
    config.mkdir()
    state.feed.mkdir(parents=True)
    (config / "site.yaml").write_text("school: {name: Mẫu}\nupstreams: [192.0.2.53]\n")
    build_lists(config, Blocklists(shipped("blocklists")), state.index, now=clock.wall())
    site = SiteFeed(config, state, clock, Daemon())
    with public_server(Web(), folder, patch) as web:
        sources = tuple(
            own_source(Wanted(one, f"{web.address}/{one}", category, form))
            for one, (category, form, _, _) in LISTS.items()
        )
        for night in ("first night", f"{CHURN:.1%} changed", "nothing changed"):
            stages = Stages()
            with pytest.MonkeyPatch.context() as around:
                for where, name, stage in (
                    (followed_arrival, "fetch_sources", "fetch, judge texts"),
                    (followed_arrival, "make_in_child", "merge, families"),
                    (guard, "judge", "compile, guard"),
                ):
                    around.setattr(where, name, stages.around(stage, getattr(where, name)))
                for one, (_, _, _, line) in LISTS.items():
                    web.pages[f"/{one}"] = Page("".join(map(line.format, lists[one])).encode())
                arrival = FollowedArrival(sources, state.feed, site.versions, clock)
                with site.holding():
                    run = stages.around("all", site.sync)
                    outcome = run(arrival)
            print(f"{night}: {outcome.became.value}, {outcome.names:,} names")
            for stage, seconds, megabytes in stages.rows:
                memory = f"{megabytes:.0f} MB" if megabytes else "no child"
                print(f"  {stage:20}{seconds:8.2f} s{memory:>10}{seconds / unit:8.1f} sorts")
            if night == "first night":
                for names in lists.values():
                    for place in rng.sample(range(len(names)), int(CHURN * len(names))):
                        names[place] = made_name(rng)
    print(f"one sort: {unit:.2f} s")


def main() -> None:
    """Measure, in a folder of its own."""
    parser = argparse.ArgumentParser(description="Measure nights of followed lists.")
    parser.add_argument("--names", type=int, default=1_000_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        measure(chosen.names, Path(folder), patch)


if __name__ == "__main__":
    main()
