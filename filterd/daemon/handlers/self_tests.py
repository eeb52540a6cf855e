# SPDX-License-Identifier: Apache-2.0
"""Test each day that what is closed to each tier is blocked on the real sockets.

For each grade, and each category that is closed to it now, one listed name is asked for as a
device of that grade asks: from a probe address (``clients.identifier``), by the sockets, the rate
limit, the fast path or the chain. The name is the one made for the category, or one drawn from
the index that no other category lists. Only an answer that filterd itself composes for a block
counts as one; what an upstream answers never does. The result has no name.

It runs a minute after the start, soon after other lists are in force, and once a day; and by
the command ``self-test``. Nothing of it is counted or recorded as a lookup.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from contextlib import suppress
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import WireError
from filterd.clients.identifier import probe_address
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.fastpath.pktinfo import is_here
from filterd.lists import listed_names
from filterd.lists.rules import MADE_CANARY
from filterd.operations.status import RunSelfTest
from filterd.overrides.rights.read_access import View, check_view
from filterd.policy.model import DAY_S, TIERS, Client, ListenAddress
from filterd.resolve.explain import explain
from filterd.texts.i18n import Sentence, say
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ANSWER, EdeCode, Rcode, RRType, edes_of
from filterd.wire import name as names
from filterd.wire.header import TC

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from filterd.base.clock import Clock
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.lists.index import Index
    from filterd.policy.model import Category, GradePolicy
    from filterd.resolve.site import Site
    from filterd.wire import ParsedResponse

    _Ask = Callable[[str, ListenAddress, UpstreamQuestion], Awaitable[ParsedResponse]]

LOOK_EVERY_S = 60.0
LONGEST_S = 30.0
"""Of one run; what is not answered by then is unknown."""

_DRAWN = 4
_NOT_BY_THE_SCHOOL = ("open", "not-listed")
"""Reasons for which a name passes without a rule of the school."""

_logger = logging.getLogger("filterd.self_tests")


class TierResult(NamedTuple):
    """The outcome for one category and tier; ``protocol`` is ``udp`` or ``tcp``."""

    tier: str
    category: str
    outcome: SelfTestOutcome
    protocol: str


class SelfTestRun(NamedTuple):
    """One run: when (Unix time, by policy time), and what came of it."""

    at: float
    rows: tuple[TierResult, ...]

    def count(self, outcome: SelfTestOutcome) -> int:
        """Return how many rows have an outcome."""
        return sum(row.outcome is outcome for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """Return ``at``, numbers by outcome, and to which tiers a listed name is open."""
        failed = [row.tier for row in self.rows if row.outcome is SelfTestOutcome.FAILED]
        counts = {str(one): self.count(one) for one in SelfTestOutcome}
        return {"at": self.at, **counts, "open_to": list(dict.fromkeys(failed))}

    def to_plain(self) -> dict[str, Any]:
        """Return the run as plain data, with its rows."""
        return {**self.summary(), "rows": [row._asdict() for row in self.rows]}


class SelfTests:
    """The self-tests of a daemon.

    Args:
        site: returns the site in force.
        listen: the addresses of the sockets.
        clock: policy time.
        noted: called with each run.

    ``last``: the last run, None before the first.
    """

    def __init__(
        self,
        site: Callable[[], Site],
        listen: Iterable[ListenAddress],
        clock: Clock,
        noted: Callable[[SelfTestRun], None] = lambda _: None,
    ) -> None:
        self._site, self._listen, self._clock, self._noted = site, tuple(listen), clock, noted
        self._running: asyncio.Task[SelfTestRun] | None = None
        self._tested: tuple[bytes, float] | None = None
        self.last: SelfTestRun | None = None

    def commands(self) -> dict[str, Command]:
        """Return the command by its name; it tests now, or has tested not long ago."""

        async def self_test(asked: RunSelfTest, caller: Caller) -> dict[str, Any]:
            check_view(author_of(caller), View.DAY)
            return (self._clean_since(asked.old_s) or await self.run()).to_plain()

        return handled(RunSelfTest, self_test)

    async def keep(self) -> None:
        """Run whenever it is due, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if self.is_due:
                    await self.run()
            except Exception:  # logged whole; the next one must come
                _logger.exception("the self-test could not be made")

    def summary(self) -> dict[str, Any] | None:
        """Return the summary of the last run, None before the first."""
        return None if self.last is None else self.last.summary()

    @property
    def is_due(self) -> bool:
        """Whether other lists are in force than were tested, or the last run is a day old."""
        if self._tested is None:
            return True
        lists, at = self._tested
        return lists != self._site().index.digest or self._clock.monotonic() - at >= DAY_S

    def _clean_since(self, old_s: float) -> SelfTestRun | None:
        """Return the last run if it has no failure, is of these lists and not older."""
        if self.last is None or self._tested is None or self.is_due:
            return None
        is_old = self._clock.monotonic() - self._tested[1] >= old_s
        return None if is_old or self.last.count(SelfTestOutcome.FAILED) else self.last

    async def run(self) -> SelfTestRun:
        """Test now; calls meanwhile share the same run.

        A failure is looked at once more: the site may have changed at that moment.
        """
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
            self._running.add_done_callback(self._is_over)
        return await asyncio.shield(self._running)

    def _is_over(self, _: asyncio.Task[SelfTestRun]) -> None:
        self._running = None

    async def _run(self) -> SelfTestRun:
        self._tested = self._site().index.digest, self._clock.monotonic()
        run = await self._tested_once()
        if run.count(SelfTestOutcome.FAILED):
            run = await self._tested_once()
        for row in run.rows:
            if row.outcome is SelfTestOutcome.FAILED:
                _logger.error("%s", open_to(row.category, [row.tier]))
        self.last = run
        self._noted(run)
        return run

    async def _tested_once(self) -> SelfTestRun:
        site, now = self._site(), self._clock.wall()
        found = _Outcomes()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._ask_all(site, now, found)
        closed = {(grade.tier, what) for grade in _grades(site) for what in _closed_to(site, grade)}
        return SelfTestRun(now, found.rows(closed))

    async def _ask_all(self, site: Site, now: float, found: _Outcomes) -> None:
        asked = asked_at(self._listen)
        known = dict[str, list[bytes]]()
        for grade in _grades(site):
            source, by_tcp = probe_address(site.policy, grade.key), False
            for category in _closed_to(site, grade):
                if category not in known:
                    known[category] = await asyncio.to_thread(listed, site.index, category)
                name = _to_be_blocked(site, grade, category, known[category], now)
                if name is None:
                    continue
                probe = TierProbe.of(source, name, grade)
                for at in asked:
                    found.add(grade.tier, category, "udp", await probe.by_udp(at))
                    if not by_tcp:
                        found.add(grade.tier, category, "tcp", await probe.by_tcp(at))
                by_tcp = True


