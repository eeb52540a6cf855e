# SPDX-License-Identifier: Apache-2.0
"""Both twins of shared exchanges run the same story with the same results."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.policy.model import UpstreamServer
from filterd.upstream import Route, UpstreamQuestion, singleflight, transport_set
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.server_group import Groups
from filterd.upstream.socket_pool import TICK_S
from tests.support.clock import FakeClock
from tests.support.forgeries import FORGERIES
from tests.support.policies import wire
from tests.support.wire import a_response

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

flights: Any = live_only("filterd.upstream._pool")
pytestmark = pytest.mark.usefixtures("needs_native")

TWINS = singleflight, flights
NAMES = "a.example.com", "b.example.com", "c.example.com"
ASKERS = "192.0.2.1", None
ORDINARY = "the answer"
SAID: dict[str, Callable[[bytes], bytes]] = {
    **FORGERIES,
    ORDINARY: lambda answer: answer,
    "no such name": lambda answer: _rcode(answer, 3),
    "a name that should not exist": lambda answer: _rcode(answer, 6),
    "a failure": lambda answer: _rcode(answer, 2),
    "not understood": lambda answer: _rcode(answer, 1),
    "refused": lambda answer: _rcode(answer, 5),
    "truncated": lambda answer: answer[:2] + bytes((answer[2] | 2,)) + answer[3:],
    "authentic": lambda answer: answer[:3] + bytes((answer[3] | 0x20,)) + answer[4:],
    "another's record": lambda answer: answer.replace(b"\xc6\x12\x00\x01", b"\x7f\0\0\1"),
    "lower case": lambda answer: answer[:12] + answer[12:].lower(),
    "nothing": lambda _: b"",
}
Step = tuple[str, int, Any]


def _rcode(answer: bytes, rcode: int) -> bytes:
    return answer[:3] + bytes((answer[3] & 0xF0 | rcode,)) + answer[4:]


class ClockedLoop(asyncio.SelectorEventLoop):
    """A loop on real sockets, on a test's clock."""

    now = 1_000.0

    def time(self) -> float:
        return self.now


