# SPDX-License-Identifier: Apache-2.0
"""A teacher's lesson now: own classes and rooms, what is open there, what may be opened. Pure."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from filterd.overrides.effects import has_ended
from filterd.overrides.permissions import Classroom, readable_classes, teaches_in
from filterd.overrides.roles import Author, Rank, person_of
from filterd.policy.calendar import bell
from filterd.policy.grade_changes import Why
from filterd.policy.grade_differences import CLOSED, state_of_service
from filterd.policy.model import Audience, Client
from filterd.policy.temporary_rules import TargetKind
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.effective_policy import EffectivePolicy
    from filterd.policy.grade_changes import Seat

MOST_EXCEPTIONS = 100

Place = dict[str, Any]


def own_lesson(
    author: Author, classroom: Classroom, moment: EffectivePolicy, wanted: str = ""
) -> dict[str, Any]:
    """Return the places of a teacher, and what is open in one of them.

    A place is ``class:6A`` or ``network:lab-a``, the audience of the teacher's changes. Those
    with a lesson come first; ``chosen`` is the wanted one, else the first, None for none.

    Args:
        author: the teacher.
        classroom: the school at this moment.
        moment: the policy in force.
        wanted: the place that was chosen.
    """
    places = sorted(_places(author, classroom, moment), key=lambda one: not one["has_lesson"])
    chosen = next((one for one in places if one["place"] == wanted), None)
    chosen = chosen or next(iter(places), None)
    if chosen is None:
        return {"places": [], "chosen": None}
    return {"places": places, "chosen": {**chosen, **_open_in(chosen, author, classroom, moment)}}


def _places(author: Author, school: Classroom, moment: EffectivePolicy) -> Iterator[Place]:
    classes = readable_classes(author, lambda: school)
    rooms = [one.id for one in school.policy.networks if teaches_in(author, one.id, school)]
    of_class: dict[str, str] = {}
    for room in rooms:
        seat = moment.seats.get(room)
        if seat is not None and not seat.is_shared:
            is_own = classes is not None and seat.grade in classes
            if is_own and _is_lesson(seat):
                of_class.setdefault(seat.grade, room)
            elif not is_own:
                yield _place(school, moment, Audience.NETWORK, room, room)
        else:
            yield _place(school, moment, Audience.NETWORK, room, room)
    for one in sorted(classes or ()):
        yield _place(school, moment, Audience.CLASS, one, of_class.get(one, ""))


def _is_lesson(seat: Seat) -> bool:
    return seat.why in (Why.LESSON, Why.SET)


def _place(
    school: Classroom, moment: EffectivePolicy, audience: Audience, whom: str, room: str
) -> Place:
    seat = moment.seats.get(room)
    grade = whom if audience is Audience.CLASS else (seat.grade if seat else "")
    exam = moment.exams.get(room)
    rung = None if school.now is None else bell(school.policy, school.now, room)
    is_on = rung is not None and rung.lesson is not None
    return {
        "place": f"{audience}:{whom}",
        "audience": str(audience),
        "whom": whom,
        "room": room,
        "grade": grade or school.policy.unknown_grade,
        "has_lesson": seat is not None and _is_lesson(seat),
        "lesson": rung.lesson if rung is not None else None,
        "bell_at": rung.until if rung is not None and is_on and isfinite(rung.until) else None,
        "day_ends_at": school.day_ends_at,
        "exam": None if exam is None else to_plain(exam),
    }


def _open_in(
    place: Place, author: Author, school: Classroom, moment: EffectivePolicy
) -> dict[str, Any]:
    policy = moment.policy
    key = next((one.grade for one in policy.networks if one.id == place["room"]), place["grade"])
    grade = policy.grades[key]
    client = Client(grade, place["room"] or None)
    now = school.now or 0.0
    there = [
        one
        for one in school.overrides.exceptions
        if not has_ended(one, now) and client.is_of(one.audience, one.whom)
    ]
    open_by = {
        one.target: one.id
        for one in there
        if one.allow and one.kind is TargetKind.SERVICE and one.starts_at <= now
    }
    services = [
        {
            "id": one.id,
            "name_vi": one.name_vi,
            "name_en": one.name_en,
            "group": one.group,
            "min_age": one.min_age,
            "open_by": open_by.get(one.id),
            "suits": one.min_age is None or one.min_age <= grade.age,
        }
        for one in policy.services.values()
        if state_of_service(policy, grade, one.id) == CLOSED
    ]
    return {
        "tier": grade.tier,
        "age": grade.age,
        "services": services,
        "exceptions": [
            {**to_plain(one), "is_own": _is_own(author, one.author)}
            for one in there[-MOST_EXCEPTIONS:]
        ],
        "left_out": max(0, len(there) - MOST_EXCEPTIONS),
    }


def _is_own(author: Author, made_by: str) -> bool:
    return author.rank >= Rank.ADMIN or person_of(made_by) == author.person
