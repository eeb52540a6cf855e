# SPDX-License-Identifier: Apache-2.0
"""Rows of what holds now: rooms, classes, levels of the query log.

A room has its grade, the source of it and its end; a class its teachers and where it sits; a
tier its level, and the setting that gives it.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from filterd.base.state_file import to_plain
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.descriptions import Describer, not_ended
from filterd.policy.calendar import Calendar, Closures
from filterd.policy.grade_changes import Why, with_devices
from filterd.policy.log_levels import LogLevel, levels, levels_of
from filterd.texts import words
from filterd.texts.i18n import UNSAID, say
from filterd.texts.rows import Column, Details, Listing, Row, Wording, when

if TYPE_CHECKING:
    from filterd.policy.effective_policy import EffectiveState
    from filterd.policy.model import Network, SchoolClass


def room_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return a row for each network."""
    return [_row(now, device) for device in with_devices(now.policy, now.overrides)]


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
    days = (holiday for holiday in now.policy.holidays if today in Closures([holiday]))
    return next(({"vi": day.name_vi, "en": day.name_en} for day in days), None)


def _lesson(now: EffectiveState) -> str | None:
    shown = Calendar(now.policy.time_zone).reading(now.clock.now)
    lessons = (
        lesson for lesson in now.policy.lessons if lesson.starts_s <= shown.second < lesson.ends_s
    )
    return next((lesson.id for lesson in lessons), None)


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
        Column(say("Grade"), worded=lambda row, by: Describer(*by).grade(_sitting(row, by))),
        _BECAUSE,
        Column(say("Until"), "until", when),
        Column(say("Ranges"), worded=lambda row, _: ", ".join((*row["cidrs"], *row["interfaces"]))),
        Column(say("Devices"), "macs", lambda macs, _: "\n".join(macs)),
        Column(say("Set"), worded=lambda one, by: Describer(*by).thing("rooms", one), each="rooms"),
        Column(
            say("Exam"), worded=lambda one, by: Describer(*by).thing("exams", one), each="exams"
        ),
    ),
    lambda row, _: row["room"],
)


def class_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return a row for each class."""
    return [class_row(now, one) for one in now.policy.classes]


def class_row(now: EffectiveState, one: SchoolClass) -> dict[str, Any]:
    """Return the row of one class, with its loans and its lessons."""
    seats = now.moment.seats
    loans = not_ended(map(to_plain, now.overrides.loans), now.clock.now)
    return {
        "class": one.id,
        "grade": one.grade,
        "teachers": list(one.teachers),
        "networks": [net.id for net in now.policy.networks if net.grade == one.id],
        "sits_in": [
            room
            for room, seat in seats.items()
            if seat.grade == one.id and seat.why is not Why.OWN and not seat.is_shared
        ],
        "loans": [loan for loan in loans if loan["class_id"] == one.id],
        "lessons": [
            {
                "weekday": period.weekday,
                "lesson": period.lesson,
                "room": net.id,
                "teacher": period.teacher,
            }
            for net in now.policy.networks
            for period in net.timetable
            if period.grade == one.id
        ],
    }


def _joined(values: list[str], _: Wording) -> str:
    return ", ".join(values)


def _loans(loans: list[Row], by: Wording) -> str:
    return "\n".join(f"{loan['to']} {Describer(*by).term(loan)}" for loan in loans)


def _class_lesson(lesson: Row, by: Wording) -> str:
    day = by.texts(words.WEEKDAY[str(lesson["weekday"])])
    cell = f"{day} {lesson['lesson']}: {lesson['room']}"
    return f"{cell}, {lesson['teacher']}" if lesson["teacher"] else cell


_COLUMNS = (
    Column(say("Grade"), "grade"),
    Column(say("Teachers"), "teachers", _joined),
    Column(say("Home room"), "networks", _joined),
    Column(say("Sits in"), "sits_in", _joined),
)
CLASSES = Listing(
    say("Classes"),
    say("The site has no classes; name them under classes in site.yaml."),
    (Column(say("Class"), "class"), *_COLUMNS, Column(say("Lent"), "loans", _loans)),
)
CLASS = Details(
    (
        *_COLUMNS,
        Column(
            say("Lent"), worded=lambda one, by: Describer(*by).thing("loans", one), each="loans"
        ),
        Column(say("Lessons"), worded=_class_lesson, each="lessons"),
        Column(
            say("Set"),
            worded=lambda it, by: Describer(*by).thing("exceptions", it),
            each="exceptions",
        ),
    ),
    lambda row, by: by.texts("class {class_id}", class_id=row["class"]),
)


def level_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return a row for each tier: level, level of the files, setting or None."""
    rows = []
    by_command = levels(now.policy, now.overrides, now.clock.now)
    for tier, files in levels_of(now.policy).items():
        level = now.moment.policy.log.level_of(tier)  # less, while the time is not known
        found = by_command[tier]
        setting = found.setting if found.level is level else None
        rows.append(
            {
                "tier": tier,
                "level": level.value,
                "files": files.value,
                "setting": None if setting is None else to_plain(setting),
            }
        )
    return rows


