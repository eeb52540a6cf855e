# SPDX-License-Identifier: Apache-2.0
"""Measure the CPU time of an upstream question over TLS and over UDP.

Run ``python -m tests.bench.tls [questions]``. The upstream is an Unbound in a process of
its own; every question has another qname, so nothing is shared.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, NamedTuple

import dns.zone
import uvloop

from filterd.base.clock import SystemClock
from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream import Forwarder, Route, UpstreamQuestion
from filterd.upstream.tls import TlsConnections
from filterd.upstream.upstream_question import NO_SERVERS
from filterd.wire import name as names
from tests.support.daemon import free_port
from tests.support.tls import NAME, Authority
from tests.support.unbound import unbound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

QUESTIONS = 20_000
AT_A_TIME = 50
HANDSHAKES = 200
ZONE = dns.zone.from_text("@ 60 IN SOA ns root 1 1 1 1 1\n@ NS ns\n* A 198.18.0.1", "lab.vn")


class Cost(NamedTuple):
    """CPU time and questions a second."""

    cpu_us: float
    a_second: float


async def measured(ask: Callable[[int], Awaitable[object]], times: int, at_a_time: int) -> Cost:
    """Ask ``times`` questions, several at a time."""
    numbers = iter(range(times))

    async def one_after_another() -> None:
        for number in numbers:
            await ask(number)

    began_at, cpu_s = perf_counter(), process_time()
    await asyncio.gather(*[one_after_another() for _ in range(at_a_time)])
    cpu_us = (process_time() - cpu_s) / times * 1e6
    return Cost(cpu_us, times / (perf_counter() - began_at))


def _question(number: int, route: Route = NO_SERVERS) -> UpstreamQuestion:
    return UpstreamQuestion(names.from_text(f"n{number}.lab.vn"), 1, False, False, route)


async def of_questions(server: UpstreamServer, questions: int, at_a_time: int) -> Cost:
    """Measure questions to a server, on connections that are open."""
    forwarder = Forwarder(SystemClock())
    route = Route((server,))
    await forwarder.resolve(_question(questions, route))
    cost = await measured(lambda n: forwarder.resolve(_question(n, route)), questions, at_a_time)
    forwarder.close()
    await asyncio.sleep(0.1)
    return cost


async def of_handshakes(server: UpstreamServer) -> Cost:
    """Measure a question on a connection of its own; the machine's authorities are read once."""
    asking = TlsConnections(SystemClock())
    await asking.ask(server, _question(0), edns=True)
    trust = asking._trust

    async def ask(number: int) -> None:
        fresh = TlsConnections(SystemClock())
        fresh._trust = trust
        await fresh.ask(server, _question(number), edns=True)
        fresh.close()

    cost = await measured(ask, HANDSHAKES, 1)
    asking.close()
    await asyncio.sleep(0.1)
    return cost


def main() -> None:
    """Print a row for each way to ask."""
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        os.environ["SSL_CERT_FILE"] = str(authority.certificate)
        shown, port = authority.issue(), free_port()
        by_tls = (
            f"    interface: 127.0.0.1@{port}\n    tls-port: {port}\n"
            f'    tls-service-key: "{shown.key}"\n    tls-service-pem: "{shown.chain}"\n'
        )
        with unbound(Path(folder) / "unbound", zones={"lab.vn.": ZONE}, more=by_tls) as running:
            plain = UpstreamServer("127.0.0.1", running.port)
            strict = UpstreamServer("127.0.0.1", port, Tls.STRICT, NAME)
            for way, server in (("by UDP", plain), ("by TLS", strict)):
                for at_a_time in (1, AT_A_TIME):
                    cost = uvloop.run(of_questions(server, questions, at_a_time))
                    _print(f"{way}, {at_a_time} at a time", cost)
            _print("by TLS, a handshake each", uvloop.run(of_handshakes(strict)))


def _print(what: str, cost: Cost) -> None:
    sys.stdout.write(f"{what:<28}{cost.cpu_us:>8.1f} us CPU{cost.a_second:>10.0f} a second\n")


if __name__ == "__main__":
    main()
