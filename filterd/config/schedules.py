# SPDX-License-Identifier: Apache-2.0
"""Check and compile schedules, and the entries that they open and close.

Whether a window ever opens, and whether two ever are open at once, is found by
looking at days that stand for all: the weeks around every date that anything
hangs on, and one far from all of them. In between every week is like the next.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING

from filterd.config.scalars import check_audience
from filterd.documents import did_you_mean
from filterd.policy.calendar import Openings
from filterd.policy.model import DAY_S, TIER_OF_GRADE, Schedule, Scheduled, Window
from filterd.policy.school_week import WEEKDAYS
from filterd.texts.i18n import UNSAID, Sentence, quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.base.errors import ConfigError, Problems
    from filterd.config.local_rules import Things
    from filterd.config.site_schema import SiteFile
    from filterd.config.week_schema import ScheduledEntry, WindowEntry
    from filterd.documents import Document
    from filterd.policy.model import Holiday

_WEEK = timedelta(days=7)
_SOME_DAY = date(2026, 9, 7)


def compile_schedules(
    document: Document, site: SiteFile, holidays: Sequence[Holiday], problems: Problems
) -> tuple[Schedule, ...]:
    """Return the schedules, and note windows that never open."""
    schedules = tuple(
        Schedule(schedule, tuple(map(_window, windows)))
        for schedule, windows in site.schedules.items()
    )
    for schedule in schedules:
        for position, window in enumerate(schedule.windows):
            if not any(_openings(window, _days([window], holidays), holidays)):
                where = ("schedules", schedule.id, position)
                reason = say("it never opens: no day fits days, first, last and holidays")
                problems.add(document.error(reason, where, hint=say("leave one of them out")))
    return schedules


def compile_scheduled(
    document: Document,
    site: SiteFile,
    schedules: Sequence[Schedule],
    holidays: Sequence[Holiday],
    things: Things,
    lists: dict[str, str],
    problems: Problems,
) -> tuple[Scheduled, ...]:
    """Return the effects of schedules, and note entries that make no sense.

    Args:
        document: the site's file.
        site: its content.
        schedules: the site's.
        holidays: some schedules depend on them.
        things: categories and services that can be opened and closed.
        lists: the category of each list.
        problems: collects the errors.
    """
    checker = _Checker(document, site, things, lists, problems)
    sound = [
        (position, _scheduled(entry))
        for position, entry in enumerate(site.scheduled)
        if checker.is_sound(position, entry)
    ]
    windows = {schedule.id: schedule.windows for schedule in schedules}
    for (first, one), (second, other) in combinations(sound, 2):
        if (one.kind, one.target, one.audience, one.whom) != (
            other.kind,
            other.target,
            other.audience,
            other.whom,
        ):
            continue
        line, _ = document.place(("scheduled", first))
        if one == other:
            error = document.error(
                say("this occurs twice"),
                ("scheduled", second),
                hint=say("first in line {line}", line=line),
            )
            problems.add(error)
        elif one.opens is not other.opens and _meet(
            windows[one.schedule], windows[other.schedule], holidays
        ):
            reason = say("'{target}' would be both open and closed", target=one.target)
            hint = say("line {line} has the opposite for a part of that time", line=line)
            problems.add(document.error(reason, ("scheduled", second), hint=hint))
    return tuple(one for _, one in sound)


def unused_schedules(document: Document, site: SiteFile) -> Iterator[ConfigError]:
    """Yield schedules that open and close nothing."""
    used = {entry.schedule for entry in site.scheduled}
    for schedule in site.schedules:
        if schedule not in used:
            reason = say("the schedule '{schedule}' opens and closes nothing", schedule=schedule)
            hint = say("add what it opens or closes under scheduled")
            yield document.error(reason, ("schedules", schedule), hint=hint)


def past_windows(document: Document, site: SiteFile, today: date) -> Iterator[ConfigError]:
    """Yield windows that are over: none of their days comes again."""
    for schedule, windows in site.schedules.items():
        for position, window in enumerate(map(_window, windows)):
            overnight = timedelta(days=window.ends_s > DAY_S)
            if window.last and date.fromisoformat(window.last) + overnight < today:
                where = ("schedules", schedule, position, "last")
                hint = say("remove it, or name a later day")
                yield document.error(say("its last day is past: it never opens"), where, hint=hint)


class _Checker:
    """Checks entries of ``scheduled``."""

    def __init__(
        self,
        document: Document,
        site: SiteFile,
        things: Things,
        lists: dict[str, str],
        problems: Problems,
    ) -> None:
        self._document, self._site, self._problems = document, site, problems
        self._things, self._lists = things, lists

    def is_sound(self, position: int, entry: ScheduledEntry) -> bool:
        """Return whether everything in an entry exists and may be opened or closed so."""
        where = ("scheduled", position)
        sound = check_audience(self._document, where, entry.for_, self._site, self._problems)
        if entry.schedule not in self._site.schedules:
            hint = did_you_mean(entry.schedule, self._site.schedules) or say(
                "name it under schedules"
            )
            reason = say("'{schedule}' is not a schedule of this site", schedule=entry.schedule)
            error = self._document.error(reason, (*where, "schedule"), hint=hint)
            self._problems.add(error)
            sound = False
        kind, target = entry.target.named
        reason, hint = self._about(kind, target, entry)
        if reason:
            error = self._document.error(reason, (*where, entry.verb, kind), hint=hint)
            self._problems.add(error)
        return sound and not reason

    def _about(self, kind: str, target: str, entry: ScheduledEntry) -> tuple[Sentence, Sentence]:
        """Return the error of an entry's target, and a hint."""
        if kind == "tier":
            whom = entry.for_
            grade = whom.grade
            if whom.class_ in self._site.classes:
                grade = self._site.classes[whom.class_].grade
            tier = TIER_OF_GRADE[grade] if grade else whom.tier
            if tier in (None, target):
                return UNSAID, UNSAID
            return say("'for' has no grade of '{target}'", target=target), say("remove for")
        known: Iterable[str] = {
            "category": self._things.categories,
            "service": self._things.services,
            "list": self._lists,
        }[kind]
        if target not in known:
            no_such = say("'{target}' is not a {kind}", target=target, kind=quoted(kind))
            return no_such, did_you_mean(target, known)
        if not entry.open:
            return UNSAID, UNSAID
        if kind == "list":
            kind, target = "category", self._lists[target]
        return self._things.why_shut(kind, target), say("remove it")


