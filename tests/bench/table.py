# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Print one table: filterd beside the installed filters of Debian.

Run ``python -m tests.bench.table``; it needs gcc, taskset and dnsperf, and takes
some ten minutes. With ``--names 100000 --seconds 1 --rounds 1`` it takes one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import index_figures, latency, measuring, reloads
from tests.bench.peers import HERE, PEERS, At, Filterd, Peer
from tests.bench.questions import Questions
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NEEDED = {"gcc": "gcc", "dnsperf": "dnsperf", "taskset": "util-linux"}
_OPEN = "www.open.example.com"
_QUESTIONS_A_SECOND = 100_000
_EDNS, _SOURCES = "cached, with EDNS", "cached, 2,000 addresses"

SYNTHETIC = (
    "Synthetic: made names (2 to 4 labels), an upstream on the same machine that answers at once,\n"
    "loopback only, as many questions as are answered. Not shown: a network, a Raspberry Pi,\n"
    "several workers, TCP. filterd keeps its log as it ships; the peers keep none."
)


class Effort(NamedTuple):
    """How much is measured."""

    names: int
    seconds: int
    rounds: int
    reloads: int


class Bench(NamedTuple):
    """What all peers are measured with."""

    effort: Effort
    at: At
    listed: list[str]
    names: Path
    folder: Path
    generator: Path


def measure(peer: Peer, bench: Bench) -> dict[str, float]:
    """Start a peer, measure it, end it; figures by the title of their row."""
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    command = peer.prepare(bench.names, bench.at, folder)
    log, name = folder / "log", bench.listed[-1]
    measuring.must_be_free(bench.at)
    started = time.perf_counter()
    with measuring.running([*measuring.SERVING, *command], log) as pid:
        starting = measuring.seconds_to_block(bench.at, name, started, log)
        if measuring.ask(bench.at, _OPEN, 2) != 0:
            raise SystemExit(f"{peer.name} does not answer {_OPEN}; it said: {log.read_text()}")
        figures = {"start to first blocked answer, s": starting}
        figures |= loads(pid, bench)
        held = measuring.memory(pid)
        figures["memory, private, MB"] = held.private_mb
        figures["memory, mapped files, MB"] = held.mapped_mb
        file = Questions(bench.listed, folder).of("school", _QUESTIONS_A_SECOND)
        for what, change in peer.changes().items():
            cost = reloads.cost_of(
                partial(change, pid), bench.at, (name, _OPEN), file, bench.effort.reloads
            )
            figures[f"worst answer over a quiet run, new {what}, ms"] = cost.over_quiet_ms
            figures[f"lost or wrong, new {what}"] = cost.failed
        figures["memory after reloads, private, MB"] = measuring.memory(pid).private_mb
    shutil.rmtree(folder)
    return figures


def loads(pid: int, bench: Bench) -> dict[str, float]:
    """Return microseconds of CPU a question for each mix."""
    effort, at = bench.effort, bench.at
    asked = Questions(bench.listed, bench.folder)
    measuring.dnsperf(at, asked.warming(), 60, "-n", "1")

    def of(mix: str) -> float:
        def load() -> int:
            file = asked.of(mix, _QUESTIONS_A_SECOND * effort.seconds)
            return measuring.dnsperf(at, file, effort.seconds)

        return measuring.cpu_us(pid, load, effort.rounds)

    figures = {title(mix): of(mix) for mix in ("blocked", "cached")}
    # Before the misses: dnsdist's cache takes nothing new in once it is full.
    file = asked.of("cached", _QUESTIONS_A_SECOND)
    edns = partial(measuring.dnsperf, at, file, effort.seconds, "-e")
    edns()  # a message with EDNS is another one to a cache of messages
    figures[title(_EDNS)] = measuring.cpu_us(pid, edns, effort.rounds)
    queries = [a_query(line.split()[0]) for line in file.read_text().split("\n")[:64]]
    many = partial(measuring.many_sources, bench.generator, at, queries, effort.seconds)
    figures[title(_SOURCES)] = measuring.cpu_us(pid, many, effort.rounds)
    figures |= {title(mix): of(mix) for mix in ("miss", "school")}
    return figures


def title(mix: str) -> str:
    """Return the title of a mix's row."""
    return f"CPU a question, {mix}, µs"


