# SPDX-License-Identifier: Apache-2.0
"""Read names and rows of the log by the control socket, and remove them.

``overrides.rights.read_access`` defines which roles may. Before anything is shown, the history
records that it was looked at; names that are confidential by the present lists are left out,
whatever the log has. One request reads at a time: memory and disk are those of a gateway that
answers at the same time.

A removal of names, devices or days is recorded first, without the name. What workers still hold
is written before, so that it is removed with the rest; what cannot be written cannot be removed,
and nothing is. Totals have no names and stay.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from functools import partial
from operator import eq
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from filterd.base.errors import ChangeError, ConfigError, ControlError, FilterdError, StoreError
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled, streamed
from filterd.daemon.log_request import Days, check_known
from filterd.operations.live_log import FollowLog
from filterd.operations.log import (
    ExplainRow,
    LookupChoice,
    ReadClassNames,
    ReadDayNames,
    ReadNewNames,
    ReadTopNames,
    SearchLog,
)
from filterd.operations.log_levels import ReadLogLevels
from filterd.operations.log_removal import ForgetLookups, PurgeLog, RemovedLookups
from filterd.operations.parameters.sought_names import ALL_NAMES
from filterd.overrides.changes import change_fields
from filterd.overrides.current_rows import levels_now
from filterd.overrides.history.history_chain import REMOVAL
from filterd.overrides.rights.permissions import check_class
from filterd.overrides.rights.read_access import View, check_view
from filterd.overrides.rights.roles import Rank
from filterd.policy import field_checks
from filterd.policy.category_parts import with_parts
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.log_levels import LogLevel, levels_of
from filterd.policy.model import TIER_OF_GRADE
from filterd.policy.unknown_time import known_or_least
from filterd.querylog.day_reader import LogFilter, RowId
from filterd.querylog.day_schema import DaySpan, NameRange, reversed_text, subtree
from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, did_you_mean, say
from filterd.texts.rows import SchoolClock
from filterd.wire import RRType
from filterd.wire import name as names
from filterd.wire.name import is_at_or_beneath

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.lookup_collector import LookupCollector
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.operations.parameters.sought_names import SoughtNames
    from filterd.overrides.rights.roles import Author
    from filterd.querylog.day_file import DayFiles, Forgotten
    from filterd.querylog.day_search import DaySearch
    from filterd.querylog.seen_names import SeenNames

_Found = TypeVar("_Found")

NAMES_A_PAGE = 5_000

_LATE_IN_SECOND_S = 0.999
"""Into the second of a row: a policy that is activated in it decides the rest of it."""

_FRESH_WITHIN_S = 5.0
"""How long a read of today waits for the latest lookups."""


def commands(manager: Manager, setting: Setting) -> dict[str, Command]:
    """Return the commands by name."""
    views = LogViews(manager, setting)

    async def levels(_: ReadLogLevels, __: Caller) -> dict[str, Any]:
        timed, moment = manager.site.timed, manager.site.moment
        zone = ZoneInfo(timed.policy.time_zone)
        clock = SchoolClock(zone, known_or_least(manager.clock()))
        now = EffectiveState(timed.policy, timed.overrides, moment, clock)
        return levels_now(now)

    async def follow(asked: FollowLog, caller: Caller) -> AsyncGenerator[Any, None]:
        async with aclosing(manager.live.follow(asked, author_of(caller))) as values:
            async for events in values:
                yield events

    return {
        **handled(SearchLog, views.search),
        **handled(ReadTopNames, views.top),
        **handled(ReadNewNames, views.new),
        **handled(ExplainRow, views.why),
        **handled(ReadDayNames, views.names),
        **handled(ReadClassNames, views.of_class),
        **handled(ReadLogLevels, levels),
        **streamed(FollowLog, follow),
        **removal_commands(manager, setting),
    }


class LogViews:
    """The commands that show names and rows.

    Args:
        manager: the daemon.
        setting: its folder and its clock.
    """

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self._manager, self._folder, self._clock = manager, setting.state.log_days, setting.clock
        self._reading = asyncio.Lock()

    async def search(self, asked: SearchLog, caller: Caller) -> dict[str, Any]:
        """Return a page of the rows and distinct names that fit."""
        check_view(author := author_of(caller), View.ROWS)
        wanted = self._wanted(asked.choice, asked.names)
        cursor = RowId.read(asked.after) if asked.after else None
        days = await self._days(asked.choice)
        await self._look(View.ROWS, author, days.days, wanted.class_id)
        search, page = await self._read(days, lambda one: one.search(wanted, asked.limit, cursor))
        if not page.rows and not page.seen:
            self._check_known(wanted)
        return {
            "rows": page.rows,
            "seen": page.seen,
            "seen_more": page.seen_more,
            "cursor": page.cursor,
            "late": page.is_late,
            **_scope(self._manager, search, wanted),
        }

    async def top(self, asked: ReadTopNames, caller: Caller) -> dict[str, Any]:
        """Return the names with the most lookups."""
        check_view(author := author_of(caller), View.ROWS)
        wanted, days = self._wanted(asked.choice), await self._days(asked.choice)
        await self._look(View.ROWS, author, days.days, wanted.class_id)
        search, rows = await self._read(days, lambda one: one.top(wanted, asked.limit))
        if not rows:
            self._check_known(wanted)
        return {"rows": rows, **_scope(self._manager, search, wanted)}

    async def new(self, asked: ReadNewNames, caller: Caller) -> dict[str, Any]:
        """Return today's allowed names that a tier did not have on the days before."""
        check_view(author := author_of(caller), View.NAMES)
        stored = await self._days(LookupChoice(days=asked.days + 1))
        earlier = (one for one in stored.days if one < stored.today)
        days = Days((stored.today, *earlier), stored.today)
        await self._look(View.NAMES, author, days.days[:1])
        search, (rows, n) = await self._read(
            days, lambda one: one.new(asked.limit, domains=asked.domains)
        )
        compared = sum(day != days.today for day in search.read)
        scope = _scope(self._manager, search, LogFilter())
        return {"rows": rows, "n": n, **scope, "day": days.today, "compared": compared}

    async def why(self, asked: ExplainRow, caller: Caller) -> dict[str, Any]:
        """Return a row, and how it is judged by what was in force then.

        Raises:
            ControlError: the log has no such row.
        """
        check_view(author := author_of(caller), View.ROWS)
        row_id = RowId.read(asked.id)
        await self._look(View.ROWS, author, [row_id.day])
        days = Days((row_id.day,), _today(self._manager))
        search, row = await self._read(days, lambda one: one.row(row_id))
        if row is None:
            reason = search.skipped.get(row_id.day, say("there is none, or it is not shown"))
            raise ControlError(
                say("the log has no row {id} to show: {reason}", id=row_id, reason=reason)
            )
        return {"row": row, **await _judged(self._manager, row)}

    async def names(self, asked: ReadDayNames, caller: Caller) -> dict[str, Any]:
        """Return a page of the distinct names of a day, for an export within the school."""
        check_view(author := author_of(caller), View.NAMES)
        days = Days((asked.day,), _today(self._manager))
        await self._look(View.NAMES, author, days.days)
        first = (asked.page - 1) * NAMES_A_PAGE
        search, rows = await self._read(days, lambda one: one.names(first, NAMES_A_PAGE))
        more = len(rows) == NAMES_A_PAGE
        return {"rows": rows, "more": more, **_scope(self._manager, search, LogFilter())}

    async def of_class(self, asked: ReadClassNames, caller: Caller) -> dict[str, Any]:
        """Return today's names that at least k devices of a class asked for.

        Raises:
            ConfigError: there is no such class.
        """
        check_view(author := author_of(caller), View.CLASS_NAMES)
        class_id = field_checks.class_id(asked.class_)
        site, lookups = self._manager.site, self._manager.lookups
        check_class(author, class_id, self._manager.changes.classroom(site))
        grade = site.policy.grades.get(class_id)
        if grade is None:
            hint = did_you_mean(class_id, [one.id for one in site.timed.policy.classes])
            raise ConfigError(
                say("'{wanted}' is not a class of this site", wanted=class_id), hint=hint
            )
        day, log, hidden = _today(self._manager), site.policy.log, site.confidential
        await self._look(View.CLASS_NAMES, author, [day], class_id)
        await self._collect()
        level = log.level_of(grade.tier)
        found = lookups.seen.of_class(day, class_id) if level.includes(LogLevel.NAMES) else []
        rows = [
            {"name": names.to_text(one.name), "category": one.category, "action": one.action}
            for one in sorted(found, key=lambda one: (one.action, one.name))
            if one.category not in hidden.categories and one.name not in hidden
        ]
        return {
            "day": day,
            "class": class_id,
            "level": level.value,
            "least_devices": log.least_devices,
            "rows": rows,
        }

    def _wanted(self, choice: LookupChoice, sought: SoughtNames = ALL_NAMES) -> LogFilter:
        """Return what is looked for; the parts of a category count with it."""
        return LogFilter(
            *sought,
            choice.tier,
            choice.grade,
            field_checks.class_id(choice.class_) if choice.class_ else "",
            choice.action,
            choice.category or None,
            with_parts(self._manager.site.policy.categories, choice.category),
        )

    def _check_known(self, wanted: LogFilter) -> None:
        """Refuse a misspelt class or category; the log may have those of a former site."""
        policy = self._manager.site.policy
        check_known(wanted.class_id, [one.id for one in policy.classes])
        check_known(wanted.category, policy.categories)

    async def _look(
        self, view: View, author: Author, days: Iterable[str], class_id: str = ""
    ) -> None:
        """Record a look before anything is shown; one that cannot be recorded is none."""
        about = {"days": list(days), "class": class_id}
        await self._manager.changes.note_view(view, author, about)

    async def _collect(self) -> None:
        """Have the latest lookups written, without a long wait."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._manager.lookups.collect_afresh(), _FRESH_WITHIN_S)

    async def _days(self, choice: LookupChoice) -> Days:
        from filterd.querylog.day_search import stored_days  # noqa: PLC0415 -- as in ``_read``

        stored, today = await asyncio.to_thread(stored_days, self._folder), _today(self._manager)
        # Of today there may be nothing on disk yet.
        return Days.of(choice, sorted({*stored, today}, reverse=True), today)

    async def _read(
        self, days: Days, use: Callable[[DaySearch], _Found]
    ) -> tuple[DaySearch, _Found]:
        """Read day files in a thread, what the workers have by now included."""
        # SQLite is for this process only; the others are forked with what is imported before.
        from filterd.querylog.day_search import DaySearch  # noqa: PLC0415

        if days.today in days.days:
            await self._collect()
        hidden = self._manager.site.confidential
        search = DaySearch(
            self._folder,
            days.days,
            hidden.__contains__,
            hidden.categories,
            clock=self._clock,
        )
        try:
            async with self._reading:
                return search, await asyncio.to_thread(use, search)
        finally:
            search.end()  # of a request that is cancelled, the thread ends soon


def _today(manager: Manager) -> str:
    """Return the day of the school; while the time is not known, the least it may be."""
    now = manager.clock()["policy_time"] or 0.0
    return DaySpan.at(now, ZoneInfo(manager.site.policy.time_zone)).day


def _scope(manager: Manager, search: DaySearch, wanted: LogFilter) -> dict[str, Any]:
    """Return the days that were read, and the level of each tier."""
    policy = manager.site.policy
    grade = policy.grades.get(wanted.class_id or wanted.grade)
    tier = wanted.tier or TIER_OF_GRADE.get(wanted.grade) or (grade.tier if grade else "")
    levels = {one: level.value for one, level in levels_of(policy).items()}
    return {
        "days": search.read,
        "skipped": [
            {"day": day, "problem": str(why), "sentence": i18n.to_plain(why)}
            for day, why in search.skipped.items()
        ],
        "levels": {tier: levels[tier]} if tier in levels else levels,
        "least_devices": policy.log.least_devices,
        "keep_days": policy.log.keep_days,
    }


async def _judged(manager: Manager, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a row is judged by what was in force then, or why that is not known."""
    problem, then = UNSAID, None
    try:
        then = await manager.changes.records.explain_past(
            manager.site,
            qname=names.from_text(row["name"]).hex(),
            qtype=int(RRType.A),
            grade=row["class"] or row["grade"],
            address=None,
            when=row["at"] + _LATE_IN_SECOND_S,
            shown=row["id"],
        )
    except FilterdError as error:
        problem = error.sentence
    return {"then": then, "problem": str(problem), "sentence": i18n.to_plain(problem)}


