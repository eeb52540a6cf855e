# SPDX-License-Identifier: Apache-2.0
"""Edit the lessons, timetables and schedules of the site. Pure."""

from __future__ import annotations

from typing import Any

from filterd.policy.school_week import DAYS, WEEKDAYS
from filterd.texts.i18n import say
from filterd.web.sections.site_section import (
    IDENTIFIER,
    ITEM,
    REMOVE,
    Edits,
    Lines,
    Plain,
    SiteField,
    SiteSection,
    Values,
    edit,
    items_of,
    mapping,
    no_such_line,
    pairs,
    seat_value,
    seats,
    texts_of,
)

_OF_WEEK = {word: DAYS[number] for word, number in WEEKDAYS.items()}

LESSONS = SiteSection(
    id="lessons",
    operation="editLessons",
    title=say("Lessons"),
    about=say("The lessons and breaks of the day."),
    values=lambda data, _: {"lessons": [f"{k} {v}" for k, v in mapping(data, "lessons").items()]},
    edits=lambda _, given: [edit(pairs(given.get("lessons", [])) or None, "lessons")],
    fields=(
        SiteField(
            "lessons",
            say("Lessons and breaks, one a line"),
            Lines(40, 100),
            help=say("Such as: tiet-1 07:00-07:45"),
        ),
    ),
)


def _seat_of(cell: Any) -> str:
    if isinstance(cell, dict):
        cell = cell.get("class") or cell.get("grade") or ""
    return str(cell)


def _cells(data: Plain, item: str) -> dict[str, str]:
    """Return the seat of each lesson of a room, by ``DAY LESSON``."""
    table = mapping(data, "networks", item, "timetable")
    return {
        f"{_OF_WEEK.get(str(day), day)} {lesson}": _seat_of(cell)
        for day, lessons in table.items()
        if isinstance(lessons, dict)
        for lesson, cell in lessons.items()
    }


def _week_edits(data: Plain, given: Values) -> Edits:
    """Return the edits of a grid; a lesson that stays keeps its teacher."""
    item, written = given[ITEM], mapping(data, "networks", given[ITEM], "timetable")
    days = {_OF_WEEK.get(str(day), str(day)): str(day) for day in written}
    wanted: dict[str, dict[str, Any]] = {}
    for line in given.get("cells", []):
        day, lesson, seat = (*line.split(), "", "", "")[:3]
        if day not in _OF_WEEK or not seat:
            raise no_such_line(line)
        day = days.get(_OF_WEEK[day], _OF_WEEK[day])
        old = mapping(written, day).get(lesson)
        is_same = old is not None and _seat_of(old) == seat
        wanted.setdefault(day, {})[lesson] = old if is_same else seat_value(seat)
    order = [*days.values(), *(day for day in wanted if day not in days.values())]
    table = {day: wanted[day] for day in order if day in wanted}
    return [edit(table or None, "networks", item, "timetable")]


def _rooms(data: Plain) -> list[str]:
    return [
        name
        for name, one in mapping(data, "networks").items()
        if isinstance(one, dict) and (one.get("room") is True or one.get("timetable"))
    ]


TIMETABLES = SiteSection(
    id="timetables",
    operation="editTimetable",
    title=say("Timetables of rooms"),
    about=say(
        "The class in a room, lesson by lesson. Between lessons the strictest of them holds."
    ),
    items=_rooms,
    values=lambda data, item: {"cells": _cells(data, item)},
    edits=_week_edits,
    fields=(SiteField("cells", say("Timetable"), Lines(7 * 40, 100), choices=seats),),
)


_WINDOW_KEYS = ("first", "last", "holidays")


def _window_line(window: Plain) -> str:
    days = " ".join(texts_of(window.get("days")))
    more = " ".join(f"{key}={window[key]}" for key in _WINDOW_KEYS if window.get(key) is not None)
    return " ".join(filter(None, (days, f"{window.get('from')}-{window.get('to')}", more)))


def _window(line: str) -> Plain:
    """Return the window of a line such as ``t2 t3 07:00-11:30 holidays=off``.

    Raises:
        ConfigError: it is none.
    """
    found: Plain = {}
    days = []
    for word in line.split():
        key, equals, value = word.partition("=")
        starts, dash, ends = word.partition("-")
        if word in _OF_WEEK:
            days.append(word)
        elif equals and key in _WINDOW_KEYS:
            found[key] = value
        elif dash and "from" not in found:
            found |= {"from": starts, "to": ends}
        else:
            raise no_such_line(line)
    return ({"days": days} if days else {}) | found


def _schedule_edits(data: Plain, given: Values) -> Edits:
    item, written = given[ITEM], items_of(mapping(data, "schedules"), given[ITEM])
    if given.get(REMOVE):
        return [edit(None, "schedules", item)]
    old = {_window_line(one): one for one in written if isinstance(one, dict)}
    windows = [old[line] if line in old else _window(line) for line in given.get("windows", [])]
    return [edit(windows, "schedules", item)]


SCHEDULES = SiteSection(
    id="schedules",
    operation="editSchedule",
    title=say("Schedules"),
    about=say("Named times. What they open or close is in the next part."),
    items=lambda data: list(mapping(data, "schedules")),
    item=(say("Name of the schedule, such as gio-hoc"), IDENTIFIER),
    values=lambda data, item: {
        "windows": [
            _window_line(one)
            for one in items_of(mapping(data, "schedules"), item)
            if isinstance(one, dict)
        ]
    },
    edits=_schedule_edits,
    fields=(
        SiteField(
            "windows",
            say("Times, one a line"),
            Lines(40, 120),
            help=say("Such as: t2 t3 t4 t5 t6 07:00-11:30 holidays=off"),
        ),
    ),
)


def _effect_line(effect: Plain) -> str:
    verb = "open" if "open" in effect else "close"
    what, whom = mapping(effect, verb), effect.get("for")
    if isinstance(whom, dict):
        whom = " ".join(f"{key} {value}" for key, value in whom.items())
    words = (f"{kind} {target}" for kind, target in what.items())
    return " ".join(
        (str(effect.get("schedule")), verb, *words, *(("for", str(whom)) if whom else ()))
    )


def _effect(line: str) -> Plain:
    words, _, whom = line.partition(" for ")
    parts = words.split()
    if len(parts) != 4 or parts[1] not in ("open", "close"):
        raise no_such_line(line)
    schedule, verb, kind, target = parts
    found: Plain = {"schedule": schedule, verb: {kind: target}}
    key, _, value = whom.strip().partition(" ")
    if key:
        found["for"] = {key: seat_value(value.strip())} if value else key
    return found


def _scheduled_edits(data: Plain, given: Values) -> Edits:
    old = {_effect_line(one): one for one in items_of(data, "scheduled") if isinstance(one, dict)}
    wanted = [old[line] if line in old else _effect(line) for line in given.get("effects", [])]
    return [edit(wanted or None, "scheduled")]


SCHEDULED = SiteSection(
    id="scheduled",
    operation="editScheduled",
    title=say("What schedules open and close"),
    about=say("A category, service, list or tier, while a schedule holds."),
    values=lambda data, _: {
        "effects": [
            _effect_line(one) for one in items_of(data, "scheduled") if isinstance(one, dict)
        ]
    },
    edits=_scheduled_edits,
    fields=(
        SiteField(
            "effects",
            say("One a line"),
            Lines(100, 200),
            help=say("Such as: gio-hoc close category games for network lab-a"),
        ),
    ),
)