def show(results: dict[str, dict[str, float]]) -> None:
    """Print all figures, and in the last column ours as a ratio to the best peer's."""
    names = list(results)
    others = [name for name in names if not name.startswith("filterd")]
    print("| figure | " + " | ".join(names) + " | filterd : best peer |")
    print("|" + " --- |" * (len(names) + 2))
    for row in results["filterd"]:
        cells = [f"{results[name][row]:.2f}" if row in results[name] else "-" for name in names]
        best = min((results[name][row] for name in others if row in results[name]), default=0.0)
        ratio = f"{results['filterd'][row] / best:.2f}" if best else "-"
        print(f"| {row} | " + " | ".join(cells) + f" | {ratio} |", flush=True)


def show_index(names: Path, folder: Path, compile_s: float) -> None:
    """Print what concerns the compiled list alone."""
    figures = index_figures.measure(names, folder)
    octets = sum(figures.octets.values()) - figures.octets["set_ids"]
    print("\n| the index of the same names | |\n| --- | --- |")
    print(f"| the command from list to index | {compile_s:.1f} s |")
    print(f"| compiling: time, peak memory | {figures.compile_s:.1f} s, {figures.peak_mb:.0f} MB |")
    print(f"| opening; checking all of it | {figures.open_ms:.2f}; {figures.verify_ms:.0f} ms |")
    print(f"| octets a name | {octets / figures.names:.1f} |")
    for kind in figures.single:
        each = f"{figures.single[kind]:.0f}, {figures.together[kind]:.0f} ns"
        print(f"| native lookup, {kind}: one by one, in batches | {each} |")


def build(source: str, folder: Path) -> Path:
    """Compile a helper."""
    target = folder / source.removesuffix(".c")
    subprocess.run(["gcc", "-O2", "-o", str(target), str(HERE / source)], check=True)
    return target


def check_needs() -> None:
    """End with what to install where something is missing."""
    missing = [package for program, package in _NEEDED.items() if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"the table needs more: sudo apt install {' '.join(missing)}")
    if len(measuring.CORES) == 1:
        raise SystemExit("the table needs two cores: one serves and one asks")


@contextlib.contextmanager
def the_setting(
    about: str | None, arguments: Sequence[str] | None = None
) -> Iterator[tuple[list[str], Path, Path]]:
    """Let an upstream run for a bench of its own; give the listed names, their file, a folder."""
    parser = argparse.ArgumentParser(description=(about or "").split("\n\n")[0])
    parser.add_argument("--names", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    check_needs()
    with tempfile.TemporaryDirectory() as where:
        folder, at = Path(where), At()
        names, listed = folder / "names.txt", list(index_figures.made_names(given.names))
        names.write_text("\n".join(listed) + "\n", encoding="ascii")
        stub = [str(build("upstream.c", folder)), at.upstream, str(at.upstream_port)]
        with measuring.running([*measuring.ASKING, *stub], folder / "stub.log"):
            yield listed, names, folder


def main() -> None:
    """Measure every peer that is here and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reloads", type=int, default=5)
    effort = Effort(**vars(parser.parse_args()))
    check_needs()
    with tempfile.TemporaryDirectory() as where:
        folder, at = Path(where), At()
        names = folder / "names.txt"
        listed = list(index_figures.made_names(effort.names))
        names.write_text("\n".join(listed) + "\n", encoding="ascii")
        bench = Bench(effort, at, listed, names, folder, build("generator.c", folder))
        stub = [str(build("upstream.c", folder)), at.upstream, str(at.upstream_port)]
        with measuring.running([*measuring.ASKING, *stub], folder / "stub.log"):
            results = {one.name: measure(one, bench) for one in PEERS if not one.missing()}
            for name, figures in latency.measure(latency.usual(), listed, names, folder).items():
                results[name] |= figures
        cores, load = os.cpu_count(), os.getloadavg()[0]
        print(f"{effort.names:,} names; {platform.machine()}, {cores} cores, load {load:.1f}\n")
        show(results)
        compiled = next(one.compile_s for one in PEERS if isinstance(one, Filterd))
        show_index(names, folder, compiled)
        print(f"\nNot installed: {', '.join(p.name for p in PEERS if p.missing()) or 'none'}.")
        print(SYNTHETIC)


if __name__ == "__main__":
    main()
