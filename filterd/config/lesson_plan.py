# SPDX-License-Identifier: Apache-2.0
"""Check and compile lessons, holidays and timetables of rooms; report holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config.grades import strictest
from filterd.config.week_schema import WEEKDAYS
from filterd.documents import did_you_mean
from filterd.i18n import say
from filterd.policy.model import Holiday, Lesson, Network, Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.config.error_collector import Problems
    from filterd.config.site_schema import NetworkEntry, SiteFile
    from filterd.documents import Document
    from filterd.errors import ConfigError
    from filterd.lists.catalog import PublicHoliday
    from filterd.policy.model import GradePolicy


def compile_lessons(document: Document, site: SiteFile, problems: Problems) -> tuple[Lesson, ...]:
    """Return the lessons as the day has them, and note those that overlap."""
    lessons = [Lesson(lesson, *times) for lesson, times in site.lessons.items()]
    lessons.sort(key=lambda lesson: (lesson.starts_s, lesson.ends_s))
    latest = None
    for lesson in lessons:
        if latest is not None and lesson.starts_s < latest.ends_s:
            reason = say("'{id}' begins before '{earlier}' ends", id=lesson.id, earlier=latest.id)
            hint = say("'{id}' ends at {time}", id=latest.id, time=_clock(latest.ends_s))
            problems.add(document.error(reason, ("lessons", lesson.id), hint=hint))
        if latest is None or lesson.ends_s > latest.ends_s:
            latest = lesson
    return tuple(lessons)


def compile_holidays(site: SiteFile, public: Iterable[PublicHoliday]) -> tuple[Holiday, ...]:
    """Return public holidays and the school's own days off, in their order."""
    days = [Holiday(one.first, one.last, one.name_vi, one.name_en) for one in public]
    days += (Holiday(one.first, one.last or one.first, one.name, one.name) for one in site.holidays)
    return tuple(sorted(days, key=lambda day: (day.first, day.last)))


def compile_networks(site: SiteFile, grades: Mapping[str, GradePolicy]) -> tuple[Network, ...]:
    """Return the networks; a room without a grade of its own has the strictest of its timetable."""
    return tuple(
        Network(
            network_id,
            one.grade or strictest(grades, grades_of(one)),
            one.cidrs,
            one.interfaces,
            one.macs,
            tuple(_periods(one)),
            one.is_room,
            one.on_holidays,
        )
        for network_id, one in site.networks.items()
    )


def grades_of(network: NetworkEntry) -> set[str]:
    """Return every grade that a network may have by the files."""
    named = {grade for lessons in network.timetable.values() for grade in lessons.values()}
    return named if network.grade is None else {network.grade, *named}


def check_timetables(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note unknown lessons, and days that appear twice, once in each language."""
    for network_id, network in site.networks.items():
        seen: dict[int, str] = {}
        for day, lessons in network.timetable.items():
            where = ("networks", network_id, "timetable", day)
            first = seen.setdefault(WEEKDAYS[day], day)
            if first != day:
                reason = say("'{day}' and '{first}' are the same day", day=day, first=first)
                problems.add(document.error(reason, where, hint=say("put both together")))
            for lesson in lessons:
                if lesson not in site.lessons:
                    hint = did_you_mean(lesson, site.lessons) or say("name it under lessons")
                    reason = say("'{lesson}' is not a lesson of this site", lesson=lesson)
                    problems.add(document.error(reason, (*where, lesson), hint=hint))


def holes(document: Document, site: SiteFile) -> Iterator[ConfigError]:
    """Yield the holes of a timetable: lessons without an entry between two of a day.

    A lesson that no timetable has at all is a break, and no hole.
    """
    held = {
        lesson
        for network in site.networks.values()
        for lessons in network.timetable.values()
        for lesson in lessons
    }
    order = sorted(held & site.lessons.keys(), key=lambda lesson: site.lessons[lesson])
    for network_id, network in site.networks.items():
        for day, lessons in network.timetable.items():
            there = [lesson in lessons for lesson in order]
            if True not in there:
                continue
            first, last = there.index(True), len(there) - there[::-1].index(True)
            missing = [lesson for lesson in order[first:last] if lesson not in lessons]
            if missing:
                reason = say(
                    "'{network_id}' has no grade in {lessons} of {day}",
                    network_id=network_id,
                    lessons=", ".join(missing),
                    day=day,
                )
                hint = say("then it has the strictest grade of its timetable")
                where = ("networks", network_id, "timetable", day)
                yield document.error(reason, where, hint=hint)


def _periods(network: NetworkEntry) -> Iterator[Period]:
    for day, lessons in network.timetable.items():
        for lesson, grade in lessons.items():
            yield Period(WEEKDAYS[day], lesson, grade)


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second % 3600 // 60:02}"
