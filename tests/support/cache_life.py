# SPDX-License-Identifier: Apache-2.0
"""A school's hours in one process: clients ask, upstreams answer late or fail, rules change.

Every reply is held against what upstreams have been made to say until then, and
against the rules in force; nothing of filterd's own memory is asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from filterd.errors import UpstreamOverloadError, UpstreamTimeoutError
from filterd.resolve import pipeline
from filterd.resolve.background import Background
from filterd.resolve.query import Peer, Query
from filterd.resolve.resolver import Resolver
from filterd.resolve.site import SiteHolder
from filterd.resolve.store import ResolutionStore
from filterd.server.stepping import Stepper
from filterd.upstream import UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import parse_response
from tests.support.answers import addresses, edes, ttls
from tests.support.clock import FakeClock
from tests.support.policies import block, wire
from tests.support.serving import GRADE_1, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.index import Index
    from filterd.resolve.query import Answer
    from filterd.upstream import Resolution

PLAIN, ALIAS, TARGET = NAMES = ("plain.example", "alias.example", "target.example")

DAY_S = 86_400.0
STALE = {3, 19}
_LONGEST_FAILURE_S = 60.0
_TURNS = 30
"""Of the loop; more than any chain of callbacks in here needs."""


class Asked(NamedTuple):
    """What an upstream is asked."""

    name: str
    do: bool
    cd: bool


@dataclass
class Told:
    """What an upstream has said: an address of its own each time, so that it is known again."""

    asked: Asked
    address: str
    ttl_s: int
    at: float
    authentic: bool


@dataclass
class Life:
    """One school. Steps are methods; each checks what is answered because of it."""

    index: Index
    clock: FakeClock = field(default_factory=FakeClock)
    told: dict[str, Told] = field(default_factory=dict)
    failed_at: dict[Asked, float] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    answered: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def live(self, steps: Iterable[tuple[Any, ...]]) -> None:
        """Take the steps, each the name of a method and its arguments; fail for what was wrong."""
        self._start()
        for step in steps:
            getattr(self, step[0])(*step[1:])
            await self._turn()
        await self._end()

    def _start(self) -> None:
        self.sites = SiteHolder(a_site(self.index))
        self.background: Background[Answer] = Background()
        self.stepper = Stepper()
        self._waiting: dict[Asked, asyncio.Future[Resolution]] = {}
        store = ResolutionStore()
        chain = pipeline.build(self.sites, store, self, self.clock, self.background)  # type: ignore[arg-type]
        self.resolver = Resolver(self.sites, chain, self.clock)

    async def _turn(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _end(self) -> None:
        while self._waiting:
            self.fail(0)
            await self._turn()
        await self.stepper.drain(1.0)
        await self.background.close()
        assert self.faults == []
        assert set(self.answered.values()) <= {1}, "each question is answered once"

    # The upstreams.

    async def resolve(
        self, question: UpstreamQuestion, _route: object, _asker: object = None
    ) -> Resolution:
        """Stand where ``Forwarder`` does."""
        name = dns.name.from_wire(question.qname, 0)[0].to_text(omit_final_dot=True)
        asked = Asked(name, question.do, question.cd)
        if asked not in self._waiting:
            self._waiting[asked] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._waiting[asked])

    def tell(self, which: int, ttl_s: int, authentic: bool) -> None:
        """Let an upstream answer one of the questions that wait."""
        if not self._waiting:
            return
        asked = list(self._waiting)[which % len(self._waiting)]
        serial = len(self.told)
        address = f"198.{18 + (serial >> 16)}.{serial >> 8 & 255}.{serial & 255}"
        self.told[address] = Told(asked, address, ttl_s, self.clock.monotonic(), authentic)
        self._waiting.pop(asked).set_result(_resolution(self.told[address]))

    def fail(self, which: int, overloaded: bool = False) -> None:
        """Let one of the questions that wait come to nothing."""
        if not self._waiting:
            return
        asked = list(self._waiting)[which % len(self._waiting)]
        waiting = self._waiting.pop(asked)
        self.failed_at[asked] = self.clock.monotonic()
        waiting.set_exception(UpstreamOverloadError("") if overloaded else UpstreamTimeoutError(""))
        waiting.exception()  # else it complains where nobody waits any more

    # The school.

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def rule(self, blocked: frozenset[str]) -> None:
        """Reload with these names blocked."""
        self.blocked = blocked
        self.sites.current = a_site(self.index, rules=[block(name) for name in sorted(blocked)])

    def ask(self, name: str, do: bool, cd: bool, times: int) -> None:
        """Ask, perhaps many at a time."""
        for _ in range(times):
            number = len(self.answered)
            self.answered[number] = 0
            query = self.resolver.admit(a_query(name, do=do, cd=cd), Peer(GRADE_1))
            assert isinstance(query, Query)
            asked = Asked(name, do, cd)
            self.stepper.run(self.resolver.respond(query), partial(self._take, number, asked))

    # What every reply must be.

    def _take(self, number: int, asked: Asked, reply: bytes) -> None:
        self.answered[number] += 1
        try:
            self._check(asked, reply)
        except AssertionError as fault:  # raised in a task, it would fail nothing
            self.faults.append(f"{asked} after {self.clock.monotonic()} s: {fault}")

    def _check(self, asked: Asked, reply: bytes) -> None:
        response = dns.message.from_wire(reply)
        if asked.name in self.blocked:
            assert response.rcode() == dns.rcode.NXDOMAIN, "it is blocked, whatever upstreams do"
        elif response.rcode() == dns.rcode.SERVFAIL:
            self._check_failure(asked)
        elif asked.name == ALIAS and TARGET in self.blocked:
            assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, []), "it is blocked"
        else:
            self._check_answer(asked, response)

    def _check_failure(self, asked: Asked) -> None:
        now = self.clock.monotonic()
        assert self.failed_at.get(asked, 0.0) >= now - _LONGEST_FAILURE_S, (
            "it fails by a failure of its own"
        )
        last = self._last(asked)
        assert last is None or now >= last.at + last.ttl_s + DAY_S or not last.ttl_s, (
            "something old is better than nothing"
        )

    def _check_answer(self, asked: Asked, response: dns.message.Message) -> None:
        (address,) = addresses(response)
        told = self.told[address]
        assert told.asked == asked, "it is the answer to this question"
        assert told is self._last(asked), "it is the last that was said"
        age_s = self.clock.monotonic() - told.at
        ad = bool(response.flags & dns.flags.AD)
        if STALE & set(edes(response)):
            assert told.ttl_s <= age_s < told.ttl_s + DAY_S
            assert max(ttls(response)) <= 30
            assert not ad, "nobody vouches for what is old"
        else:
            assert age_s < told.ttl_s or age_s == 0
            assert set(ttls(response)) == {min(600, told.ttl_s - int(age_s))}
            assert ad is (told.authentic and asked.do)

    def _last(self, asked: Asked) -> Told | None:
        return next((one for one in reversed(self.told.values()) if one.asked == asked), None)


def _resolution(told: Told) -> Resolution:
    name = told.asked.name
    lines = [f"{name} {told.ttl_s} A {told.address}"]
    if name == ALIAS:
        lines = [f"{name} {told.ttl_s} CNAME {TARGET}", f"{TARGET} {told.ttl_s} A {told.address}"]
    query = a_query(name, do=told.asked.do, cd=told.asked.cd)
    question = UpstreamQuestion(wire(name), dns.rdatatype.A, told.asked.do, told.asked.cd)
    resolution = resolution_of(parse_response(a_response(query, *lines)), question)
    return resolution._replace(authentic=told.authentic)
