# SPDX-License-Identifier: Apache-2.0
"""The plain sockets and the native ones on the same messages: equal results.

The native ones share a socket between three questions, all of which a mismatch counts
against; here between one, as the plain ones do.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import dns.rdatatype
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion, socket_pool
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.server_group import ServerHealth
from filterd.upstream.socket_pool import TimerWheel
from tests.support.forgeries import FORGERIES
from tests.support.policies import wire
from tests.support.serving import WITHIN_S
from tests.support.wire import a_response

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

pool: Any = live_only("filterd.upstream._pool")
pytestmark = pytest.mark.usefixtures("needs_native")

TWINS = socket_pool, pool
NAME = "www.Example.com"
GOOD = "the answer"
MESSAGES: dict[str, Callable[[bytes], bytes]] = {
    **FORGERIES,
    GOOD: lambda answer: answer,
    "nothing": lambda _: b"",
    "an octet": lambda answer: answer[:1],
    "the ID": lambda answer: answer[:2],
    "a header": lambda answer: answer[:12],
    "half a name": lambda answer: answer[:20],
    "cut in the question": lambda answer: answer[:32],
    "cut in a record": lambda answer: answer[:-3],
    "upper case": lambda answer: answer[:12] + answer[12:29].upper() + answer[29:],
    "lower case": lambda answer: answer[:12] + answer[12:29].lower() + answer[29:],
    "longer than any": lambda answer: answer + bytes(5_000),
}


class Scripted(RandomNumbers):
    """The same numbers for both twins, each number once until there are no more."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 12_345

    def block(self) -> bytes:
        numbers = []
        for _ in range(2_048):
            self._next = (self._next * 25_173 + 13_849) % 65_536
            numbers.append(self._next)
        return b"".join(number.to_bytes(2, "little") for number in numbers)


class Noting:
    """Notes its results, with its own number."""

    def __init__(self, number: int, story: list[tuple[int, str]]) -> None:
        self.number, self.story = number, story

    def answered(self, attempt: Any, response: Any) -> None:
        assert attempt.waiter is self
        self.story.append((self.number, response.message.lower().hex()[4:]))  # case is random

    def mismatched(self) -> None:
        self.story.append((self.number, "mismatched"))

    def mismatched_in_case(self, attempt: Any) -> None:
        assert attempt.waiter is self
        self.story.append((self.number, "in case"))

    def refused(self) -> None:
        self.story.append((self.number, "refused"))


def readers(opened: Any) -> list[Callable[[], None]]:
    """Return the functions that receive what has come."""
    if isinstance(opened, socket_pool.SocketPool):
        return [attempt.receive for attempt in opened._waiting]
    return [opened._ready]


@pytest.fixture(autouse=True)
def _one_question_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_pool, "QUESTIONS_A_SOCKET", 1)


async def story_of(
    module: ModuleType, steps: list[tuple[str, bool, bool]], close: int
) -> list[object]:
    """Ask once a step; let the server answer each in turn by the step; return all results."""
    counters: Counter[str] = Counter()
    story: list[tuple[int, str]] = []
    wheel = TimerWheel(asyncio.get_running_loop())
    opened = module.SocketPool(wheel, Scripted(), counters)
    question = UpstreamQuestion(wire(NAME.lower()), dns.rdatatype.A, do=False, cd=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(WITHIN_S)
        member = ServerHealth(UpstreamServer("127.0.0.1", server.getsockname()[1]))
        asked = []
        for number, (_, edns, exact) in enumerate(steps):
            noting = Noting(number, story)
            attempt = opened.ask(noting, member, question, 1.0, edns=edns, exact=exact)
            assert (attempt.edns, attempt.exact, attempt.member) == (edns, exact, member)
            asked.append((attempt, *server.recvfrom(4096)))
        if close < len(asked):
            asked[close][0].close()
        for (what, _, _), (_, query, source) in zip(steps, asked, strict=True):
            answer = a_response(query, f"{NAME} 300 A 198.18.0.1")
            server.sendto(MESSAGES[what](answer), source)
            for receive in readers(opened):  # by loopback it is there when it has been sent
                receive()
    queries = [(query[2:12], query[12:].lower(), len(query)) for _, query, _ in asked]
    left = len(opened)
    wheel.close()
    opened.close()
    return [story, dict(counters), queries, left]


steps = st.lists(
    st.tuples(st.sampled_from([*sorted(MESSAGES), GOOD]), st.booleans(), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps, close=st.integers(0, 8))
def test_reports_of_the_twins_are_equal(steps: list[tuple[str, bool, bool]], close: int) -> None:
    pure, native = (asyncio.run(story_of(module, steps, close)) for module in TWINS)
    assert native == pure


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("what", sorted(MESSAGES))
@pytest.mark.parametrize("module", TWINS, ids=["pure", "native"])
def test_only_the_answer_is_one(module: ModuleType, what: str, exact: bool) -> None:
    story, *_ = asyncio.run(story_of(module, [(what, True, exact)], 8))
    assert isinstance(story, list)
    answers = [one for one in story if len(one[1]) > 20]
    believed = {GOOD, *(() if exact else ("upper case", "lower case"))}
    assert len(answers) == (what in believed)