def waiting_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return the settings that a second person has not confirmed, as plain data."""
    settings = now.overrides.log_settings
    open_now = (
        setting
        for setting in settings
        if setting.is_waiting and not has_ended(setting, now.clock.now)
    )
    return [to_plain(one) for one in open_now]


def levels_now(now: EffectiveState) -> dict[str, Any]:
    """Return the level of each tier, and what waits for a second person."""
    return {"tiers": level_rows(now), "waiting": waiting_rows(now)}


def named_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of tiers at a level that keeps names."""
    return [row for row in rows if LogLevel(row["level"]).includes(LogLevel.NAMES)]


def _source(row: Row, by: Wording) -> str:
    """Return the source of a level: the files, or a change with term and people."""
    setting = row["setting"]
    if setting is None:
        return "site.yaml"
    return f"{by.texts('change {number}', number=setting['id'])} {_agreed(setting, by)}"


def _agreed(setting: Row, by: Wording) -> str:
    """Return the term of a setting, and the people who set and confirmed it."""
    describer = Describer(*by)
    people = f"({describer.agreed(setting)})" if setting["author"] else ""
    return f"{describer.term(setting)} {people}".strip()


def level_lines(day: Row, by: Wording) -> str:
    """Return the levels that keep names, and what waits for confirmation, a line each."""
    lines = []
    for row in day.get("log_levels", ()):
        line = f"{by.texts.word(words.TIER, row['tier'])}: {row['level']}"
        if row["setting"] is not None:
            line += f" {_agreed(row['setting'], by)}"
        lines.append(line)
    lines += (waiting_sentence(one, by) for one in day.get("log_waiting", ()))
    return "\n".join(lines)


def levels_style(day: Row) -> str:
    """Return the style of ``level_lines``: a colour while a tier is at ``full``."""
    is_full = any(row["level"] == LogLevel.FULL for row in day.get("log_levels", ()))
    return "yellow" if is_full or day.get("log_waiting") else ""


def waiting_sentence(setting: Row, by: Wording) -> str:
    """Return a sentence on a setting that waits, with the command that confirms it."""
    people = f" ({Describer(*by).agreed(setting)})" if setting["author"] else ""
    return by.texts(
        "{what} waits for a second person to confirm it: filterd log confirm {id}",
        what=Describer(*by).thing("log_settings", setting) + people,
        id=setting["id"],
    )


LEVELS = Listing(
    say("Levels of the query log"),
    say("The site has no grades."),
    (
        Column(say("Tier"), "tier", words.TIER),
        Column(say("Level"), "level", style={LogLevel.FULL.value: "yellow"}),
        Column(say("Source"), worded=_source),
        Column(say("Reason"), worded=lambda row, _: (row["setting"] or {}).get("reason", "")),
    ),
)
