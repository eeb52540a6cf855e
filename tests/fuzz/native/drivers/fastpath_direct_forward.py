# SPDX-License-Identifier: Apache-2.0
"""Questions over real sockets, any answers to them, reloads and ends.

Each accepted question is answered once or given to the chain once, from what upstreams
have answered to it, and only plain answers are sent.
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

from filterd.base.errors import FilterdError, UpstreamTimeoutError, WireError
from filterd.fastpath._rate_limit import SourceTable
from filterd.fastpath.core_contract import ASKED_CD, ASKED_DO, MOST_OPENINGS, OPEN, Cell
from filterd.fastpath.core_filler import NOT_KEPT
from filterd.fastpath.core_numbers import Opening
from filterd.fastpath.datagrams import LARGEST_QUERY
from filterd.fastpath.pktinfo import bind
from filterd.policy.model import ListenAddress, UpstreamServer
from filterd.resolve.pipeline import ResolutionStore
from filterd.resolve.site import EpochGuard
from filterd.upstream import CONCLUSIVE, Resolution, Route, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import Ede, parse_response
from tests.fuzz.native.messages import (
    Messages,
    hostile_queries,
    well_formed,
)
from tests.support import plain_questions
from tests.support.clock import FakeClock
from tests.support.fast_cores import fill_it
from tests.support.policies import an_index, wire
from tests.support.serving import LISTS
from tests.support.wire import a_message, a_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.errors import UpstreamError
    from filterd.lists.index import Index
    from filterd.upstream.singleflight import Done
    from tests.fuzz.native.session import Session

    Cells = dict[tuple[int, int], tuple[int, ...]]

native: Any = import_module("filterd.fastpath._datagrams")
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
    """A relay, all that it talks to, and the socket by which questions come; notes what is said."""

    def __init__(self, index: Index) -> None:
        self._index, self.clock = index, FakeClock()
        self.said: list[tuple[str, bytes]] = []
        self.wrong: list[str] = []
        self.asked: list[tuple[UpstreamQuestion, Done]] = []
        self.waiting: list[Any] = []
        self.outcome: Resolution | UpstreamError | None = None
        self._taking: Any = None
        self._heard: dict[UpstreamQuestion, list[Resolution | UpstreamError]] = {}
        self._done: list[Any] = []
        self.core = fastpath.Core(bytes(range(16)))
        self.fast: Any = SimpleNamespace(
            core=self.core,
            openings=_OPENINGS,
            edges=[inf, inf],
            refresh=self.core.holds,
            keep_house=lambda _: None,
            refused=lambda *_: None,
        )
        self.datagrams = SimpleNamespace(answer=self._answer, flush=lambda: None)
        self.store = ResolutionStore(1 << 17)
        self.relay = native.Relay(self.fast, self.store, self, self, self.clock)
        self._loopback = socket.if_nametoindex("lo")
        self.begin()
        self._opened = bind(ListenAddress(_SERVER, 0), socket.SOCK_DGRAM)
        table = SourceTable(bytes(16), 1e9, 1e9, 16)
        self._datagrams = datagrams.Datagrams(self._opened, table, lambda *_: True, 256, self.fast)
        self._client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._client.bind((_CLIENT, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        self._client.close()

    def begin(self) -> None:
        """Forget everything and set it again: another epoch."""
        self.core.forget()
        cells: Cells = {(0, 0): Cell(OPEN, template=MOST_OPENINGS - 1)}
        learnt = fill_it(self.core, self._index, cells, _TOUCHED)
        self.core.learn(socket.inet_aton(_CLIENT), self._loopback, learnt.one, 1e9)
        times = self.clock.monotonic(), self.clock.wall()
        self.core.hold(_SITE, _FOR_EVER, 0, *times, self.clock.wall, NOT_KEPT)

    def come(self, messages: list[bytes]) -> list[Any]:
        """Send messages; return those without an answer at once."""
        for message in messages:
            self._client.sendto(message[:LARGEST_QUERY], self._opened.getsockname())
        now = self.clock.monotonic()
        self._datagrams.receive(now)
        left: list[Any] = self._datagrams.take(len(messages), now)
        return left

    def ask(
        self, question: UpstreamQuestion, asker: str, done: Done
    ) -> Resolution | UpstreamError | None:
        """Act as upstreams, which may answer at once."""
        assert (question, asker) == (_upstream(self._taking), _CLIENT)
        if self.outcome is None:
            self.asked.append((question, done))
        else:
            self.hear(question, self.outcome)
        return self.outcome

    def hear(self, question: UpstreamQuestion, outcome: Resolution | UpstreamError) -> None:
        """Remember what upstreams have said to a question."""
        self._heard.setdefault(question, []).append(outcome)

    @staticmethod
    def soon(callback: Callable[[], None]) -> None:
        """Act as upstreams, which have no more answers in this turn."""
        asyncio.get_running_loop().call_soon(callback)

    def began(self, waiting: Any) -> None:
        """Be the stepper, as in the next one."""
        self.waiting.append(waiting)

    def ended(self, waiting: Any) -> None:
        self.waiting.remove(waiting)

    def take(self, datagram: Any) -> bool | str:
        """Give it a question; set whether it accepts it, and how it fails."""
        self._taking = datagram
        try:
            taken: bool = self.relay.take(datagram, self)
        except (ValueError, IndexError):
            return "fault"
        finally:
            self._taking = None
        assert not taken or (datagram.opening >= 0 and datagram.epoch == self.core.epoch)
        return taken

    def ask_the_chain(self, datagram: Any, fetched: Any) -> None:
        """Be the listener."""
        question = _upstream(datagram)
        heard = self._heard.get(question, [])
        self._end(datagram)
        self._hold(fetched.question == question, "fetched for another question")
        self._hold(any(fetched.outcome is one for one in heard), "fetched from nobody")
        self.said.append(("chain", b""))

    def _answer(self, datagram: Any, reply: bytes) -> None:
        asked, message = plain_questions.read(datagram.message), datagram.message
        if asked is None:
            self._hold(False, "an answer to no question")
            return
        question, heard = message[12 : asked.end], self._heard.get(_upstream(datagram), [])
        self._hold(reply[:2] == message[:2], "an answer to another query")
        self._hold(_is_whole(reply, question), f"a reply that cannot be read: {reply.hex()}")
        self._hold(reply[12 : asked.end] == question, "another letter case")
        self._hold(len(reply) <= asked.limit, "a reply too long")
        is_plain = any(self._is_plain(one, datagram) for one in heard)
        self._hold(datagram is self._taking or is_plain, "what is not plain is sent")  # else cached
        self._end(datagram)
        self.said.append(("answer", reply))

    def _end(self, datagram: Any) -> None:
        self._hold(all(datagram is not one for one in self._done), "two answers")
        self._done.append(datagram)

    def _hold(self, is_right: bool, what: str) -> None:
        """Note what is wrong: the relay, and the loop, catch what is raised here."""
        if not is_right:
            self.wrong.append(what)

    def _is_plain(self, said: Resolution | UpstreamError, datagram: Any) -> bool:
        return (
            isinstance(said, Resolution)
            and said.plain
            and datagram.epoch == self.core.epoch
            and all(
                self.core.lets_through(target, datagram.client_group) for target in said.targets
            )
        )


def _is_whole(reply: bytes, question: bytes) -> bool:
    """Return whether a reply can be read, and has this question."""
    try:
        answered = parse_response(reply).question
    except WireError:
        return False
    return answered is not None and answered.wire.lower() == question.lower()


def _upstream(datagram: Any) -> UpstreamQuestion:
    """Return what upstreams are asked for a datagram."""
    asked = plain_questions.read(datagram.message)
    assert asked is not None
    do, cd = bool(asked.flags & ASKED_DO), bool(asked.flags & ASKED_CD)
    return UpstreamQuestion(asked.qname, asked.qtype, do, cd, _ROUTE)


def drive(session: Session) -> None:
    """Send questions, with any answers of upstreams."""
    logging.disable(logging.CRITICAL)  # a refusal to relay, as often as this driver wants
    queries = Messages(session.rng, well_formed() * 4 + hostile_queries())
    with tempfile.TemporaryDirectory() as folder:
        index = an_index(Path(folder), LISTS)
        for _ in session.rounds():
            asyncio.run(_live(session, index, queries))


async def _live(session: Session, index: Index, queries: Messages) -> None:
    rng, known = session.rng, [queries.one()]
    with _Served(index) as served:
        for _ in range(_TURNS):
            known += [queries.one() for _ in range(_QUESTIONS)]
            drawn = [rng.choice(known[-2 * _QUESTIONS :]) for _ in range(_QUESTIONS)]
            left = served.come([session.give(one) for one in drawn])
            if rng.random() < 0.1:
                served.begin()
                session.reached["another epoch"] += len(left)
            for datagram in left:
                _take(session, served, datagram)
            if rng.random() < 0.1:
                served.begin()
            _hear(session, served)
            served.fast.openings = _OPENINGS if rng.random() < 0.6 else []
            await asyncio.sleep(0)
            assert not served.waiting
            assert not served.wrong, served.wrong[:3]
            _count(session, served)
            served.clock.advance(rng.choice((0, 0, 0.7, 55, 400)))
            if rng.random() < 0.5:  # so that the cache is asked too
                served.core.replay.forget()


def _count(session: Session, served: _Served) -> None:
    for what, reply in served.said:
        if what == "answer":
            session.reached["cut" if reply[2] & 2 else "relayed"] += 1
        else:
            session.reached["left to the chain"] += 1
    served.said = []


def _take(session: Session, served: _Served, datagram: Any) -> None:
    asked = len(served.asked)
    if session.rng.random() < 0.1:
        served.outcome = _said(session, UpstreamQuestion(b"\1a\4test\0", 1, False, False))
    became, waited = served.take(datagram), len(served.asked) > asked
    if became == "fault":
        session.reached["faults"] += 1
    elif not became:
        session.reached["not taken"] += 1
    elif served.outcome is not None:
        session.reached["asked at once"] += 1
    elif not waited:
        session.reached["from the cache"] += 1
    served.outcome = None


def _hear(session: Session, served: _Served) -> None:
    """Let upstreams answer in any order; some too late, some without a question."""
    rng, asked = session.rng, served.asked
    served.asked = []
    rng.shuffle(asked)
    for question, done in asked:
        if served.waiting and rng.random() < 0.1:
            rng.choice(served.waiting).cancel()
            session.reached["given up"] += 1
        outcome = _said(session, question)
        served.hear(question, outcome)
        if isinstance(outcome, Resolution) and rng.random() < 0.2:
            served.store.put(question, outcome, served.clock.monotonic(), stale_s=60)
        done(outcome)


def _said(session: Session, question: UpstreamQuestion) -> Resolution | UpstreamError:
    """Return the upstreams' answer to a question, or why there is none."""
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
        return _marked(resolution)
    resolution = resolution._replace(
        rcode=rng.choice(_RCODES),
        targets=tuple(rng.choices(_TARGETS, k=rng.randrange(3))),
        edes=rng.choice(((), (), (Ede(4),))),
        private=rng.random() < 0.2,
        ech=rng.random() < 0.2,
        authentic=rng.random() < 0.5,
    )
    return _marked(resolution)


def _marked(resolution: Resolution) -> Resolution:
    """Return a resolution as the forwarder marks it; its links are those of ``pipeline``."""
    changed = resolution.edes or resolution.private or resolution.ech
    return resolution._replace(plain=resolution.rcode in CONCLUSIVE and not changed)
