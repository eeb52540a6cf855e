# SPDX-License-Identifier: Apache-2.0
"""Gather parts of a status: signals for alerts, the log, the school's day.

So one status is enough for ``filterd.monitor``, which reads no file of the daemon.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.certificate_facts import facts_in
from filterd.base.errors import FilterdError, StoreError
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import FILLED_CATEGORIES, judge
from filterd.base.state_file import to_plain
from filterd.base.state_folder import SHIPPED, StateFolder
from filterd.daemon.manager import status_files
from filterd.daemon.worker_sums import summed
from filterd.lists.category_coverage import coverage
from filterd.overrides.current_rows import (
    is_changed,
    level_rows,
    named_rows,
    room_rows,
    waiting_rows,
)
from filterd.overrides.descriptions import not_ended, state_of
from filterd.policy.calendar import Calendar, Closures
from filterd.policy.category_parts import locked_parts
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.log_levels import LogLevel, highest, levels, levels_of
from filterd.policy.model import DAY_S
from filterd.policy.temporary_rules import TargetKind
from filterd.querylog.counts import BLOCKED
from filterd.querylog.day_reach import GRADE
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.disclosure import Threshold, ended_hours
from filterd.querylog.service_days import ServiceMoment
from filterd.querylog.totals_request import TotalsRequest
from filterd.texts import i18n
from filterd.texts.i18n import UNSAID
from filterd.texts.rows import SchoolClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.lists.category_coverage import CategoryCoverage
    from filterd.policy.model import Policy
    from filterd.resolve.site import Site
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Row

BYPASS = "proxy-vpn"
"""The category of ways around the filter."""
NO_CATEGORY = "none"
"""Of a block by a rule that has none, as a schedule or a block by command; or of a category of too
few devices."""

_HOUR_S, _WEEK_S = 3600, 7 * 86_400
_BEGUN_S = 600
"""So much of an hour must be over before it is compared with another one."""
_PACE_EVERY_S = 60.0
_VERIFY_FIRST_S, _VERIFY_EVERY_S, _VERIFY_AGAIN_S = 60.0, 86_400.0, 3600.0


class StatusSignals:
    """Signals of the daemon since its start.

    ``is_watchdog_failing``: returns whether the last test questions failed. ``accounts``: returns
    the state of the accounts (``daemon.handlers.account_state``). ``lists_verified_at``: returns
    when the source of the lists last answered, Unix time. ``self_test``: returns the summary of the
    last self-test (``daemon.handlers.self_tests``).
    """

    def __init__(self, setting: Setting) -> None:
        self.is_watchdog_failing: Callable[[], bool] = lambda: False
        self.accounts: Callable[[], dict[str, Any]] = dict
        self.self_test: Callable[[], dict[str, Any] | None] = lambda: None
        self.lists_verified_at: Callable[[], float | None] = lambda: None
        self._setting = setting
        self._lost: int | None = None  # a manager that is replaced does not know how old they are
        self._lost_at: float | None = None
        self._history: dict[str, Any] = {"ok": None, "verified_at": None}
        self._pace: dict[str, int] | None = None
        self._paced_at = -_PACE_EVERY_S
        self._blocks: dict[str, Counter[str]] = {}
        self._blocks_until = 0

    async def facts(self, lost: int, *, is_time_known: bool) -> dict[str, Any]:
        """Return the signals as plain data.

        Args:
            lost: the log's count of lost answers.
            is_time_known: whether times may be compared.

        Returns: ``gap_s``, the seconds from the last known time of the run before to this
        start; ``watchdog_failing``; ``disk``, the ``free`` and all octets of the state
        folder's disk, None where it cannot be asked; ``log_lost_at``, the Unix time of the
        last loss; ``history``, the result of the last verification: ``ok`` None for none yet;
        ``certificate``, the facts of the dashboard's, None for none; ``self_test``, the last
        one: ``at``, ``passed``, ``failed``, ``unknown``, ``open_to``, None for none yet;
        ``backup``, ``reports``, ``links`` and ``enrolment`` as in ``status_files.facts``.
        """
        if self._lost is not None and lost > self._lost:  # a worker that was replaced counts anew
            self._lost_at = self._setting.clock.wall()
        self._lost = lost
        return {
            "gap_s": self._gap_s() if is_time_known else 0.0,
            "watchdog_failing": self.is_watchdog_failing(),
            "disk": await asyncio.to_thread(self._disk),
            "log_lost_at": self._lost_at,
            "history": self._history,
            "self_test": self.self_test(),
            "certificate": await asyncio.to_thread(self._certificate),
            **await asyncio.to_thread(status_files.facts, self._setting.state),
        }

    async def pace(self, site: Site, now: float) -> dict[str, int] | None:
        """Return the answers of the school hour, and the expected number by last week.

        It is read at most once a minute.

        Args:
            site: in force.
            now: policy time.

        Returns: ``now``, answers of this hour of the clock so far; ``last_week``, of as much of
        the same hour a week ago. None for an hour without a lesson, on holidays, or while a
        tier is not counted by command; the first minutes have the figures of the hour before.
        """
        since_s = self._setting.clock.monotonic() - self._paced_at
        if since_s >= _PACE_EVERY_S:
            self._paced_at += since_s
            self._pace = await asyncio.to_thread(self._read_pace, site, now)
        return self._pace

    async def blocks(self, manager: Manager) -> dict[str, dict[str, int]]:
        """Return the blocks by tier and category since the start, of hours that are over.

        Each hour is added once, with the categories that are shown then: so no sum ever falls.

        Args:
            manager: it has the totals.
        """
        now, k = self._setting.clock.wall(), manager.site.policy.log.least_devices
        begins, ends = self._blocks_until, ended_hours(now)
        if not begins <= ends <= begins + 2 * DAY_S:  # the first time, or by another clock
            begins = self._blocks_until = ends
        if begins < ends:
            request = TotalsRequest(2, by_hour=True, threshold=Threshold(k))
            with suppress(StoreError):  # the next status reads them again
                for row in await manager.log_totals(request):
                    if row["action"] == BLOCKED and row["hour"] >= begins:
                        of_tier = self._blocks.setdefault(row["tier"], Counter())
                        of_tier[row["category"] or NO_CATEGORY] += row["n"]
                self._blocks_until = ends
        return {tier: dict(of_tier) for tier, of_tier in self._blocks.items()}

    async def keep(self, verify: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        """Verify the history soon after the start and then once a day, for ever.

        Args:
            verify: returns the result, as ``Records.verify`` does.
        """
        await asyncio.sleep(_VERIFY_FIRST_S)
        while True:
            is_done = await self.note_history(verify)
            await asyncio.sleep(_VERIFY_EVERY_S if is_done else _VERIFY_AGAIN_S)

    async def note_history(self, verify: Callable[[], Awaitable[Mapping[str, Any]]]) -> bool:
        """Verify the history and keep the result; return whether it could be read."""
        try:
            ok = (await verify())["ok"]
        except FilterdError:  # the state of the store is shown for itself
            return False
        self._history = {"ok": ok, "verified_at": self._setting.clock.wall()}
        return True

    def _gap_s(self) -> float:
        ran_until = self._setting.ran_until
        if not ran_until:
            return 0.0
        clock = self._setting.clock
        started_at = self._setting.time.least() - (clock.monotonic() - self._setting.started)
        return round(max(0.0, started_at - ran_until), 1)

    def _disk(self) -> dict[str, int] | None:
        try:
            disk = os.statvfs(self._setting.state.folder)
        except OSError:
            return None
        return {"free": disk.f_bavail * disk.f_frsize, "size": disk.f_blocks * disk.f_frsize}

    def _certificate(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = to_plain(facts_in(self._setting.state.web))
        return found

    def _read_pace(self, site: Site, now: float) -> dict[str, int] | None:
        from filterd.querylog.period_totals import answers_in  # noqa: PLC0415 -- it brings SQLite

        policy, over_s = site.timed.policy, now % _HOUR_S
        hour = int(now - over_s)
        has_lesson = _has_lesson(policy, hour) and _has_lesson(policy, hour - _WEEK_S)
        if not has_lesson or _is_not_counted(site, now):
            return None
        if over_s < _BEGUN_S:
            return self._pace  # an alert must not end and begin with each hour
        found = answers_in(self._setting.state.query_log, (hour, hour - _WEEK_S))
        if found is None:
            return None
        return {"now": found[0], "last_week": int(found[1] * over_s / _HOUR_S)}


def _has_lesson(policy: Policy, hour: float) -> bool:
    """Return whether a lesson runs in an hour, on a day with school."""
    shown = Calendar(policy.time_zone).reading(hour)
    if shown.day in Closures(policy.holidays):
        return False
    ends_s = shown.second + _HOUR_S
    return any(
        lesson.starts_s < ends_s and lesson.ends_s > shown.second for lesson in policy.lessons
    )


def _is_not_counted(site: Site, now: float) -> bool:
    """Return whether a command has switched a tier off, or the files all of them."""
    found = levels(site.timed.policy, site.timed.overrides, now).values()
    off = [one for one in found if one.level is LogLevel.OFF]
    return len(off) == len(found) or any(one.setting is not None for one in off)


class TodayCounts(NamedTuple):
    """What was counted today.

    Attributes:
        totals: of hours that are over, with classes.
        categories: of these, as the author of the request may see them.
        wide: by grade, the categories that k devices asked for.
        sums: with the present hour; shown without category, grade and class only.
        unread: why they could not be read; else empty.
    """

    totals: Sequence[Row] = ()
    categories: Sequence[Row] = ()
    wide: Sequence[Row] = ()
    sums: Sequence[Row] = ()
    unread: Sentence = UNSAID

    @property
    def bypass(self) -> int:
        """The blocked ways around the filter, in whole hundreds."""
        return sum(_blocks_in(one) for one in self.wide if one["category"] == BYPASS) // 100 * 100


async def read_today(manager: Manager, seen: TotalsRequest) -> TodayCounts:
    """Return what was counted today, as far as it can be read.

    Args:
        manager: it has the totals.
        seen: what the author of the request may see.
    """
    wide = Threshold(manager.site.policy.log.least_devices, GRADE)
    try:
        return TodayCounts(
            await manager.log_totals(TotalsRequest(by_class=True, old_s=seen.old_s)),
            await manager.log_totals(replace(seen, old_s=inf)),
            await manager.log_totals(TotalsRequest(threshold=wide, old_s=inf)),
            await manager.log_totals(TotalsRequest(is_live=True, old_s=inf)),
        )
    except StoreError as error:
        return TodayCounts(unread=error.sentence)


async def log_standing(
    manager: Manager, workers: Sequence[dict[str, Any]], counts: TodayCounts, now: float
) -> dict[str, Any]:
    """Return totals of today, losses, problems and levels, as plain data.

    Args:
        manager: it has the lookups and the site.
        workers: the status of each.
        counts: of today.
        now: policy time.
    """
    counted = summed(worker["log"] for worker in workers)
    for key in {"lost", "rows_lost"} & counted.keys():
        counted[key] += manager.lookups.lost
    today = Counter[str]()
    for total in counts.sums:
        today[total["action"]] += total["n"]
    problem = manager.log_keeper.problem or manager.lookups.problem
    problem = problem or manager.lookups.kept_too_long or counts.unread
    site = manager.site
    levels = levels_of(site.policy)
    return {
        "today": dict(today),
        **counted,
        **manager.lookups.facts(),
        "problem": problem,
        "sentence": i18n.to_plain(problem),
        "level": highest(levels.values() or [site.policy.log.level]).value,
        "levels": {tier: level.value for tier, level in levels.items()},
        "pace": await manager.signals.pace(site, now),
        "bypass": {"blocks": counts.bypass},
        "written_at": manager.log_keeper.written_at,
    }


async def in_service(manager: Manager) -> ServiceMoment | None:
    """Return this moment of service; None for wrong answers and an unknown time."""
    verified_at = await asyncio.to_thread(manager.signals.lists_verified_at)
    now = manager.clock()["policy_time"]
    if now is None or manager.signals.is_watchdog_failing():
        return None
    site = manager.site
    build = site.index.build
    since = max(build.get("when") or 0.0, verified_at or 0.0)
    return ServiceMoment(
        now,
        ZoneInfo(site.policy.time_zone),
        str(build.get(StateFolder.noted_as, SHIPPED)),
        max(0, round(now - since)) if since else None,
    )


def _blocks_in(row: Row) -> int:
    return int(row["n"]) if row["action"] == BLOCKED else 0


def with_protection(site: Site, status: Row, feed: Row, program: Row) -> dict[str, Any]:
    """Return a status with lists, releases, and the judgement of it all.

    Args:
        site: in force.
        status: as ``Manager.status`` returns it.
        feed: as ``feed.standing.overview`` returns it.
        program: as ``feed.program_standing.program_overview`` returns it.

    Returns: ``protection`` has what ``protection_facts.ListFacts`` has, ``links`` as
        ``status_files.LinkRules``, and the level and lines of ``protection_level.judge``.
    """
    links, rows = status["signals"]["links"], [one for one in (feed, feed.get("beside")) if one]
    covered = coverage_of_closed(site)
    protection: dict[str, Any] = {
        "followed": [one for row in rows for one in row.get("followed", ())],
        "missing": [one for row in rows for one in row.get("missing", ())],
        "never": bool(feed["address"]) and feed["freshness"] == "never",
        "starter": [
            one.category
            for one in covered
            if one.is_starter_only and one.category in FILLED_CATEGORIES
        ],
        "links": {} if links is None else links["passages"],
    }
    whole = {**status, "feed": feed, "program": program, "protection": protection}
    whole["coverage"] = [one.to_plain() for one in covered]
    whole["protection"] = {**judge(ProtectionFacts.of(whole)).to_plain(), **protection}
    return whole


def coverage_of_closed(site: Site) -> tuple[CategoryCoverage, ...]:
    """Return how each category is covered that is closed to a grade."""
    closed = frozenset[str]().union(*(grade.closed for grade in site.policy.grades.values()))
    found = coverage(site.index.lists, site.index.build, closed)
    return tuple(one for one in found if one.category in closed)


def school_today(manager: Manager) -> str | None:
    """Return the school's day (ISO 8601); None while the time is not known."""
    now = manager.clock()["policy_time"]
    zone = ZoneInfo(manager.site.policy.time_zone)
    return None if now is None else DaySpan.at(now, zone).day


