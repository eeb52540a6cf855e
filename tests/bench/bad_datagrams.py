# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""What bad datagrams cost beside good ones: a real daemon on one core, who sends on another.

Run ``python -m tests.bench.bad_datagrams``; it needs a C compiler, CAP_NET_RAW and
two cores, and takes a minute. The figure is CPU time a datagram received, the
least of some rounds, and its ratio to that of a good one which the chain answers
from the cache: the dearest that a client can ask for without an upstream. The
limit on rates, which turns most of a flood away, is out of reach here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from pathlib import Path
from time import sleep
from typing import NamedTuple

import dns.edns

from tests.bench.measuring import ASKING, CORES, cpu_s
from tests.support.commands import run
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.malformed import QUERIES
from tests.support.upstream import FakeUpstream
from tests.support.wire import QUESTION, a_message, a_query

A_SECOND, SECONDS, ROUNDS = 15_000, 2, 3
TEACHER, NOBODY = "127.0.100.7", "127.200.0.1"
LIMIT = "rate_limit: {queries_a_second: 100000, burst: 1000000}\n"
UNKNOWN = [dns.edns.GenericOption(dns.edns.OptionType.make(65_001), b"")]
CACHED = "www.example.com"


class Kind(NamedTuple):
    """Datagrams of one kind, sent in turn, and whose address they bear."""

    messages: list[bytes]
    source: str = TEACHER


GOOD = {
    "repeated by the fast path": Kind([a_query(CACHED)]),
    "blocked by the fast path": Kind([a_query("porn.blocked.filterd.example")]),
    "cached, answered by the chain": Kind([a_query(CACHED, options=UNKNOWN)]),
}
BAD = {
    "malformed": Kind([message for message, _ in QUERIES.values()]),
    "a response": Kind([a_message(QUESTION, flags=0x8180)]),
    "eleven octets": Kind([a_query(CACHED)[:11]]),
    "of no octets": Kind([b""]),
    "oversized": Kind([a_query(CACHED) + bytes(5_000)]),
    "from who may not ask": Kind([a_query(CACHED)], NOBODY),
}
YARDSTICK = "cached, answered by the chain"


class Bench(NamedTuple):
    """The daemon under test and what sends to it."""

    port: int
    pid: int
    generator: Path
    state: Path

    def received(self) -> int:
        """Return how many datagrams the daemon has taken in."""
        told = run("status", "--json", "--state", self.state)
        assert told.code == 0, told.err
        return int(json.loads(told.out)["datagrams"]["received"])

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
        received, used = self.received(), cpu_s(self.pid)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        sleep(0.1)
        used = cpu_s(self.pid) - used
        return 1e6 * used / (self.received() - received)


def measure(bench: Bench) -> None:
    """Print a row for each kind."""
    costs = {
        what: min(bench.cost_us(kind) for _ in range(ROUNDS)) for what, kind in (GOOD | BAD).items()
    }
    print("| datagrams | CPU each, µs | ratio |\n| --- | --- | --- |")
    for what, cost in costs.items():
        name = what if what in GOOD else f"**{what}**"
        print(f"| {name} | {cost:.1f} | {cost / costs[YARDSTICK]:.2f} |")


def main() -> None:
    """Build the generator, start the daemon, print a table."""
    with tempfile.TemporaryDirectory() as folder, FakeUpstream() as upstream:
        upstream.add(f"{CACHED}. 300 IN A 192.0.2.1")
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
            measure(Bench(port, pid, generator, state))


if __name__ == "__main__":
    main()
