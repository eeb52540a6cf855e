# SPDX-License-Identifier: Apache-2.0
"""Questions that come by real sockets and any answers to them, beside the pure twin.

Both relays see the same questions, upstreams, caches, changes and ends; whatever one
sends or leaves to the chain, so does the other.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
from array import array
from importlib import import_module
from math import inf
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

from filterd.errors import FilterdError, UpstreamTimeoutError
from filterd.fastpath import _core_py, _datagrams_py, _direct_forward_py
from filterd.fastpath._datagrams_py import Datagram
from filterd.fastpath._decision_cells_py import MOST_OPENINGS, OPEN, Cell
from filterd.fastpath._rate_limit import SourceTable
from filterd.fastpath.core_filler import NOT_KEPT, Opening
from filterd.fastpath.pktinfo import bind
from filterd.policy.model import ListenAddress, UpstreamServer
from filterd.resolve.cache_store import ResolutionStore
from filterd.resolve.site import EpochGuard
from filterd.upstream import Resolution, Route, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import Ede, parse_response
from tests.fuzz.native.messages import (
    Messages,
    hostile_queries,
    well_formed,
)
from tests.support.clock import FakeClock
from tests.support.fast_cores import fill_it
from tests.support.policies import an_index, wire
from tests.support.serving import LISTS
from tests.support.wire import a_message, a_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.errors import UpstreamError
    from filterd.lists.index import Index
    from filterd.upstream._singleflight_py import Done
    from tests.fuzz.native.session import Session

    Cells = dict[tuple[int, int], tuple[int, ...]]

native: Any = import_module("filterd.fastpath._direct_forward")
fastpath: Any = import_module("filterd.fastpath._core")
datagrams: Any = import_module("filterd.fastpath._datagrams")

REACHES = {
    "relayed",
    "cut",
    "from the cache",
    "asked at once",
    "left to the chain",
    "not taken",
    "given up",
    "another epoch",
    "faults",
}

_CLIENT, _SERVER = "127.0.4.1", "127.77.4.2"
_TURNS, _QUESTIONS = 6, 12
_TOUCHED = {"pinned.porn.example": 1, "social.example": 2}
_ROUTE = Route((UpstreamServer("192.0.2.53"),))
_SITE: Any = SimpleNamespace(route=_ROUTE, surroundings=SimpleNamespace(version=0))
_FOR_EVER = EpochGuard(memoryview(array("Q", [0])), 0, -inf, inf)
_OPENINGS = [Opening(n % 97, n % 89, n % 400) for n in range(MOST_OPENINGS)]
_TARGETS = (
    *map(wire, ("malware.example", "other.test", "a.b.example", "pinned.porn.example")),
    b"\0",
)
_RCODES = (0, 0, 0, 3, 6, 2)
_TTLS = (0, 1, 60, 86_400)


class _Served:
    """One of the relays, and all that it talks to; notes what it says."""

    def __init__(self, relay: Any, core: Any, clock: FakeClock) -> None:
        self.said: list[tuple[Any, ...]] = []
        self.asked: list[tuple[UpstreamQuestion, Done]] = []
        self.waiting: list[Any] = []
        self.outcome: Resolution | UpstreamError | None = None
        self.core = core
        self.fast = SimpleNamespace(
            core=core,
            openings=_OPENINGS,
            edges=[inf, inf],
            refresh=core.holds,
            keep_house=lambda _: None,
            refused=lambda *_: None,
        )
        self.datagrams = SimpleNamespace(answer=self._answer, flush=lambda: None)
        self.store = ResolutionStore(1 << 17)
        self.relay = relay(self.fast, self.store, self, self, clock)

    def ask(
        self, question: UpstreamQuestion, route: Route, asker: str, done: Done
    ) -> Resolution | UpstreamError | None:
        """Be the upstreams, who may know at once."""
        self.said.append(("asked", question, route, asker))
        if self.outcome is None:
            self.asked.append((question, done))
        return self.outcome

    @staticmethod
    def soon(callback: Callable[[], None]) -> None:
        """Be the upstreams, who have nothing else to tell in this turn."""
        asyncio.get_running_loop().call_soon(callback)

    def began(self, waiting: Any) -> None:
        """Be the stepper, as in the next one."""
        self.waiting.append(waiting)

    def ended(self, waiting: Any) -> None:
        self.waiting.remove(waiting)

    def ask_the_chain(self, datagram: Any, fetched: Any) -> None:
        """Be the listener."""
        self.said.append(("chain", datagram.message, fetched))

    def take(self, datagram: Any) -> bool | str:
        """Give it a question; say whether it takes it, and how it fails."""
        try:
            taken: bool = self.relay.take(datagram, self)
        except (ValueError, IndexError):
            return "fault"
        return taken

    def _answer(self, datagram: Any, reply: bytes) -> None:
        self.said.append(("answer", datagram.message, reply))


class _Both:
    """The two relays, and the socket by which questions come to the native one."""

    def __init__(self, index: Index) -> None:
        self._index, self.clock = index, FakeClock()
        self.live = _Served(native.Relay, fastpath.Core(bytes(range(16))), self.clock)
        self.pure = _Served(_direct_forward_py.Relay, _core_py.Core(bytes(range(16))), self.clock)
        self.served = self.live, self.pure
        self._loopback = socket.if_nametoindex("lo")
        self.begin()
        self._opened = bind(ListenAddress(_SERVER, 0), socket.SOCK_DGRAM)
        table = SourceTable(bytes(16), 1e9, 1e9, 16)
        self._datagrams = datagrams.Datagrams(
            self._opened, table, lambda *_: True, 256, self.live.fast
        )
        self._client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._client.bind((_CLIENT, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        self._client.close()

    def begin(self) -> None:
        """Forget everything, and be told it anew: another epoch."""
        for served, module in ((self.live, fastpath), (self.pure, _core_py)):
            served.core.forget()
            cells: Cells = {(0, 0): Cell(OPEN, template=MOST_OPENINGS - 1)}
            learnt = fill_it(served.core, module, self._index, cells, _TOUCHED)
            served.core.learn(socket.inet_aton(_CLIENT), self._loopback, learnt.one, 1e9)
            times = self.clock.monotonic(), self.clock.wall()
            served.core.hold(_SITE, _FOR_EVER, 0, *times, self.clock.wall, NOT_KEPT)

    def come(self, messages: list[bytes]) -> list[Any]:
        """Let messages come; return those that nobody answers at once."""
        for one in messages:
            self._client.sendto(one[: _datagrams_py.LARGEST_QUERY], self._opened.getsockname())
        now = self.clock.monotonic()
        self._datagrams.receive(now)
        left: list[Any] = self._datagrams.take(len(messages), now)
        return left

    def take(self, datagram: Any) -> bool | str:
        """Give a question to both; return what becomes of it."""
        behind = self.live.core.epoch - datagram.epoch
        like = Datagram(
            datagram.message,
            datagram.address,
            datagram.interface,
            (datagram.address, 0),
            (),
            datagram.received_at,
            datagram.client_class,
            datagram.opening,
            self.pure.core.epoch - behind,
        )
        became = self.live.take(datagram), self.pure.take(like)
        assert became[0] == became[1], (became, datagram.message)
        return became[0]

    def checked(self) -> list[tuple[Any, ...]]:
        """Return what both have said since; fail if it is not the same."""
        said, like = self.live.said, self.pure.said
        for one, other in zip(said, like, strict=False):
            assert one == other, (one, other)
        assert len(said) == len(like), (said[len(like) :], like[len(said) :])
        assert len(self.live.waiting) == len(self.pure.waiting)
        figures = [served.store.figures() for served in self.served]
        assert figures[0] == figures[1], figures
        self.live.said, self.pure.said = [], []
        return said


def drive(session: Session) -> None:
    """Let questions come, and upstreams say what they like."""
    logging.disable(logging.CRITICAL)  # who cannot relay says so, as often as is wished here
    queries = Messages(session.rng, well_formed() * 4 + hostile_queries())
    with tempfile.TemporaryDirectory() as folder:
        index = an_index(Path(folder), LISTS)
        for _ in session.rounds():
            asyncio.run(_live(session, index, queries))


async def _live(session: Session, index: Index, queries: Messages) -> None:
    rng, known = session.rng, [queries.one()]
    with _Both(index) as both:
        for _ in range(_TURNS):
            known += [queries.one() for _ in range(_QUESTIONS)]
            drawn = [rng.choice(known[-2 * _QUESTIONS :]) for _ in range(_QUESTIONS)]
            left = both.come([session.give(one) for one in drawn])
            if rng.random() < 0.1:
                both.begin()
                session.reached["another epoch"] += len(left)
            for datagram in left:
                _take(session, both, datagram)
            if rng.random() < 0.1:
                both.begin()
            _hear(session, both)
            openings = _OPENINGS if rng.random() < 0.8 else []
            for served in both.served:
                served.fast.openings = openings
            await asyncio.sleep(0)
            _count(session, both.checked())
            both.clock.advance(rng.choice((0, 0, 0.7, 55, 400)))
            if rng.random() < 0.5:  # so that the cache is asked too
                for served in both.served:
                    served.core.replay.forget()


def _count(session: Session, said: list[tuple[Any, ...]]) -> None:
    for what, _, about, *_ in said:
        if what == "answer":
            session.reached["cut" if about[2] & 2 else "relayed"] += 1
        elif what == "chain":
            session.reached["left to the chain"] += 1


def _take(session: Session, both: _Both, datagram: Any) -> None:
    asked = len(both.live.asked)
    if session.rng.random() < 0.1:
        at_once = _said(session, UpstreamQuestion(b"\1a\4test\0", 1, False, False))
        both.live.outcome = both.pure.outcome = at_once
    became, waited = both.take(datagram), len(both.live.asked) > asked
    if became == "fault":
        session.reached["faults"] += 1
    elif not became:
        session.reached["not taken"] += 1
    elif both.live.outcome is not None:
        session.reached["asked at once"] += 1
    elif not waited:
        session.reached["from the cache"] += 1
    both.live.outcome = both.pure.outcome = None


def _hear(session: Session, both: _Both) -> None:
    """Let upstreams speak in any order; some whom nobody waits for any more, some to nobody."""
    rng = session.rng
    asked = list(zip(both.live.asked, both.pure.asked, strict=True))
    both.live.asked, both.pure.asked = [], []
    rng.shuffle(asked)
    for (question, done), (like, done_too) in asked:
        assert question == like
        if both.live.waiting and rng.random() < 0.1:
            at = rng.randrange(len(both.live.waiting))
            for served in both.served:
                served.waiting[at].cancel()
            session.reached["given up"] += 1
        outcome = _said(session, question)
        if isinstance(outcome, Resolution) and rng.random() < 0.2:
            for served in both.served:
                served.store.put((question, _ROUTE), outcome, both.clock.monotonic(), stale_s=60)
        for one in (done, done_too):
            one(outcome)


def _said(session: Session, question: UpstreamQuestion) -> Resolution | UpstreamError:
    """Return what upstreams say to a question, or why they do not."""
    rng = session.rng
    octets = {1: 4, 28: 16}.get(question.qtype) or rng.choice((1, 5, 250))
    records = [
        a_record(rng.randbytes(octets), rtype=question.qtype, ttl=rng.choice(_TTLS))
        for _ in range(rng.choice((0, 1, 1, 2, 40)))
    ]
    body = question.qname + pack("!HH", question.qtype, 1) + b"".join(records)
    message = a_message(body, flags=0x8180, ancount=len(records))
    try:
        resolution = resolution_of(parse_response(session.give(message)), question)
    except FilterdError:
        return UpstreamTimeoutError("nothing can be made of it")
    if rng.random() < 0.6:
        return resolution
    return resolution._replace(
        rcode=rng.choice(_RCODES),
        targets=tuple(rng.choices(_TARGETS, k=rng.randrange(3))),
        edes=rng.choice(((), (), (Ede(4),))),
        private=rng.random() < 0.2,
        ech=rng.random() < 0.2,
        authentic=rng.random() < 0.5,
    )
