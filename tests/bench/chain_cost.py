# SPDX-License-Identifier: Apache-2.0
"""Measure the CPU time of a question in the chain, stage by stage.

Run ``python -m tests.bench.chain_cost [questions]``. The upstream is a process of its
own, so the rows of a miss contain the whole exchange on our side, with the kernel's
share and with fifty questions waiting at a time.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

import uvloop

from filterd.base.clock import SystemClock
from filterd.fastpath.coroutine_runner import Stepper
from filterd.policy.model import UpstreamServer
from filterd.resolve import pipeline
from filterd.resolve.links.cache import Background
from filterd.resolve.pipeline import ResolutionStore
from filterd.resolve.query import Peer, Query
from filterd.resolve.resolver import Resolver
from filterd.upstream import Forwarder, Route, UpstreamQuestion
from filterd.upstream.server_group import ServerHealth
from filterd.upstream.transport_set import Transports
from filterd.wire import assemble, parse_query, parse_response
from tests.support.policies import an_index
from tests.support.serving import GRADE_1, LISTS, SiteHolder, a_site
from tests.support.twins import MODULES
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.base.errors import UpstreamError
    from filterd.resolve.query import Answer
    from filterd.upstream import Resolution
    from filterd.upstream.socket_pool import SocketPool, UdpAttempt
    from filterd.wire import ParsedResponse

resolution_of = MODULES["extraction"][-1].resolution_of
QUESTIONS = 20_000
AT_A_TIME = 50
EXCHANGES = 100_000
"""More of them: a sampling kernel separates user and system time only roughly."""
ROUNDS = 5
PEER = Peer(GRADE_1)
ROW = "{:<44}{:>8.2f} us\n"

QUERY = a_query("www.example.com")
RESPONSE = a_response(
    QUERY,
    "www.example.com 300 CNAME a.b.example.net",
    "a.b.example.net 300 A 198.18.0.1",
    "a.b.example.net 300 A 198.18.0.2",
)
ASKED = UpstreamQuestion(b"\3www\7example\3com\0", 1, do=False, cd=False)


class Chain(NamedTuple):
    """A resolver and what it is made of."""

    resolver: Resolver
    forwarder: Forwarder
    background: Background[Answer]

    async def close(self) -> None:
        """End what goes on."""
        self.forwarder.close()
        await self.background.close()


def a_chain(folder: Path, port: int) -> Chain:
    """Build the chain of a school of three lists that asks this port."""
    clock, background = SystemClock(), Background["Answer"]()
    sites = SiteHolder(a_site(an_index(folder, LISTS), [UpstreamServer("127.0.0.1", port)]))
    forwarder = Forwarder(clock)
    links = pipeline.build(sites, ResolutionStore(), forwarder, clock, background)
    return Chain(Resolver(sites, links, clock), forwarder, background)


def cost_us(work: Callable[[], object], calls: int) -> float:
    """Return the CPU time of one call in microseconds: the least of several rounds."""
    return min(_round_us(work, calls) for _ in range(ROUNDS))


def _round_us(work: Callable[[], object], calls: int) -> float:
    began = process_time()
    for _ in range(calls):
        work()
    return (process_time() - began) / calls * 1e6


def codec_costs(calls: int) -> Iterator[tuple[str, float]]:
    """Measure reading and composing, which wait for nothing."""
    parsed = parse_query(QUERY)
    resolution = resolution_of(parse_response(RESPONSE), ASKED)
    sections = resolution.sections
    yield "parse_query", cost_us(lambda: parse_query(QUERY), calls)
    yield "parse_response (alias and two)", cost_us(lambda: parse_response(RESPONSE), calls)
    yield (
        "parse_response and resolution_of",
        cost_us(lambda: resolution_of(parse_response(RESPONSE), ASKED), calls),
    )
    yield "assemble", cost_us(lambda: assemble(parsed, sections, 0, age_s=1), calls)


async def answered(resolver: Resolver, message: bytes) -> bytes:
    """Return what is answered to a message."""
    admitted = resolver.admit(message, PEER)
    assert isinstance(admitted, Query)
    return await resolver.respond(admitted)


def answered_at_once(resolver: Resolver, message: bytes) -> object:
    """Admit a message and answer it, as a listener does: the coroutine is stepped by hand."""
    admitted = resolver.admit(message, PEER)
    assert isinstance(admitted, Query)
    try:
        resolver.respond(admitted).send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("it had to wait")


async def chain_costs(chain: Chain, calls: int) -> list[tuple[str, float]]:
    """Measure whole questions through the chain, without the listener."""
    resolver = chain.resolver
    await answered(resolver, QUERY)
    blocked = a_query("a.porn.example")
    return [
        ("admit", cost_us(lambda: resolver.admit(QUERY, PEER), calls)),
        ("admit and respond, cached", cost_us(lambda: answered_at_once(resolver, QUERY), calls)),
        ("admit and respond, blocked", cost_us(lambda: answered_at_once(resolver, blocked), calls)),
    ]


@contextmanager
def nothing_is_parsed() -> Iterator[None]:
    """Let every response that answers a question be the same one, taken apart beforehand."""
    response = parse_response(RESPONSE)
    resolution = resolution_of(response, ASKED)
    with (
        patch(
            "filterd.upstream.upstream_question.parse_response", lambda _: response
        ),  # both twins ask it
        ExitStack() as patched,
    ):
        for twin in MODULES["flights"]:
            patched.enter_context(patch.object(twin, "resolution_of", lambda *_, **__: resolution))
        yield


def some_questions(count: int) -> list[UpstreamQuestion]:
    """Return questions that are asked once each."""
    names = [b"\x08x%07d\x07example\x03com\0" % number for number in range(count)]
    return [UpstreamQuestion(name, 1, do=False, cd=False) for name in names]


async def exchange_cost(chain: Chain, port: int, questions: int) -> float:
    """Measure asking an upstream and reading its answer, by coroutines."""
    route = Route((UpstreamServer("127.0.0.1", port),))
    left = iter(some_questions(questions))

    async def one_after_another() -> None:
        for question in left:
            await chain.forwarder.resolve(question._replace(route=route))

    began = process_time()
    await asyncio.gather(*[one_after_another() for _ in range(AT_A_TIME)])
    return (process_time() - began) / questions * 1e6


async def callback_cost(chain: Chain, port: int, questions: int) -> tuple[float, float]:
    """Measure the same by callbacks: the user's share, the system's."""
    route, asked = Route((UpstreamServer("127.0.0.1", port),)), iter(some_questions(questions))
    left, everything = questions, asyncio.get_running_loop().create_future()
    ask = chain.forwarder.ask

    def next_one() -> None:
        question = next(asked, None)
        if question is not None:
            ask(question._replace(route=route), "192.0.2.1", done)

    def done(outcome: Resolution | UpstreamError) -> None:
        nonlocal left
        assert isinstance(outcome, tuple)
        left -= 1
        if not left:
            everything.set_result(None)
        next_one()

    return await _shares(next_one, everything, questions)


class Bare:
    """Asks by sockets alone: what an exchange costs without all that decides."""

    def __init__(self, pool: SocketPool, port: int, questions: int) -> None:
        self._pool, self._member = pool, ServerHealth(UpstreamServer("127.0.0.1", port))
        self._asked, self._left = iter(some_questions(questions)), questions
        self.everything: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_one(self) -> None:
        """Ask one more question."""
        question = next(self._asked, None)
        if question is not None:
            self._pool.ask(self, self._member, question, 0.0, edns=True, exact=False)

    def answered(self, attempt: UdpAttempt, response: ParsedResponse) -> None:  # noqa: ARG002
        """Take the answer."""
        self._left -= 1
        if not self._left:
            self.everything.set_result(None)
        self.next_one()

    def mismatched(self) -> None:
        """See what there is none of."""

    def mismatched_in_case(self, attempt: UdpAttempt) -> None:
        """See what there is none of."""

    def refused(self) -> None:
        """See what there is none of."""


async def bare_cost(port: int, questions: int) -> tuple[float, float]:
    """Measure the sockets alone: the user's share, the system's."""
    transports = Transports(SystemClock(), Counter())
    try:
        bare = Bare(transports.pool, port, questions)
        return await _shares(bare.next_one, bare.everything, questions)
    finally:
        transports.close()


async def _shares(
    next_one: Callable[[], None], everything: asyncio.Future[None], questions: int
) -> tuple[float, float]:
    began = getrusage(RUSAGE_SELF)
    for _ in range(AT_A_TIME):
        next_one()
    await everything
    ended = getrusage(RUSAGE_SELF)
    user_s, system_s = ended.ru_utime - began.ru_utime, ended.ru_stime - began.ru_stime
    return user_s / questions * 1e6, system_s / questions * 1e6


async def miss_cost(chain: Chain, questions: int) -> float:
    """Measure questions that were never asked before, from their octets to those of the answer."""
    query, stepper = a_query("m0000000.example.com"), Stepper()
    messages = iter([query.replace(b"m0000000", b"m%07d" % n) for n in range(questions)])
    left, everything = questions, asyncio.get_running_loop().create_future()

    def next_one() -> None:
        message = next(messages, None)
        if message is not None:
            admitted = chain.resolver.admit(message, PEER)
            assert isinstance(admitted, Query)
            stepper.run(chain.resolver.respond(admitted), done)

    def done(reply: bytes) -> None:
        nonlocal left
        assert reply[3] & 0xF == 0
        left -= 1
        if not left:
            everything.set_result(None)
        next_one()

    began = process_time()
    for _ in range(AT_A_TIME):
        next_one()
    await everything
    took = process_time() - began
    await stepper.close()
    return took / questions * 1e6


def shares(what: str, cost: tuple[float, float]) -> list[tuple[str, float]]:
    """Return rows of a cost of which the system has a share."""
    user, system = cost
    return [(what, user + system), ("  of that: user", user), ("  of that: system", system)]


async def measure(folder: Path, port: int, questions: int) -> list[tuple[str, float]]:
    """Measure everything."""
    chain = a_chain(folder, port)
    try:
        rows = [*codec_costs(questions), *await chain_costs(chain, questions)]
        rows.append(("exchange, by coroutines", await exchange_cost(chain, port, questions)))
        rows += shares("exchange", await callback_cost(chain, port, EXCHANGES))
        with nothing_is_parsed():
            rows += shares("exchange, nothing parsed", await callback_cost(chain, port, EXCHANGES))
            rows += shares("its sockets alone", await bare_cost(port, EXCHANGES))
        rows.append(("miss", await miss_cost(chain, questions)))
        return rows
    finally:
        await chain.close()


def serve(opened: socket.socket) -> None:
    """Answer every question with one address, as quickly as may be."""
    record = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc6\x12\0\1"
    while True:
        query, source = opened.recvfrom(4096)
        question = query[12 : query.index(b"\0", 12) + 5]
        counts = b"\x81\x80\0\1\0\1\0\0\0\0"
        opened.sendto(query[:2] + counts + question + record, source)


def main() -> None:
    """Measure and print."""
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened,
        tempfile.TemporaryDirectory() as folder,
    ):
        opened.bind(("127.0.0.1", 0))
        upstream = multiprocessing.get_context("fork").Process(target=serve, args=(opened,))
        upstream.start()
        try:
            rows = uvloop.run(measure(Path(folder), opened.getsockname()[1], questions))
        finally:
            upstream.terminate()
            upstream.join()
    for row in rows:
        sys.stdout.write(ROW.format(*row))


if __name__ == "__main__":
    main()
