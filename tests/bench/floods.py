# SPDX-License-Identifier: Apache-2.0
"""Measure the answers of honest clients during a flood, with a real daemon.

Run ``python -m tests.bench.floods``; it needs a C compiler, CAP_NET_RAW and two cores,
and takes two minutes. The flood has a core of its own. It prints the reached loads,
because a generator on the same machine limits them, and how long the daemon waited for
its core: on a busy machine ``FILTERD_FLOOD_FIRST=1`` gives the daemon and the honest
clients priority.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

import dns.message
import dns.rrset

from tests.bench.honest import HonestClients, Outcome
from tests.support.bell import ring
from tests.support.commands import run
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVING_CORE, ASKING_CORE = 0, 1
SECONDS = float(os.environ.get("FILTERD_FLOOD_SECONDS", "10"))
FIRST = os.environ.get("FILTERD_FLOOD_FIRST") == "1"
SOURCES = 10_000
HONEST = [f"127.0.{grade}.{host}" for grade in range(1, 11) for host in range(10, 15)]
TEACHER = "127.0.100.7"
BLOCKED, CACHED = a_query("porn.blocked.filterd.example"), a_query("www.example.com")
ROW = "{:<44}{:>13}{:>12}{:>10}{:>10}{:>10}{:>8}\n"
FORBIDDEN = "198.18.0.66"


@dataclass
class Bench:
    """The daemon under test and what asks it."""

    port: int
    pids: list[int]
    generator: Path
    upstream: FakeUpstream
    state: Path
    unfiltered: int = 0
    rows: list[str] = field(default_factory=list)

    def honest(self, sources: list[str], seconds: float, **settings: float) -> Outcome:
        """Let clients ask and count what was not filtered."""
        clients = HonestClients(
            ("127.0.0.1", self.port),
            sources,
            [BLOCKED, CACHED],
            must_block=frozenset([BLOCKED[2:]]),
            forbidden=IPv4Address(FORBIDDEN).packed,
            **settings,  # type: ignore[arg-type]
        )
        outcome = clients.run(seconds)
        self.unfiltered += outcome.unfiltered
        return outcome

    def generate(self, mode: str, first: str, sources: int, how: float, query: bytes) -> _Asking:
        """Start the generator."""
        words = [mode, "127.0.0.1", self.port, first, sources, how, SECONDS, query.hex()]
        ordinary = ["chrt", "--other", "0"] if FIRST else []
        return _Asking([*ordinary, str(self.generator), *map(str, words)])

    def memory_octets(self) -> int:
        """Return how much of the daemon is resident."""
        total = 0
        for pid in self.pids:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            total += 1024 * int(status.partition("VmRSS:")[2].split()[0])
        return total

    def datagrams(self) -> Counter[str]:
        """Return the daemon's counters of datagrams."""
        status = run("status", "--json", "--state", self.state)
        assert status.code == 0, status.err
        return Counter(json.loads(status.out)["datagrams"])

    def scheduled_s(self) -> tuple[float, float]:
        """Return how long the daemon has run, and has waited while others ran on its core."""
        texts = [Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii") for pid in self.pids]
        ran, waited = (sum(int(text.split()[field]) for text in texts) for field in (0, 1))
        return ran / 1e9, waited / 1e9

    def drops(self) -> int:
        """Return how many datagrams the kernel had no room for."""
        lines = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()
        local = f":{self.port:04X}"
        return sum(int(line.split()[-1]) for line in lines[1:] if line.split()[1].endswith(local))


class _Asking:
    """A generator at work."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def result(self) -> list[int]:
        """Wait for its end and return what it printed."""
        out, _ = self._process.communicate()
        assert self._process.returncode == 0, "the generator failed; it needs CAP_NET_RAW"
        return [int(one) for one in out.split()]


def say(what: str, load: float, outcome: Outcome, drops: int) -> None:
    """Print a row."""
    percentiles = (f"{outcome.percentile_ms(share):.1f}" for share in (0.5, 0.99))
    shares = (f"{outcome.share:.2%}", f"{outcome.within(1):.2%}")
    sys.stdout.write(ROW.format(what, f"{load:,.0f}", *shares, *percentiles, f"{drops:,}"))


def capacity(bench: Bench, query: bytes) -> float:
    """Return how many questions a second 500 clients get answered."""
    answered, lost = bench.generate("load", "127.9.0.1", 500, 2, query).result()
    sys.stdout.write(f"{answered / SECONDS:,.0f} a second answered ({lost} lost)\n")
    return answered / SECONDS


def flood(
    bench: Bench, what: str, first: str, sources: int, rate: float, honest: list[str], **how: float
) -> None:
    """Flood while clients ask; return their results, and the memory."""
    before, drops, counted = bench.memory_octets(), bench.drops(), bench.datagrams()
    peak, ran, start = [before], bench.scheduled_s(), perf_counter()
    generator = bench.generate("flood", first, sources, rate, CACHED)
    with _watching(bench, peak):
        outcome = bench.honest(honest, SECONDS - 0.5, **how)
    (sent,) = generator.result()
    took = perf_counter() - start
    own, others = (after - at for after, at in zip(bench.scheduled_s(), ran, strict=True))
    say(what, sent / SECONDS, outcome, bench.drops() - drops)
    became = bench.datagrams() - counted
    sys.stdout.write(
        f"    daemon: ran {own / took:.0%}, waited for its core {others / took:.0%}, memory "
        f"+{(peak[0] - before) / 2**20:.1f} MB; honest answers by TCP: {outcome.by_tcp}\n"
        f"    datagrams: {', '.join(f'{n:,} {name}' for name, n in became.items())}\n"
    )


@contextlib.contextmanager
def _watching(bench: Bench, peak: list[int]) -> Iterator[None]:
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            peak[0] = max(peak[0], bench.memory_octets())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def measure(bench: Bench) -> None:
    """Do it all."""
    sys.stdout.write("capacity, blocked: ")
    blocked = capacity(bench, BLOCKED)
    sys.stdout.write("capacity, cached: ")
    cached = capacity(bench, CACHED)
    most = max(blocked, cached)
    sys.stdout.write(ROW.format("", "load/s", "answered", "try 1", "p50 ms", "p99 ms", "drops"))
    say("50 clients, 5/s each, nothing else", 250, bench.honest(HONEST, SECONDS), 0)
    flood(bench, "(a) one source, 5 x capacity", "127.8.0.1", 1, 5 * most, HONEST)
    say("    after it", 250, bench.honest(HONEST, 5), 0)
    flood(bench, f"(b) {SOURCES} sources, 20 x capacity", "127.16.0.0", SOURCES, 20 * most, HONEST)
    say("    0 to 5 s after it", 250, bench.honest(HONEST, 5), 0)
    say("    5 to 10 s after it", 250, bench.honest(HONEST, 5), 0)
    flood(bench, f"(b) {SOURCES} sources, all it can", "127.16.0.0", SOURCES, 0, HONEST)
    say("    0 to 5 s after it", 250, bench.honest(HONEST, 5), 0)
    bench.honest([TEACHER], 6)
    how = {"most_tries": 2, "a_second": 10.0}
    flood(bench, "(c) with the teacher's address, 5 x", TEACHER, 1, 5 * most, [TEACHER], **how)
    names = [f"bell{number}.example.org" for number in range(10)]
    asked = len(bench.upstream.asked)
    sources = [f"127.32.{number >> 8}.{number & 255}" for number in range(2000)]
    with ProcessPoolExecutor(1) as another:  # here the upstream, a thread, would be slow
        rung = another.submit(ring, ("127.0.0.1", bench.port), sources, names).result()
    sys.stdout.write(
        f"(d) lesson bell: 2,000 clients x 10 names sent within {rung.sent_within_s * 1000:.0f} "
        f"ms, {rung.lost} of 20,000 lost, the last answer after {rung.last_after_s:.2f} s, "
        f"{len(bench.upstream.asked) - asked} questions upstream\n"
    )
    sys.stdout.write(f"unfiltered answers to a name that must be blocked: {bench.unfiltered}\n")


def answer(query: dns.message.Message) -> dns.message.Message:
    """Answer every name with the address that no blocked name may get."""
    response = dns.message.make_response(query, recursion_available=True)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 3600, "IN", "A", FORBIDDEN))
    return response


def descendants(pid: int) -> list[int]:
    """Return a process and its children, theirs too."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += descendants(int(child))
    return found


def main() -> None:
    """Build the generator, start the daemon, print a table."""
    with tempfile.TemporaryDirectory() as folder, FakeUpstream(respond=answer) as upstream:
        where = Path(folder)
        generator = where / "generator"
        source = Path(__file__).with_name("generator.c")
        subprocess.run(["gcc", "-O2", "-o", str(generator), str(source)], check=True)
        port = free_port()
        config = write_site(
            where / "site", port=port, upstream=upstream.port, more="allow_from: [127.0.0.0/8]\n"
        )
        state = build_lists(config, where / "state").folder
        os.sched_setaffinity(0, {SERVING_CORE})  # inherited by the daemon
        if FIRST:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        with serving(config, state) as served:
            os.sched_setaffinity(0, {ASKING_CORE})
            sleep(1)
            bench = Bench(port, descendants(served.process.pid), generator, upstream, state)
            started = perf_counter()
            measure(bench)
            sys.stdout.write(f"{perf_counter() - started:.0f} s\n")
            errors = [line for line in served.log if re.search("ERROR|Traceback", line)]
            sys.stdout.write("".join(f"{line}\n" for line in errors))


if __name__ == "__main__":
    main()