class _Outcomes:
    """Outcomes by tier, category and protocol."""

    def __init__(self) -> None:
        self._found = dict[tuple[str, str, str], list[SelfTestOutcome]]()

    def add(self, tier: str, category: str, protocol: str, outcome: SelfTestOutcome) -> None:
        self._found.setdefault((tier, category, protocol), []).append(outcome)

    def rows(self, closed: Iterable[tuple[str, str]]) -> tuple[TierResult, ...]:
        """Return a row for each tier and category, and for what was asked by TCP besides."""
        places = {*((*one, "udp") for one in closed), *self._found}
        return tuple(
            TierResult(tier, category, worst(self._found.get((tier, category, by), ())), by)
            for tier, category, by in sorted(
                places, key=lambda place: (TIERS.index(place[0]), place)
            )
        )


def listed(index: Index, category: str) -> list[bytes]:
    """Return listed names of a category alone: the one made for it, else some drawn.

    It may read all of the index: not for the event loop.
    """
    made = names.from_text(category + MADE_CANARY)
    hits = index.lookup(made)
    if hits and hits[0].labels == names.count_labels(made):
        return [made]
    lists = {one.id for one in index.lists if one.category == category}
    return list(islice(listed_names.names_of(index, lists, alone=True), _DRAWN))


def _grades(site: Site) -> list[GradePolicy]:
    """Return the grades of the site, those of classes and variants apart."""
    return [grade for grade in site.policy.grades.values() if grade.key == grade.grade]


def _closed_to(site: Site, grade: GradePolicy) -> list[str]:
    known = site.policy.categories.values()
    return sorted(one.id for one in known if one.id in grade.closed or _is_locked(one))


def _is_locked(category: Category) -> bool:
    return category.locked or category.ordered


def _to_be_blocked(
    site: Site, grade: GradePolicy, category: str, candidates: Iterable[bytes], now: float
) -> bytes | None:
    """Return the first name that must be blocked; None where the school opens all.

    A locked category suits no age: a name of it must be blocked although the policy in force
    does not close it.
    """
    client = Client(grade, is_probe=True)
    is_locked = _is_locked(site.policy.categories[category])
    for name in candidates:
        explained = explain(site, client, name, RRType.A, now)
        if explained.blocked or (is_locked and explained.reason in _NOT_BY_THE_SCHOOL):
            return name
    return None


ANSWER_WITHIN_S, TRIES = 1.0, 3

_LARGEST = 1232
_ANY_IPV4 = "0.0.0.0"  # noqa: S104 -- compared, not bound
_BLOCKS = frozenset((EdeCode.BLOCKED, EdeCode.FILTERED))
_NO_VERDICT = frozenset((Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP))
"""SERVFAIL is not among them: no block needs an upstream that could fail."""
_NO_NAMES = b"\0\0"
"""Primary server and mailbox in the SOA of a block, two roots; no zone of an upstream has them."""