class _Removal(NamedTuple):
    """One removal: from the files, and the names in memory that go with it."""

    from_files: Callable[[DayFiles], Awaitable[Forgotten | None]]
    from_memory: Callable[[SeenNames], None]
    day: str = ""


def removal_commands(manager: Manager, setting: Setting) -> dict[str, Command]:
    """Return the commands by name."""

    async def forget(asked: ForgetLookups, caller: Caller) -> RemovedLookups:
        if len(asked.things) != 1:
            raise ControlError(say("`log forget` wants one of name, device and day"))
        return await remove(asked.things[0], asked, caller)

    async def purge(asked: PurgeLog, caller: Caller) -> RemovedLookups:
        return await remove("all", asked, caller)

    async def remove(what: str, asked: ForgetLookups | PurgeLog, caller: Caller) -> RemovedLookups:
        author, lookups, now = author_of(caller), manager.lookups, setting.clock.wall()
        author.must_be(Rank.ADMIN, say("remove anything from the log"))
        reason = change_fields.reason(asked.reason, required=True)
        today = DaySpan.at(now, ZoneInfo(manager.site.policy.time_zone)).day
        match asked:
            case PurgeLog():
                removal = _of_all()
            case ForgetLookups(device="", day=""):
                removal = _of_name(asked.names.name, asked.names.is_subtree)
            case ForgetLookups(day=""):
                removal = _of_device(lookups.pseudonyms.of(_device(asked.device), now), today)
            case _:
                removal = _of_day(asked.day, today)
        about = {"what": what} | ({"day": removal.day} if removal.day else {})
        await manager.changes.note(REMOVAL, about, author, reason)
        await _write_all(lookups)
        found = await removal.from_files(lookups.files)
        removal.from_memory(lookups.seen)
        manager.live.forget()
        rows, unreadable = (found.rows, tuple(found.days)) if found else (None, ())
        return RemovedLookups(what, rows, unreadable)

    return {**handled(ForgetLookups, forget), **handled(PurgeLog, purge)}


