# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure the index: octets a name, compile time and memory, opening, and lookups.

Run ``python -m tests.bench.index_figures --names 1000000 5000000``. Names are generated,
the same in every run; ``--list FILE`` measures a published list (format ``domains``)
instead. Each compilation runs in a process of its own, so that its peak memory is its
own. Lookups are timed in three ways, each the best of several rounds, without the cost
of its loop:

single
    One after the other in C, without Python objects, each begun when the one before is
    decided. Its two waits for memory, for slots and then for a block, cannot overlap,
    so the load of the machine shows here first.
python
    Call by call from Python, with the ``Hit`` objects that this makes.
together
    Many in one call, with overlapping waits for memory, as a listener with a batch of
    datagrams can: prefetch across the batch is counted here.

The goals (a lookup of four labels in 120 ns at a million names, at most half more at five
million) are marked where they are checked: ``single`` without prefetch across a batch,
``together`` with it.

Beside them are the pure twin and the same walk through a Python ``dict``. Names are
distinct and in random order, so nearly every lookup waits for memory.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.native import live_only
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.matcher import Matcher as PureMatcher
from filterd.lists.rules import ListSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SAMPLE = 250_000
_ROUNDS = 9
_ROOT = b"\0"
_GOALS = {"hit, 4 labels", "miss, 4 labels"}
_HOSTS = ("www", "m", "ads", "cdn", "track", "img", "api", "login", "static", "mail", "shop")
_SUFFIXES = ("com", "net", "org", "vn", "com.vn", "info", "xyz", "top", "de", "co.uk", "ru", "club")


class Figures(NamedTuple):
    """What was measured for one list; nanoseconds by kind of lookup."""

    names: int
    octets: dict[str, int]
    compile_s: float
    peak_mb: float
    open_ms: float
    verify_ms: float
    single: dict[str, float]
    python: dict[str, float]
    together: dict[str, float]
    pure: dict[str, float]
    through_dict: dict[str, float]


def made_names(count: int) -> Iterator[str]:
    """Give distinct names that are like those of block lists.

    Two thirds stand for themselves, the others are families: hosts of one
    domain, or one word with many numbers, as gambling sites have them.
    """
    rng = random.Random(20240907)
    syllables = [a + b + c for a in "bcdghklmnprstv" for b in "aeiou" for c in ("", "", "n", "r")]
    words = ["".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3)))) for _ in range(100_000)]
    seen, weights = set[str](), range(len(_SUFFIXES), 0, -1)
    while len(seen) < count:
        first, second = (words[int(len(words) * rng.random() ** 2)] for _ in range(2))
        label = f"{first}{rng.choice(('', '', '-'))}{second}"
        for name in family(rng, label, rng.choices(_SUFFIXES, weights)[0]):
            if name not in seen and len(seen) < count:
                seen.add(name)
                yield name


def family(rng: random.Random, label: str, ending: str) -> list[str]:
    """Return the names that one list would hold together."""
    kind, domain = rng.random(), f"{label}.{ending}"
    if kind < 0.10:
        hosts = [f"{rng.choice(_HOSTS)}{rng.randrange(20)}.{domain}" for _ in range(4)]
        return [domain, *hosts, f"{rng.choice(_HOSTS)}.{rng.choice(_HOSTS)}.{domain}"]
    if kind < 0.18:
        return [f"{label}{rng.randrange(1000)}.{ending}" for _ in range(6)]
    if kind < 0.40:
        return [f"{rng.choice(_HOSTS)}.{domain}"]
    return [domain]


def wire(name: str) -> bytes:
    """Return a name in wire form."""
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"


def questions(names: list[str]) -> dict[str, list[bytes]]:
    """Make the kinds of lookups: listed names and new ones, as they come and of four labels."""
    rng = random.Random(7)
    drawn = rng.sample(names, min(_SAMPLE, len(names)))
    four = [".".join(("a1.b2.c3." + name).split(".")[-4:]) for name in drawn]
    letters = "abcdefghijklmnopqrstuvwxyz"
    fresh = ["".join(rng.choices(letters, k=9)) for _ in drawn]
    endings = [name.rsplit(".", 1)[-1] for name in drawn]
    return {
        "hit": [wire(name) for name in drawn],
        "hit, 4 labels": [wire(name) for name in four],
        "miss": [wire(f"{new}.{end}") for new, end in zip(fresh, endings, strict=True)],
        "miss, 4 labels": [
            wire(f"www.cdn.{new}.{end}") for new, end in zip(fresh, endings, strict=True)
        ],
    }


def nanoseconds(lookup: Callable[[bytes], object], names: list[bytes], rounds: int) -> float:
    """Time one call, the best of some rounds, less the cost of the loop."""
    best = idle = float("inf")
    for _ in range(rounds):
        started = time.perf_counter_ns()
        for name in names:
            lookup(name)
        best = min(best, time.perf_counter_ns() - started)
        started = time.perf_counter_ns()
        for _name in names:
            pass
        idle = min(idle, time.perf_counter_ns() - started)
    return (best - idle) / len(names)


def in_one_call(count_hits: Callable[[list[bytes]], int], names: list[bytes]) -> float:
    """Time one lookup of many in one call, the best of some rounds, less the cost of the loop.

    Looking up the root, which no list can name, is nothing but the loop.
    """
    best = idle = float("inf")
    nothing = [_ROOT] * len(names)
    for _ in range(_ROUNDS):
        started = time.perf_counter_ns()
        count_hits(names)
        best = min(best, time.perf_counter_ns() - started)
        started = time.perf_counter_ns()
        count_hits(nothing)
        idle = min(idle, time.perf_counter_ns() - started)
    return (best - idle) / len(names)


