# SPDX-License-Identifier: Apache-2.0
"""Answers and forgeries of any octets to waiting questions, and their ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from filterd.policy.model import UpstreamServer
from filterd.upstream import Resolution, Route, UpstreamQuestion, singleflight
from filterd.upstream.server_group import Groups
from tests.fuzz.native.messages import Messages, hostile_responses, responses
from tests.support.clock import FakeClock
from tests.support.packets import mutate, nudge

if TYPE_CHECKING:
    from tests.fuzz.native.session import Session

native: Any = import_module("filterd.upstream._pool")

REACHES = {"answered", "failed", "landed", "truncated", "waited", "gave way", "stopped"}

_NAMES = (
    b"\3www\7example\3com\0",
    b"\1a\7example\3com\0",
    b"\0",
    (b"\x3f" + b"n" * 63) * 3 + b"\x3d" + b"n" * 61 + b"\0",
    b"\1a" * 127 + b"\0",
)
_ASKERS = (None, "192.0.2.1", b"\xc0\0\2\2")
_COUNTS = b"\0\1\0\1\0\0\0\0"
_RECORD = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4"
_RIGHT, _CUT = b"\xc6\x12\0\1", b"\xc6\x12\0\x42"  # only a truncated answer means the second
_TC = 0x02
_TIMES, _QUESTIONS = 8, 10


class _MeantError(Exception):
    """An error of a waiter, on purpose."""


class _Waiting:
    """A waiter: called once with the result, it sometimes fails, and sometimes asks again."""

    def __init__(self, session: Session, asking: Any, asked: tuple[Any, object]) -> None:
        self._session, self._asking, self._asked = session, asking, asked
        self.is_answered = False

    def ask(self) -> None:
        outcome = self._asking.ask(*self._asked, self)
        if outcome is not None:
            self(outcome)

    def __call__(self, outcome: object) -> None:
        assert not self.is_answered, "answered twice"
        self.is_answered = True
        _count(self._session, outcome)
        if isinstance(outcome, Resolution) and self._session.rng.random() < 0.3:
            assert self._asking.ask(*self._asked, self) is outcome, "what has landed is asked again"
            self._session.reached["landed"] += 1
        if self._session.rng.random() < 0.2:
            raise _MeantError


def _count(session: Session, outcome: object) -> None:
    if isinstance(outcome, Resolution):
        assert _CUT not in outcome.sections[0], "a truncated answer is taken for a whole one"
        session.reached["answered"] += 1
    else:
        assert isinstance(outcome, Exception)
        session.reached["gave way" if "gave way" in str(outcome) else "failed"] += 1


def drive(session: Session) -> None:
    """Ask servers that answer, forge, are silent or gone; let time pass, and stop at last."""
    forged = Messages(session.rng, responses() + hostile_responses())
    for _ in session.rounds():
        with patch.object(singleflight, "MOST_EXCHANGES", session.rng.choice((3, 1_000))):
            asyncio.run(_ask(session, forged))


async def _ask(session: Session, forged: Messages) -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    clock, waiting = FakeClock(), list[_Waiting]()
    asking = native.Flights(clock, Counter(), Groups())
    with contextlib.ExitStack() as stack:
        servers = [_server(stack) for _ in range(session.rng.choice((1, 2)))]
        exact = session.rng.random() < 0.3
        route = Route(
            tuple(
                UpstreamServer("127.0.0.1", server.getsockname()[1], randomise_case=exact)
                for server in servers
            )
        )
        for _ in range(_TIMES):
            waiting += _ask_some(session, asking, route)
            _answer(session, forged, servers)
            await _turn()
            clock.advance(session.rng.choice((0.0, 0.01, 0.3, 5.0)))
            _let_time_pass(session, asking)
            await _turn()
        servers[0].close()  # and ICMP says so
        waiting += _ask_some(session, asking, route)
        await _turn()
    session.reached["stopped"] += len(asking)
    asking.close()
    await _turn()
    for context in said:
        assert isinstance(context.get("exception"), _MeantError), context
    assert all(one.is_answered for one in waiting), "a question waits for ever"
    assert len(asking.transports.pool) == 0


def _server(stack: contextlib.ExitStack) -> socket.socket:
    opened = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    opened.bind(("127.0.0.1", 0))
    opened.setblocking(False)
    return opened


def _ask_some(session: Session, asking: Any, route: Route) -> list[_Waiting]:
    """Ask a few questions, some of them the same."""
    waiting = []
    for _ in range(session.rng.randrange(_QUESTIONS)):
        qname = session.give(session.rng.choice(_NAMES))
        question = UpstreamQuestion(qname, session.rng.choice((1, 28, 65_535)), False, False, route)
        one = _Waiting(session, asking, (question, session.rng.choice(_ASKERS)))
        waiting.append(one)
        with contextlib.suppress(_MeantError):
            one.ask()
    return waiting


def _answer(session: Session, forged: Messages, servers: list[socket.socket]) -> None:
    """Answer a question, or do not."""
    for server in servers:
        with contextlib.suppress(BlockingIOError):
            while True:
                query, source = server.recvfrom(4_096)
                for _ in range(session.rng.randrange(3)):
                    server.sendto(session.give(_said(session, forged, query)), source)


def _said(session: Session, forged: Messages, query: bytes) -> bytes:
    """Return the answer, one cut short, one that is spoilt, or something else."""
    rng, section = session.rng, query[12 : query.index(b"\0", 12) + 5]
    head = query[:2] + b"\x81\x80" + _COUNTS
    drawn = rng.random()
    if drawn < 0.2:
        session.reached["truncated"] += 1
        return head[:2] + bytes((head[2] | _TC,)) + head[3:] + section + _RECORD + _CUT
    if drawn < 0.3:
        return query[:2] + forged.one()[2:60_000]
    answer = head + section + _RECORD + _RIGHT
    if drawn < 0.7:
        return answer[:3] + bytes((0x80 | rng.choice((0, 0, 0, 1, 2, 3, 5, 6)),)) + answer[4:]
    return (nudge if drawn < 0.85 else mutate)(answer, rng)[:60_000]


def _let_time_pass(session: Session, asking: Any) -> None:
    """Signal a timeout to some waiters, whether it is due or not."""
    if asking.transports is not None:
        for bucket in list(asking.transports.wheel._buckets.values()):
            for waiting in [one for one in bucket if session.rng.random() < 0.3]:
                waiting.due()
                session.reached["waited"] += 1


async def _turn() -> None:
    """Run the loop until nothing is fetched over TCP, which no server accepts here."""
    for _ in range(4):
        await asyncio.sleep(0)
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