def _window(entry: WindowEntry) -> Window:
    days = WEEKDAYS.values() if entry.days is None else (WEEKDAYS[day] for day in entry.days)
    return Window(
        frozenset(days),
        entry.from_,
        entry.to if entry.to > entry.from_ else entry.to + DAY_S,
        entry.first,
        entry.last,
        None if entry.holidays is None else entry.holidays == "on",
    )


def _scheduled(entry: ScheduledEntry) -> Scheduled:
    kind, target = entry.target.named
    return Scheduled(entry.schedule, entry.verb == "open", kind, target, *entry.for_.audience)


def _meet(these: Sequence[Window], those: Sequence[Window], holidays: Sequence[Holiday]) -> bool:
    """Return whether two lists of windows ever overlap."""
    days = _days([*these, *those], holidays)
    openings = [
        (starts, ends, side)
        for side, windows in enumerate((these, those))
        for window in windows
        for starts, ends in _openings(window, days, holidays)
    ]
    latest = [0, 0]
    for starts, ends, side in sorted(openings):
        if starts < latest[1 - side]:
            return True
        latest[side] = max(latest[side], ends)
    return False


def _openings(
    window: Window, days: Iterable[date], holidays: Sequence[Holiday]
) -> Iterator[tuple[int, int]]:
    """Yield the openings of a window that belong to these days.

    Each is from when until when the window is open, in seconds.
    """
    openings = Openings(Schedule("", (window,)), holidays)
    for day in days:
        edges = list(openings.edges(day))
        if edges:
            begins = day.toordinal() * DAY_S
            yield begins + edges[0], begins + edges[1]


def _days(windows: Iterable[Window], holidays: Iterable[Holiday]) -> list[date]:
    """Return days that stand for all there are."""
    written = {edge for window in windows for edge in (window.first, window.last) if edge}
    written |= {edge for holiday in holidays for edge in (holiday.first, holiday.last)}
    dates = {_SOME_DAY, *map(date.fromisoformat, written)}
    dates.add(max(dates) + 3 * _WEEK)
    around = range(-8, 9)
    return sorted({day + timedelta(days=off) for day in dates for off in around})