async def _write_all(lookups: LookupCollector) -> None:
    """Have the lookups of all workers written.

    Raises:
        StoreError: a worker still has some.
    """
    await lookups.collect_afresh()
    problem = lookups.problem
    if lookups.silent and not problem:
        problem = say("a worker does not answer; try again")
    if problem:
        raise StoreError(say("nothing is removed yet: {problem}", problem=problem))


def _device(written: str) -> str:
    """Return the MAC of a device, or its address if none is known."""
    try:
        return field_checks.mac(written)
    except ChangeError:
        return field_checks.address(written)


def _of_name(name: bytes, is_subtree: bool) -> _Removal:
    texts = subtree(name) if is_subtree else NameRange(reversed_text(name), "", "")
    is_meant = partial(is_at_or_beneath, ancestor=name) if is_subtree else partial(eq, name)
    return _Removal(lambda files: files.forget_names(texts), lambda seen: seen.forget(is_meant))


def _of_device(pseudonym: int, today: str) -> _Removal:
    """Return the removal of today's rows: the keys of earlier pseudonyms are gone."""
    if not pseudonym:
        raise StoreError(say("there is no key of today's pseudonyms; see the journal"))
    return _Removal(
        lambda files: files.forget_device(pseudonym, today),
        lambda seen: seen.forget_device(pseudonym),
    )


def _of_day(day: str, today: str) -> _Removal:
    is_today = day == today
    return _Removal(
        lambda files: files.forget_days(day), lambda seen: seen.forget(lambda _: is_today), day
    )


def _of_all() -> _Removal:
    return _Removal(lambda files: files.forget_days(), lambda seen: seen.forget(lambda _: True))