def suffix_walk(listed: dict[bytes, int]) -> Callable[[bytes], list[int]]:
    """Return what one would write without an index: every ancestor looked up in a dict."""

    def lookup(name: bytes) -> list[int]:
        hits, at = [], 0
        while name[at]:
            if (rank := listed.get(name[at:])) is not None:
                hits.append(rank)
            at += 1 + name[at]
        return hits

    return lookup


def compile_apart(source: Path, target: Path) -> tuple[float, float]:
    """Compile in a process of its own; return seconds and peak megabytes."""
    command = [sys.executable, __file__, "--compile", str(source), str(target)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, peak_mb = json.loads(done.stdout)
    return seconds, peak_mb


def compile_here(source: Path, target: Path) -> None:
    """Compile and print seconds and peak megabytes as JSON; the other end of ``compile_apart``."""
    started = time.perf_counter()
    compile_lists([ListSource("bench", "ads", "domains", str(source))], target=target, now=0.0)
    seconds = time.perf_counter() - started
    status = Path("/proc/self/status").read_text()
    peak_kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    # Not getrusage: its peak begins with that of the process that started this one.
    print(json.dumps([seconds, int(peak_kb) / 1024]))


def timed_ms(action: Callable[[], object]) -> float:
    """Return the milliseconds that something takes, the best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
    return 1000 * best


def measure(source: Path, folder: Path) -> Figures:
    """Measure everything for one list."""
    target = folder / "index"
    seconds, peak_mb = compile_apart(source, target)
    index = Index.open(target)
    listed = {name: rank for rank, name in index.ranked_names()}
    asked = questions([name for name in source.read_text().splitlines() if name])
    pure = PureMatcher(target.read_bytes(), index._header)
    walk = suffix_walk(listed)
    few = {kind: names[: len(names) // 50] for kind, names in asked.items()}
    singly, overlapping = index.matcher.count_hits_singly, index.matcher.count_hits
    return Figures(
        len(index),
        index.sizes() | {"set_ids": index._header.set_width * len(index)},
        seconds,
        peak_mb,
        timed_ms(lambda: Index.open(target)),
        timed_ms(index.verify),
        {kind: in_one_call(singly, names) for kind, names in asked.items()},
        {kind: nanoseconds(index.matcher.lookup, names, _ROUNDS) for kind, names in asked.items()},
        {kind: in_one_call(overlapping, names) for kind, names in asked.items()},
        {kind: nanoseconds(pure.lookup, names, 1) for kind, names in few.items()},
        {kind: nanoseconds(walk, names, _ROUNDS) for kind, names in asked.items()},
    )


def show(figures: Figures) -> None:
    """Print one list's figures as a plain table."""
    count = figures.names
    state = "serves" if live_only("filterd.lists._matcher") else "is NOT live"
    print(f"\n{count:,} names; the native matcher {state}")
    octets = figures.octets
    for label, size in (
        ("names, front-coded, and padding", octets["blocks"] - octets["set_ids"]),
        ("routing: slots, set ids", octets["slots"] + octets["set_ids"]),
        ("provenance: lines", octets["lines"] + octets["line_offsets"]),
        ("everything", sum(octets.values()) - octets["set_ids"]),
    ):
        print(f"  {label:<40} {size / count:8.2f} octets a name")
    print(f"  {'compile':<40} {figures.compile_s:8.2f} s, peak {figures.peak_mb:.0f} MB")
    print(f"  {'open':<40} {figures.open_ms:8.2f} ms")
    print(f"  {'verify':<40} {figures.verify_ms:8.2f} ms")
    titles = ("single", "python", "together", "pure", "dict")
    print(f"  {'lookup, ns (* for the goals)':<40} {''.join(f'{title:>11}' for title in titles)}")
    for kind, single in figures.single.items():
        others = (figures.python, figures.together, figures.pure, figures.through_dict)
        mark = "*" if kind in _GOALS else " "
        python, together, *twins = (times[kind] for times in others)
        row = "".join(f"{times:11.0f}" for times in twins)
        print(f"    {kind:<38} {single:10.0f}{mark}{python:10.0f} {together:10.0f}{mark}{row}")


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, nargs="*", default=[1_000_000, 5_000_000])
    parser.add_argument("--list", type=Path, action="append", default=[])
    parser.add_argument("--compile", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compile:
        compile_here(*arguments.compile)
        return
    with tempfile.TemporaryDirectory() as folder:
        sources = list(arguments.list)
        for count in () if sources else arguments.names:
            sources.append(Path(folder, f"{count}.txt"))
            sources[-1].write_text("\n".join(made_names(count)))
        measured = [measure(source, Path(folder)) for source in sources]
    for figures in measured:
        show(figures)
    if len(measured) > 1:
        print("\n  last list to first: single (* for the goals), python, together")
        for kind in measured[0].single:
            ways = [(one.single[kind], one.python[kind], one.together[kind]) for one in measured]
            single, *others = (last / first for first, last in zip(ways[0], ways[-1], strict=True))
            mark = "*" if kind in _GOALS else " "
            python, together = others
            print(f"    {kind:<38} {single:10.2f}{mark}{python:10.2f} {together:10.2f}{mark}")


if __name__ == "__main__":
    main()