class Drawn(RandomNumbers):
    """The same numbers for both twins."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn = random.Random(20_261)

    def block(self) -> bytes:
        return self._drawn.randbytes(2 * 2_048)


class Story:
    """The run of one twin. ``events`` are all that can be seen of it."""

    def __init__(self, module: ModuleType, servers: list[tuple[bool, bool]]) -> None:
        self.events: list[object] = []
        self._clock, self._counters, self._groups = FakeClock(), Counter[str](), Groups()
        self._asking = module.Flights(self._clock, self._counters, self._groups)
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in servers]
        for one in self._sockets:
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        self._route = Route(
            tuple(
                UpstreamServer(
                    "127.0.0.1", one.getsockname()[1], randomise_case=exact, trusted=trust
                )
                for one, (exact, trust) in zip(self._sockets, servers, strict=True)
            )
        )
        self._queries: list[tuple[socket.socket, bytes, Any]] = []
        self._waiting = 0

    async def step(self, what: str, which: int, more: Any) -> None:
        """Let one thing happen and all that follows from it.

        Time passes before each, since of what waits for one tick none is promised to be first.
        """
        self._pass(TICK_S * 1.07)
        if what == "ask":
            self._ask(f"{which % 3}", which % 3, ASKERS[more % 2])
        elif what == "say" and self._queries:
            server, query, source = self._queries[which % len(self._queries)]
            name = NAMES[0] if b"\1" not in query[12:14] else chr(query[13]).lower() + NAMES[0][1:]
            answer = a_response(query, f"{name} 300 A 198.18.0.1")
            server.sendto(SAID[more](answer), source)
        elif what == "pass":
            self._pass(more)
        elif what == "vanish" and self._sockets[which % len(self._sockets)].fileno() >= 0:
            self._sockets[which % len(self._sockets)].close()  # and ICMP says so
            self._queries = [one for one in self._queries if one[0].fileno() >= 0]
        elif what == "stop":
            self._asking.close()
        await self._settle()
        self._note()

    def _pass(self, seconds: float) -> None:
        self._clock.advance(seconds)
        asyncio.get_running_loop().now += seconds  # type: ignore[attr-defined]

    def _ask(self, who: str, name: int, asker: str | None) -> None:
        qname = wire(NAMES[name])
        question = UpstreamQuestion(qname, dns.rdatatype.A, False, False, self._route)

        def done(outcome: object) -> None:
            self._waiting -= 1
            self.events.append(("answered", who, _seen(outcome)))

        outcome = self._asking.ask(question, asker, done)
        self._waiting += outcome is None
        self.events.append(("asked", who, _seen(outcome)))

    async def _settle(self) -> None:
        """Let the loop go round until nothing is left but waiting for others."""
        for _ in range(6):
            await asyncio.sleep(0)
        while len(asyncio.all_tasks()) > 1:  # over TCP, which no server accepts here
            await asyncio.sleep(0)
        for number, one in enumerate(self._sockets):
            while one.fileno() >= 0:
                try:
                    query, source = one.recvfrom(4096)
                except BlockingIOError:
                    break
                self._queries.append((one, query, source))
                self.events.append(("sent", number, query[2:12], query[12:].lower()))

    def _note(self) -> None:
        members = [one for group in self._groups.by_route.values() for one in group.members]
        self.events.append(
            [
                dict(self._counters),
                len(self._asking),
                [(m.srtt_s, m.failures, m.down_until, m._answered_at) for m in members],
                [m.times.to_plain() for m in members],
                [(m._case_mismatches, m._no_edns_until, m._no_case_until) for m in members],
            ]
        )

    async def end(self) -> None:
        """End it; check that no waiter and nothing else is left."""
        self._asking.close()
        await self._settle()
        self._note()
        for one in self._sockets:
            one.close()
        assert self._waiting == 0
        if self._asking.transports is not None:
            assert len(self._asking.transports.wheel) == len(self._asking.transports.pool) == 0


def _seen(outcome: object) -> object:
    """Return an outcome so that two are comparable: each twin has servers on ports of its own."""
    if isinstance(outcome, Exception):
        return type(outcome), re.sub(r"\d{4,5}\)", ")", str(outcome))
    return outcome


def events_of(
    module: ModuleType, servers: list[tuple[bool, bool]], steps: list[Step]
) -> list[object]:
    async def main() -> list[object]:
        story = Story(module, servers)
        for step in steps:
            await story.step(*step)
        await story.end()
        return story.events

    numbers = patch.object(transport_set, "RandomNumbers", Drawn)
    with numbers, asyncio.Runner(loop_factory=ClockedLoop) as runner:
        return runner.run(main())


def alike(servers: list[tuple[bool, bool]], steps: list[Step]) -> list[object]:
    pure, native = (events_of(module, servers, steps) for module in TWINS)
    assert native == pure
    return native


server = st.tuples(st.booleans(), st.booleans())
step = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("say"), st.integers(0, 5), st.just(ORDINARY)),
    st.tuples(st.just("say"), st.integers(0, 5), st.sampled_from(sorted(SAID))),
    st.tuples(st.just("pass"), st.just(0), st.sampled_from((0.01, 0.2, 1.3, 4.0))),
    st.tuples(st.just("vanish"), st.integers(0, 1), st.none()),
    st.tuples(st.just("stop"), st.just(0), st.none()),
)


@settings(max_examples=150, deadline=None)
@given(
    servers=st.lists(server, min_size=1, max_size=2), steps=st.lists(step, min_size=1, max_size=14)
)
def test_outcomes_of_the_twins_are_equal(
    servers: list[tuple[bool, bool]], steps: list[Step]
) -> None:
    alike(servers, [("ask", 0, 0), *steps])


@pytest.mark.parametrize(
    ("exact", "behind"),
    [
        (True, 0),
        (False, 1),
        pytest.param(True, 1, marks=pytest.mark.long),
        pytest.param(False, 0, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("what", sorted(SAID))
def test_whatever_is_said_first_they_go_on_alike(what: str, exact: bool, behind: int) -> None:
    servers = [(exact, True)] + [(False, False)] * behind
    ask, wait, answer = ("ask", 0, 0), ("pass", 0, 1.3), ("say", 1, ORDINARY)
    alike(servers, [ask, ("say", 0, what), ask, wait, answer, ask, wait, wait, wait])


@pytest.mark.parametrize("after_s", [0.01, 0.2, 1.3, 4.0])
def test_without_an_outcome_they_wait_alike(after_s: float) -> None:
    pause = ("pass", 0, after_s)
    steps = [("ask", 0, 0), pause, ("ask", 1, 0), pause, ("say", 1, ORDINARY), pause]
    alike([(False, False), (False, False)], steps)


def test_where_places_are_few_they_refuse_and_give_way_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(singleflight, "MOST_EXCHANGES", 2)
    monkeypatch.setattr(singleflight, "MOST_A_CLIENT", 1)
    pause = ("pass", 0, 0.25)
    for steps in (
        [("ask", 0, 0), ("ask", 1, 0), pause, ("ask", 2, 0), ("ask", 0, 1)],
        [("ask", 0, 0), ("ask", 0, 1), ("ask", 1, 0), ("ask", 2, 1), pause, ("ask", 2, 1)],
        [("ask", 0, 1), ("ask", 1, 1), pause, ("ask", 2, 1), ("ask", 0, 1)],
    ):
        story = alike([(False, False)], steps)
        assert any("too many" in str(one) or "gave way" in str(one) for one in story)
