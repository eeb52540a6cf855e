# SPDX-License-Identifier: Apache-2.0
"""Rows of classes: the teachers of each, its home rooms, and where it sits now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.i18n import say
from filterd.overrides.descriptions import Teller, not_ended
from filterd.policy.grade_changes import Why
from filterd.rows import Column, Details, Listing, Row, Wording
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from filterd.policy.effective_policy import EffectiveState
    from filterd.policy.model import SchoolClass


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
    return "\n".join(f"{one['to']} {Teller(*by).term(one)}" for one in loans)


def _lesson(lesson: Row, by: Wording) -> str:
    day = by.texts(words.WEEKDAY[str(lesson["weekday"])])
    told = f"{day} {lesson['lesson']}: {lesson['room']}"
    return f"{told}, {lesson['teacher']}" if lesson["teacher"] else told


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
        Column(say("Lent"), worded=lambda one, by: Teller(*by).thing("loans", one), each="loans"),
        Column(say("Lessons"), worded=_lesson, each="lessons"),
        Column(
            say("Set"), worded=lambda it, by: Teller(*by).thing("exceptions", it), each="exceptions"
        ),
    ),
    lambda row, by: by.texts("class {class_id}", class_id=row["class"]),
)
