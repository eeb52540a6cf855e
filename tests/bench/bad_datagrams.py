# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure the cost of bad datagrams against good ones, with a real daemon.

Run ``python -m tests.bench.bad_datagrams``; it needs a C compiler, CAP_NET_RAW and two
cores, and takes two minutes. The figure is CPU time for each received datagram, the
least of some rounds, and its ratio to that of a good one which the fast path answers: no
bad one may cost more. The most expensive good one, which the chain answers from the
cache, is printed beside it. The rate limit, which rejects most of a flood, is out of
reach here. Ends with 1 if a bad one costs more than it may.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import tempfile
from pathlib import Path
from time import sleep
from typing import NamedTuple

import dns.edns

from filterd.fastpath.datagrams import LARGEST_QUERY
from tests.bench.measuring import ASKING, CORES
from tests.support.commands import run
from tests.support.cost_bombs import QUERIES as COST_BOMBS
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.malformed import QUERIES, refusal
from tests.support.processes import family
from tests.support.upstream import FakeUpstream
from tests.support.wire import QUESTION, a_message, a_query

A_SECOND, SECONDS, ROUNDS = 15_000, 1, 7
TEACHER, NOBODY = "127.0.100.7", "127.200.0.1"
LIMIT = "rate_limit: {queries_a_second: 100000, burst: 1000000}\n"
SHORTEST = 12
UNKNOWN = [dns.edns.GenericOption(dns.edns.OptionType.make(65_001), b"")]
CACHED = "www.example.com"


class Kind(NamedTuple):
    """Datagrams of one kind, sent in turn, and whose address they bear."""

    messages: list[bytes]
    source: str = TEACHER


def is_malformed(message: bytes) -> bool:
    """Return whether a message that fits a datagram is refused."""
    return len(message) <= LARGEST_QUERY and refusal(message) is not None


GOOD = {
    "repeated by the fast path": Kind([a_query(CACHED)]),
    "blocked by the fast path": Kind([a_query("porn.blocked.filterd.example")]),
    "cached, answered by the chain": Kind([a_query(CACHED, options=UNKNOWN)]),
}
BAD = {
    "malformed": Kind([message for message, _ in QUERIES.values() if len(message) >= SHORTEST]),
    "malformed, of 4096 octets": Kind([a_message(QUESTION).ljust(4_096, b"\0")]),
    "malformed, dear to read": Kind([one for one in COST_BOMBS.values() if is_malformed(one)]),
    "of another opcode": Kind([a_message(QUESTION, flags=0x2800)]),
    "a response": Kind([a_message(QUESTION, flags=0x8180)]),
    "eleven octets": Kind([a_query(CACHED)[:11]]),
    "of no octets": Kind([b""]),
    "oversized": Kind([a_query(CACHED) + bytes(5_000)]),
    "from who may not ask": Kind([a_query(CACHED)], NOBODY),
}
YARDSTICK = "repeated by the fast path"
NOISE = 1.1
"""What other work of the machine may add."""


class Bench(NamedTuple):
    """The daemon under test and what sends to it."""

    port: int
    pid: int
    generator: Path
    state: Path

    def received(self) -> int:
        """Return how many datagrams the daemon has taken in."""
        times = run("status", "--json", "--state", self.state)
        assert times.code == 0, times.err
        return int(json.loads(times.out)["datagrams"]["received"])

    def introduce(self) -> None:
        """Let the client that the good ones come from be known, and its name be cached."""
        with socket.socket(type=socket.SOCK_DGRAM) as asking:
            asking.bind((TEACHER, 0))
            asking.settimeout(5)
            for message in (kind.messages[0] for kind in GOOD.values()):
                for _ in range(3):
                    asking.sendto(message, ("127.0.0.1", self.port))
                    asking.recv(4096)

    def cost_us(self, kind: Kind) -> float:
        """Return microseconds of CPU a datagram."""
        self.introduce()
        words = ["flood", "127.0.0.1", self.port, kind.source, 1, A_SECOND, SECONDS]
        hexes = [message.hex() for message in kind.messages]
        command = [*ASKING, str(self.generator), *map(str, words), *hexes]
        received, used = self.received(), scheduled_s(self.pid)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        sleep(0.1)
        used = scheduled_s(self.pid) - used
        return 1e6 * used / (self.received() - received)


def scheduled_s(pid: int) -> float:
    """Return how long threads of a family have run, to the nanosecond."""
    total_ns = 0
    for one in family(pid):
        for times in Path(f"/proc/{one}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total_ns += int(times.read_text(encoding="ascii").split()[0])
    return total_ns / 1e9


def measure(bench: Bench) -> list[str]:
    """Print a row for each kind; return the bad ones that cost too much."""
    kinds = GOOD | BAD
    rounds = [{what: bench.cost_us(kind) for what, kind in kinds.items()} for _ in range(ROUNDS)]
    costs = {what: min(one[what] for one in rounds) for what in kinds}
    print("| datagrams | CPU each, µs | ratio |\n| --- | --- | --- |")
    for what, cost in costs.items():
        name = what if what in GOOD else f"**{what}**"
        print(f"| {name} | {cost:.1f} | {cost / costs[YARDSTICK]:.2f} |")
    return [what for what in BAD if costs[what] > NOISE * costs[YARDSTICK]]


def main() -> None:
    """Build the generator, start the daemon, print a table."""
    with tempfile.TemporaryDirectory() as folder, FakeUpstream() as upstream:
        upstream.add(f"{CACHED}. 300 IN A 198.18.0.1")
        where, port = Path(folder), free_port()
        generator, source = where / "generator", Path(__file__).with_name("generator.c")
        subprocess.run(["gcc", "-O2", "-o", str(generator), str(source)], check=True)
        allowed = LIMIT + "allow_from: [127.0.0.0/16]\n"
        config = write_site(where / "site", port=port, upstream=upstream.port, more=allowed)
        state = build_lists(config, where / "state").folder
        with serving(config, state) as served:
            pid = served.process.pid
            subprocess.run(
                ["taskset", "-acp", str(CORES[0]), str(pid)], check=True, stdout=subprocess.DEVNULL
            )
            dear = measure(Bench(port, pid, generator, state))
    if dear:
        raise SystemExit(f"dearer than a good one: {', '.join(dear)}")


if __name__ == "__main__":
    main()
