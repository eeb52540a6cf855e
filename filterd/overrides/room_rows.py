# SPDX-License-Identifier: Apache-2.0
"""Rows of rooms: the grade in each now, its source and its end; the week of one."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.i18n import UNSAID, say
from filterd.overrides.descriptions import Teller, not_ended
from filterd.policy.calendar import Calendar, Closures
from filterd.policy.grade_changes import Why, with_devices
from filterd.rows import Column, Details, Listing, Row, Wording, when
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from filterd.policy.effective_policy import EffectiveState
    from filterd.policy.model import Network


def room_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return a row for each network."""
    return [_row(now, one) for one in with_devices(now.policy, now.overrides)]


def room_row(now: EffectiveState, network: Network) -> dict[str, Any]:
    """Return the row of one network, with its timetable and all that is set for it."""
    row = next(one for one in room_rows(now) if one["room"] == network.id)
    plain = to_plain(now.overrides)
    for kind in ("rooms", "exams"):
        things = (one for one in plain[kind] if one["room"] == network.id)
        row[kind] = not_ended(things, now.clock.now)
    return {**row, "timetable": [to_plain(period) for period in network.timetable]}


def _row(now: EffectiveState, network: Network) -> dict[str, Any]:
    seat, exam = now.moment.seats.get(network.id), now.moment.exams.get(network.id)
    until = exam.ends_at if exam else seat.span.until if seat else None
    sitting = now.policy.grades[seat.grade if seat else network.grade]
    is_known = seat is None or not seat.is_shared
    return {
        "room": network.id,
        "is_room": network.room,
        "grade": sitting.grade,
        "class": sitting.class_id if is_known and sitting.class_id else None,
        "why": str(seat.why if seat else Why.OWN),
        "lesson": _lesson(now) if seat and seat.why is Why.LESSON else None,
        "author": seat.setting.author if seat and seat.setting else None,
        "until": until if until is not None and isfinite(until) else None,
        "exam": exam.id if exam else None,
        "holiday": _holiday(now) if seat and seat.why is Why.BETWEEN else None,
        "has_timetable": bool(network.timetable),
        "cidrs": list(network.cidrs),
        "interfaces": list(network.interfaces),
        "macs": list(network.macs),
    }


def _holiday(now: EffectiveState) -> dict[str, str] | None:
    """Return the names of the present day where it is a holiday, in both languages."""
    today = Calendar(now.policy.time_zone).reading(now.clock.now).day
    days = (one for one in now.policy.holidays if today in Closures([one]))
    return next(({"vi": one.name_vi, "en": one.name_en} for one in days), None)


def _lesson(now: EffectiveState) -> str | None:
    shown = Calendar(now.policy.time_zone).reading(now.clock.now)
    lessons = (one for one in now.policy.lessons if one.starts_s <= shown.second < one.ends_s)
    return next((one.id for one in lessons), None)


def is_changed(row: Row) -> bool:
    """Return whether a network differs now from the site's files."""
    return row["why"] != Why.OWN or row["exam"] is not None


def week(now: EffectiveState, network: Network) -> tuple[Listing, list[Row]]:
    """Return the timetable of a room: a row per lesson, a column per weekday in it."""
    cells = {(one.lesson, one.weekday): one.grade for one in network.timetable}
    weekdays = sorted({weekday for _, weekday in cells})
    columns = (Column(words.WEEKDAY[str(one)], str(one)) for one in weekdays)
    rows: list[Row] = [
        {"lesson": lesson.id, **{str(one): cells.get((lesson.id, one)) for one in weekdays}}
        for lesson in now.policy.lessons
        if any((lesson.id, one) in cells for one in weekdays)
    ]
    listing = Listing(say("Timetable"), UNSAID, (Column(UNSAID, "lesson"), *columns))
    return listing._replace(is_whole=False), rows


def _why(row: Row, by: Wording) -> str:
    if row["exam"]:
        return by.texts("exam {number}", number=row["exam"])
    if row["why"] == Why.LESSON:
        return row["lesson"] or by.texts("a lesson")
    if row["why"] == Why.SET:
        return by.texts("set by {author}", author=row["author"])
    if row["holiday"]:
        return by.texts("holiday {name}", name=row["holiday"][by.texts.language]).strip()
    return by.texts("between lessons") if row["why"] == Why.BETWEEN else ""


def _sitting(row: Row, _: Wording) -> str:
    return str(row["class"] or row["grade"])


_BECAUSE = Column(say("Because"), worded=_why)
ROOMS = Listing(
    say("Rooms at {when}"),
    UNSAID,
    (
        Column(say("Room"), "room"),
        Column(say("Grade"), worded=_sitting),
        _BECAUSE,
        Column(
            say("Until"),
            worded=lambda row, by: by.clock.text(row["until"]) if is_changed(row) else "",
        ),
        Column(say("Devices"), "macs", lambda macs, _: len(macs) or "", is_number=True),
    ),
    is_whole=False,
)
ROOM = Details(
    (
        Column(say("Grade"), worded=lambda row, by: Teller(*by).grade(_sitting(row, by))),
        _BECAUSE,
        Column(say("Until"), "until", when),
        Column(say("Ranges"), worded=lambda row, _: ", ".join((*row["cidrs"], *row["interfaces"]))),
        Column(say("Devices"), "macs", lambda macs, _: "\n".join(macs)),
        Column(say("Set"), worded=lambda one, by: Teller(*by).thing("rooms", one), each="rooms"),
        Column(say("Exam"), worded=lambda one, by: Teller(*by).thing("exams", one), each="exams"),
    ),
    lambda row, _: row["room"],
)
