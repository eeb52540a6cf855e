# SPDX-License-Identifier: Apache-2.0
"""The week as lines of time, and a teacher's own lesson."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlencode

from filterd.operations.operation import TEACHERS
from filterd.operations.school import OWN_LESSON, WEEK
from filterd.overrides.descriptions import Describer
from filterd.policy.school_week import WEEK_DAYS
from filterd.policy.temporary_rules import written
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.texts.words import WEEKDAY
from filterd.web.form_choices import lengths, names_of
from filterd.web.operations.policy_operations import CATEGORIES
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.texts.rows import Row
    from filterd.web.visitor import Visitor

WIDTH = 96
"""Of a day in the units of its drawing: quarters of an hour."""

KINDS = {
    "schedules": say("schedule"),
    "exams": say("exam"),
    "rooms": say("room"),
    "exceptions": say("exception"),
}


class DayEdges(TypedDict):
    """A day of the week that is shown, and the Unix times between which it lies."""

    date: str
    starts_at: float
    ends_at: float


async def _load_week(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    week = await visitor.call(WEEK, day=given.get("day", ""))
    days: list[DayEdges] = week["days"]
    rows: list[Row] = week["rows"]
    monday = date.fromisoformat(days[0]["date"])
    describer = Describer(*visitor.wording)
    return {
        "week": week,
        "rows": [
            {
                "kind": row["of"],
                "what": _sentences(row, describer),
                "reason": row.get("reason", ""),
                "author": row.get("author", ""),
                "cells": [_cell(row["spans"], day, visitor) for day in days],
            }
            for row in rows
        ],
        "kinds": KINDS,
        "weekday": lambda day: visitor.texts.word(WEEKDAY, str(day)),
        "date": lambda at: f"{visitor.clock.shows(at):%d/%m/%Y}",
        "before": (monday - timedelta(days=WEEK_DAYS)).isoformat(),
        "after": (monday + timedelta(days=WEEK_DAYS)).isoformat(),
        "width": WIDTH,
    }


def _sentences(row: Row, describer: Describer) -> list[str]:
    """Return the subject of a row, as lines."""
    if row["of"] != "schedules":
        return [describer.thing(row["of"], row)]
    return [row["schedule"], *(_scheduled(one, describer) for one in row["closes"])]


def _scheduled(row: Row, describer: Describer) -> str:
    key = say("open {what} to {whom}") if row["opens"] else say("close {what} to {whom}")
    what = written(row["kind"], row["target"])
    return describer.texts(key, what=what, whom=describer.whom(row["audience"], row["whom"]))


def _cell(spans: Sequence[tuple[float, float]], day: DayEdges, visitor: Visitor) -> dict[str, Any]:
    """Return the bars of a day, as place and width, and the same times in words."""
    first, last = day["starts_at"], day["ends_at"]
    cut = [(max(first, since), min(last, until)) for since, until in spans]
    cut = [(since, until) for since, until in cut if since < until]
    scale = WIDTH / (last - first)
    return {
        "bars": [
            (round((since - first) * scale, 2), round((until - since) * scale, 2))
            for since, until in cut
        ],
        "times": [
            visitor.texts("all day")
            if (since, until) == (first, last)
            else f"{_clock(since, first, last, visitor)}-{_clock(until, first, last, visitor)}"
            for since, until in cut
        ],
    }


def _clock(at: float, first: float, last: float, visitor: Visitor) -> str:
    """Return a time of day; the edges of the day are 0:00 and 24:00."""
    return "24:00" if at == last else f"{visitor.clock.shows(max(at, first)):%H:%M}"


WEEK_PAGE = Page(path="/week", title=say("The week"), template="week.html", load=_load_week)


LENGTHS_S = (15 * 60, 45 * 60, 90 * 60)
EXAM_LENGTHS_S = (15 * 60, 45 * 60, 60 * 60, 90 * 60, 120 * 60)
REASONS = (
    say("needed in this lesson"),
    say("group work"),
    say("a video for the lesson"),
    say("search for material"),
    say("an exercise on the Internet"),
)


async def _load_lesson(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    place = given.get("place", "")
    lesson = await visitor.call(OWN_LESSON, place=place)
    chosen = lesson["chosen"] or {}
    services = chosen.get("services", ())
    names = names_of(await visitor.call(CATEGORIES), visitor.wording) if services else {}
    groups: dict[str, list[Row]] = {}
    for service in services:
        if service["suits"]:
            groups.setdefault(names.get(service["group"], service["group"]), []).append(service)
    return {
        "places": lesson["places"],
        "spot": lesson["chosen"],
        "back": f"/lesson?{urlencode({'place': chosen['place']})}" if chosen else "/lesson",
        "groups": groups,
        "older": [service for service in services if not service["suits"]],
        "lengths": lengths(LENGTHS_S, visitor.wording),
        "exam_lengths": lengths(EXAM_LENGTHS_S, visitor.wording),
        "reasons": REASONS,
        "describer": Describer(*visitor.wording),
        "words": words,
    }


LESSON_PAGE = Page(
    path="/lesson",
    title=say("My lesson"),
    template="lesson.html",
    load=_load_lesson,
    roles=TEACHERS,
)