def school_day(
    site: Site, now: float, counts: TodayCounts, classes: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what a school asks of its filter first, as plain data.

    Args:
        site: in force at ``now``.
        now: policy time.
        counts: of today.
        classes: those that are shown, None for all; others are counted in their grade.

    Returns: ``blocked_today``, blocks by class, or by grade where no class is known, the most
    first; ``blocked_categories``, the same by category, and ``category_names`` of these, by
    language; ``exceptions`` and ``loans`` that hold; ``exams`` that have not ended; ``rooms``, as
    ``current_rows.room_rows`` has them; ``log_levels``, the tiers of which the log keeps names, and
    ``log_waiting``, levels that a second person has to confirm; ``locked_parts``, what stays
    closed although its category is opened.
    """
    timed, blocked, categories = site.timed, Counter[str](), Counter[str]()
    for row in counts.totals:
        is_shown = row["class"] and (classes is None or row["class"] in classes)
        blocked[row["class"] if is_shown else row["grade"]] += _blocks_in(row)
    for row in counts.categories:
        categories[row["category"]] += _blocks_in(row)
    clock = SchoolClock(ZoneInfo(timed.policy.time_zone), now)
    state = EffectiveState(timed.policy, timed.overrides, site.moment, clock)
    rooms = room_rows(state)
    plain = to_plain(timed.overrides)
    return {
        "blocked_today": {key: n for key, n in blocked.most_common() if n},
        "blocked_categories": {key: n for key, n in categories.most_common() if n},
        "category_names": {
            category.id: {"vi": category.name_vi, "en": category.name_en}
            for category in timed.policy.categories.values()
            if categories[category.id]
        },
        "exceptions": [
            one
            for one in plain.get("exceptions", ())
            if one["kind"] != TargetKind.PAUSE and state_of(one, now) == "on"
        ],
        "loans": [one for one in plain.get("loans", ()) if state_of(one, now) == "on"],
        "exams": not_ended(plain.get("exams", ()), now),
        "rooms": [room for room in rooms if room["is_room"] or is_changed(room)],
        "log_levels": named_rows(level_rows(state)),
        "log_waiting": waiting_rows(state),
        "locked_parts": [
            part._asdict() for part in locked_parts(timed.policy, timed.overrides, now)
        ],
    }
