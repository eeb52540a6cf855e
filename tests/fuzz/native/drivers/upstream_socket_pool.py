# SPDX-License-Identifier: Apache-2.0
"""Answers and forgeries of any octets to the sockets that wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

from filterd.base.errors import UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.server_group import ServerHealth
from filterd.upstream.socket_pool import TimerWheel
from tests.fuzz.native.messages import Messages, hostile_responses, responses
from tests.support.packets import mutate, nudge
from tests.support.wire import a_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.native.session import Session

native: Any = import_module("filterd.upstream._pool")

REACHES = {
    "answered",
    "mismatched",
    "in case",
    "refused",
    "closed",
    "failed",
    "too long",
    "soon",
    "closed amid answers",
}

_LARGEST = 4_096
_SIZES = (0, 1, 2, 11, 12, 4_095, _LARGEST, _LARGEST + 1, _LARGEST + 8, 60_000)
_NAMES = (
    b"\3www\7example\3com\0",
    b"\0",
    (b"\x3f" + b"n" * 63) * 3 + b"\x3d" + b"n" * 61 + b"\0",
    b"\1a" * 127 + b"\0",
)
_SERVERS, _TIMES, _QUESTIONS, _FORGERIES = 4, 6, 24, 12
_WITHIN_S = 10.0


class _Waiter:
    """Counts its results without trusting them; acts when it is answered."""

    def __init__(self, session: Session, qname: bytes, act: Callable[[], None]) -> None:
        self._session, self._qname, self._act = session, qname, act

    def answered(self, attempt: Any, response: Any) -> None:
        assert attempt.waiter is self
        assert len(response.message) <= _LARGEST
        assert response.question.qname == self._qname, "the answer to another question"
        self._session.reached["answered"] += 1
        self._act()

    def mismatched(self) -> None:
        self._session.reached["mismatched"] += 1

    def mismatched_in_case(self, attempt: Any) -> None:
        assert attempt.waiter is self
        self._session.reached["in case"] += 1

    def refused(self) -> None:
        self._session.reached["refused"] += 1


def drive(session: Session) -> None:
    """Ask a server that answers, forges, sends too much, and is gone at last."""
    forged = Messages(session.rng, responses() + hostile_responses())
    for _ in session.rounds():
        asyncio.run(_ask(session, forged))


async def _ask(session: Session, forged: Messages) -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    pool = native.SocketPool(wheel, RandomNumbers(), Counter())
    for _ in range(_SERVERS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(_WITHIN_S)
            member = ServerHealth(UpstreamServer(*server.getsockname()))
            for _ in range(_TIMES):
                _ask_and_answer(session, forged, pool, member, server)
        _ask_a_closed_port(session, pool, member)
    session.reached["closed"] += len(pool)
    pool.due()
    _close_amid_answers(session, pool)
    wheel.close()
    pool.close()


def _ask_and_answer(
    session: Session, forged: Messages, pool: Any, member: Any, server: socket.socket
) -> None:
    """Let some wait together, and answer each."""
    asked: list[tuple[Any, bytes, Any]] = []

    def soon() -> None:
        session.reached["soon"] += 1

    def act() -> None:
        if session.rng.random() < 0.3:
            session.rng.choice(asked)[0].fail()
        if session.rng.random() < 0.3:
            pool.soon(soon)
        if session.rng.random() < 0.1:
            _one(session, pool, member).fail()
            server.recvfrom(_LARGEST)

    for _ in range(_QUESTIONS):
        attempt = _one(session, pool, member, act)
        asked.append((attempt, *server.recvfrom(_LARGEST)))
    session.rng.shuffle(asked)
    for attempt, query, source in asked:
        answer = a_response(query)
        for _ in range(session.rng.randrange(_FORGERIES)):
            server.sendto(session.give(_forgery(session, forged, query, answer)), source)
            pool._ready()
        if session.rng.random() < 0.5:
            server.sendto(session.give(answer), source)
            pool._ready()
        _leave(session, attempt)


def _close_amid_answers(session: Session, pool: Any) -> None:
    """Let an answered one close all sockets, at once or soon, while others have answers."""
    closing = session.rng.choice((pool.close, lambda: pool.soon(pool.close)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(_WITHIN_S)
        member = ServerHealth(UpstreamServer(*server.getsockname()))
        for _ in range(_QUESTIONS):
            _one(session, pool, member, closing)
        for _ in range(_QUESTIONS):
            query, source = server.recvfrom(_LARGEST)
            server.sendto(a_response(query), source)
    while len(pool):
        pool._ready()
    session.reached["closed amid answers"] += 1


def _one(session: Session, pool: Any, member: Any, act: Callable[[], None] = lambda: None) -> Any:
    """Ask one question."""
    qname = session.rng.choice(_NAMES)
    question = UpstreamQuestion(
        session.give(qname), session.rng.choice((1, 28, 65_535)), False, False
    )
    exact, edns = session.rng.random() < 0.5, session.rng.random() < 0.5
    waiter = _Waiter(session, qname, act)
    return pool.ask(waiter, member, question, 1.0, edns=edns, exact=exact)


def _forgery(session: Session, forged: Messages, query: bytes, answer: bytes) -> bytes:
    """Return something that is not quite the answer, or that may be it."""
    rng = session.rng
    drawn = rng.random()
    if drawn < 0.2:
        return query[:2] + forged.one()[2:60_000]
    if drawn < 0.3:
        return answer[:12] + answer[12:].swapcase()
    if drawn < 0.5:
        size = rng.choice(_SIZES)
        session.reached["too long"] += size > _LARGEST
        return (answer + rng.randbytes(size))[:size]
    return (nudge if drawn < 0.8 else mutate)(answer, rng)[:60_000]


def _leave(session: Session, attempt: Any) -> None:
    """Wait no longer, sometimes twice."""
    drawn = session.rng.random()
    if drawn < 0.3:
        attempt.fail()
        session.reached["failed"] += 1
    if drawn < 0.5:
        attempt.close()


def _ask_a_closed_port(session: Session, pool: Any, member: Any) -> None:
    """Ask a closed port; the kernel reports it at the next question."""
    for _ in range(3):
        with contextlib.suppress(UpstreamUnreachableError):
            _one(session, pool, member)
        pool._ready()