class SelfTestOutcome(StrEnum):
    """The outcome of a self-test.

    FAILED: an answer came that is no block. UNKNOWN: none came, or nothing could be asked.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class TierProbe(NamedTuple):
    """The questions for one name that must be blocked for one grade.

    Attributes:
        source: the probe address of the grade.
        name: canonical wire name.
        sinkholes: RDATA of the addresses that stand for a block of the grade.
    """

    source: str
    name: bytes
    sinkholes: frozenset[bytes]

    @classmethod
    def of(cls, source: str, name: bytes, grade: GradePolicy) -> TierProbe:
        """Return the questions for a name and a grade."""
        addresses = IPv4Address(grade.sinkhole_ipv4), IPv6Address(grade.sinkhole_ipv6)
        return cls(source, name, frozenset(address.packed for address in addresses))

    async def by_udp(self, at: ListenAddress) -> SelfTestOutcome:
        """Ask for A and AAAA by UDP; the name is blocked if it is for both types."""
        outcomes = [await self._judged(_by_udp, at, one) for one in (RRType.A, RRType.AAAA)]
        return worst(outcomes)

    async def by_tcp(self, at: ListenAddress) -> SelfTestOutcome:
        """Ask for A by TCP."""
        return await self._judged(_by_tcp, at, RRType.A)

    async def _judged(self, ask: _Ask, at: ListenAddress, qtype: RRType) -> SelfTestOutcome:
        """Ask a few times, until an answer shows whether the name is blocked."""
        question = UpstreamQuestion(self.name, int(qtype), do=False, cd=False)
        for _ in range(TRIES):
            with contextlib.suppress(OSError, EOFError, WireError):  # TimeoutError is an OSError
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    response = await ask(self.source, at, question)
                if response.rcode not in _NO_VERDICT:
                    is_block = is_own_block(response, self.sinkholes)
                    return SelfTestOutcome.PASSED if is_block else SelfTestOutcome.FAILED
        return SelfTestOutcome.UNKNOWN


def worst(outcomes: Iterable[SelfTestOutcome]) -> SelfTestOutcome:
    """Return the worst of some outcomes; UNKNOWN for none."""
    found = set(outcomes)
    if SelfTestOutcome.FAILED in found:
        return SelfTestOutcome.FAILED
    is_passed = found == {SelfTestOutcome.PASSED}
    return SelfTestOutcome.PASSED if is_passed else SelfTestOutcome.UNKNOWN


def open_to(category: str, tiers: Iterable[str]) -> Sentence:
    """Return what is wrong where a category is open to tiers; it has no listed name."""
    return say(
        "a listed name of '{category}' is not blocked for {tiers}",
        category=category,
        tiers=", ".join(tiers),
    )


def asked_at(listen: Iterable[ListenAddress]) -> list[ListenAddress]:
    """Return the addresses at which the daemon can be asked now; IPv4 only."""
    here = (
        ListenAddress("127.0.0.1" if one.address == _ANY_IPV4 else one.address, one.port)
        for one in listen
        if ":" not in one.address
    )
    return [one for one in dict.fromkeys(here) if is_here(one.address)]


def is_own_block(response: ParsedResponse, sinkholes: frozenset[bytes]) -> bool:
    """Return whether an answer is a block of filterd (``resolve.answer_reply``).

    Args:
        response: of the daemon, with its extended errors (RFC 8914).
        sinkholes: RDATA of the addresses that stand for a block.

    Raises:
        WireError: an extended error is malformed.
    """
    if not any(one.code in _BLOCKS for one in edes_of(response.edns)):
        return False
    rdata = [
        (record.section, record.rtype, response.message[record.rdata_offset : record.end])
        for record in response.records
    ]
    answers = [data for section, _, data in rdata if section == ANSWER]
    if answers:
        return sinkholes.issuperset(answers)
    return any(rtype == RRType.SOA and data.startswith(_NO_NAMES) for _, rtype, data in rdata)


async def _by_udp(source: str, at: ListenAddress, question: UpstreamQuestion) -> ParsedResponse:
    loop, message_id = asyncio.get_running_loop(), new_id()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as opened:
        opened.bind((source, 0))
        opened.connect((at.address, at.port))
        opened.send(compose(question, message_id))
        while True:
            answer = parse_answer(await loop.sock_recv(opened, _LARGEST), question, message_id)
            if answer is not None:
                break
    if answer.header.flags & TC:  # above a rate limit, as for a device
        return await _by_tcp(source, at, question)
    return answer


async def _by_tcp(source: str, at: ListenAddress, question: UpstreamQuestion) -> ParsedResponse:
    message_id = new_id()
    reader, writer = await asyncio.open_connection(at.address, at.port, local_addr=(source, 0))
    try:
        query = compose(question, message_id)
        writer.write(len(query).to_bytes(2) + query)
        length = int.from_bytes(await reader.readexactly(2))
        answer = parse_answer(await reader.readexactly(length), question, message_id)
    finally:
        writer.close()
    if answer is None:
        raise EOFError("no answer to the question")
    return answer
