# SPDX-License-Identifier: Apache-2.0
"""Test each day that what is closed to each tier is blocked on the real sockets.

For each grade, and each category that is closed to it now, one listed name is asked for as a
device of that grade asks (``daemon.tier_probe``). The name is the one made for the category, or
one drawn from the index that no other category lists. The result has no name.

It runs a minute after the start, soon after other lists are in force, and once a day; and by
the command ``self-test``. Nothing of it is counted or recorded as a lookup.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.clients.identifier import probe_address
from filterd.daemon.control_commands import author_of
from filterd.daemon.tier_probe import SelfTestOutcome, TierProbe, asked_at, open_to, worst
from filterd.errors import ControlError
from filterd.field_checks import is_whole
from filterd.i18n import say
from filterd.lists.rules import MADE_CANARY
from filterd.overrides.read_access import View, check_view
from filterd.policy.model import TIERS, Client
from filterd.resolve.explain import explain
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.clock import Clock
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.lists.index import Index
    from filterd.policy.model import Category, GradePolicy, ListenAddress
    from filterd.resolve.site import Site

LOOK_EVERY_S, DAY_S = 60.0, 86_400.0
LONGEST_S = 30.0
"""Of one run; what is not answered by then is unknown."""

_DRAWN = 4
_NOT_BY_THE_SCHOOL = ("open", "not-listed")
"""Reasons for which a name passes without a rule of the school."""

_log = logging.getLogger("filterd.self_tests")


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
        return sum(one.outcome is outcome for one in self.rows)

    def summary(self) -> dict[str, Any]:
        """Return ``at``, ``passed``, ``failed`` and ``unknown`` as plain data."""
        return {"at": self.at, **{str(one): self.count(one) for one in SelfTestOutcome}}

    def to_plain(self) -> dict[str, Any]:
        """Return the run as plain data, with its rows."""
        return {**self.summary(), "rows": [one._asdict() for one in self.rows]}


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

        async def self_test(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            check_view(author_of(caller), View.DAY)
            old_s = request.get("old_s", 0)
            if not is_whole(old_s) or not 0 <= old_s <= DAY_S:
                raise ControlError(say("`self-test` wants old_s, the seconds of a day at most"))
            return (self._clean_since(old_s) or await self.run()).to_plain()

        return {"self-test": self_test}

    async def keep(self) -> None:
        """Run whenever it is due, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if self.is_due:
                    await self.run()
            except Exception:  # noqa: BLE001 -- logged whole; the next one must come
                _log.exception("the self-test could not be made")

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
        for one in run.rows:
            if one.outcome is SelfTestOutcome.FAILED:
                _log.error("%s", open_to(one.category, [one.tier]))
        self.last = run
        self._noted(run)
        return run

    async def _tested_once(self) -> SelfTestRun:
        site, now = self._site(), self._clock.wall()
        found = _Outcomes()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._ask_all(site, now, found)
        closed = {(one.tier, what) for one in _grades(site) for what in _closed_to(site, one)}
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
            for tier, category, by in sorted(places, key=lambda one: (TIERS.index(one[0]), one))
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
    return list(islice(index.names_of(lists, alone=True), _DRAWN))


def _grades(site: Site) -> list[GradePolicy]:
    """Return the grades of the site, those of classes and variants apart."""
    return [one for one in site.policy.grades.values() if one.key == one.grade]


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
        told = explain(site, client, name, RRType.A, now)
        if told.blocked or (is_locked and told.reason in _NOT_BY_THE_SCHOOL):
            return name
    return None
