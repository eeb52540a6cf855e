# SPDX-License-Identifier: Apache-2.0
"""A teacher's lesson now: own places, what is open and may be opened there. Pure."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from filterd.base.state_file import to_plain
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.rights.permissions import Classroom, readable_classes, teaches_in
from filterd.overrides.rights.roles import Author, Rank, person_of
from filterd.policy.calendar import ALWAYS, bell
from filterd.policy.grade_changes import Seat, Why
from filterd.policy.grade_rows import CLOSED, state_of_service
from filterd.policy.model import Audience, Client
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.effective_policy import EffectivePolicy
    from filterd.policy.model import Network, Policy

MOST_EXCEPTIONS = 100

Place = dict[str, Any]


def own_lesson(
    author: Author, classroom: Classroom, moment: EffectivePolicy, wanted: str = ""
) -> dict[str, Any]:
    """Return the places of a teacher, and what is open in one of them.

    A place is ``class:6A`` or ``network:lab-a``, the audience of the teacher's changes. Those
    with a lesson come first; ``chosen`` is the wanted one, else the first, None for none. Its
    ``services`` are those that are closed there, neither locked nor guarded; one ``suits`` if it
    is for the age of any grade of the tier.

    Args:
        author: the teacher.
        classroom: the school at this moment.
        moment: the policy in force.
        wanted: the place that was chosen.
    """
    places = sorted(_places(author, classroom, moment), key=lambda place: not place["has_lesson"])
    chosen = next((place for place in places if place["place"] == wanted), None)
    chosen = chosen or next(iter(places), None)
    if chosen is None:
        return {"places": [], "chosen": None}
    return {"places": places, "chosen": {**chosen, **_open_in(chosen, author, classroom, moment)}}


def _places(author: Author, school: Classroom, moment: EffectivePolicy) -> Iterator[Place]:
    """Yield rooms without a class of the teacher, then the classes, with their rooms."""
    classes = readable_classes(author, lambda: school)
    rooms: dict[str, tuple[bool, str]] = {}
    for network in school.policy.networks:
        if not (network.room or author.rank < Rank.ADMIN) or not teaches_in(
            author, network.id, school
        ):
            continue
        seat = _seat(network, moment)
        if classes is None or seat.is_shared or seat.grade not in classes:
            yield _place(school, moment, Audience.NETWORK, network.id, network.id, seat)
        else:  # that of the lesson goes before the home room
            rooms[seat.grade] = max(rooms.get(seat.grade, (False, "")), (_is_set(seat), network.id))
    for class_id in sorted(classes or ()):
        has_lesson, room = rooms.get(class_id, (False, ""))
        seat = Seat(class_id, Why.LESSON if has_lesson else Why.OWN, ALWAYS)
        yield _place(school, moment, Audience.CLASS, class_id, room, seat)


def _seat(network: Network, moment: EffectivePolicy) -> Seat:
    """Return the seat of a network; a moment without times has no seats."""
    return moment.seats.get(network.id) or Seat(network.grade, Why.OWN, ALWAYS)


def _is_set(seat: Seat) -> bool:
    return seat.why in (Why.LESSON, Why.SET)


def _place(
    school: Classroom,
    moment: EffectivePolicy,
    audience: Audience,
    whom: str,
    room: str,
    seat: Seat,
) -> Place:
    exam = moment.exams.get(room)
    rung = None if school.now is None else bell(school.policy, school.now, room)
    is_on = rung is not None and rung.lesson is not None
    return {
        "place": f"{audience}:{whom}",
        "audience": str(audience),
        "whom": whom,
        "room": room,
        "grade": seat.grade,
        "has_lesson": _is_set(seat),
        "lesson": rung.lesson if rung is not None else None,
        "bell_at": rung.until if rung is not None and is_on and isfinite(rung.until) else None,
        "day_ends_at": school.day_ends_at,
        "exam": None if exam is None else to_plain(exam),
    }


def _open_in(
    place: Place, author: Author, school: Classroom, moment: EffectivePolicy
) -> dict[str, Any]:
    policy = moment.policy
    key = next(
        (network.grade for network in policy.networks if network.id == place["room"]),
        place["grade"],
    )
    grade = policy.grades.get(key) or policy.grades[policy.unknown_grade]
    client = Client(grade, place["room"] or None)
    now = school.now or 0.0
    there = [
        exception
        for exception in school.overrides.exceptions
        if not has_ended(exception, now) and client.is_of(exception.audience, exception.whom)
    ]
    open_by = {
        one.target: one.id
        for one in there
        if one.allow and one.kind is TargetKind.SERVICE and one.starts_at <= now
    }
    oldest = max(one.age for one in policy.grades.values() if one.tier == grade.tier)
    services = [
        {
            "id": service.id,
            "name_vi": service.name_vi,
            "name_en": service.name_en,
            "group": service.group,
            "min_age": age,
            "open_by": open_by.get(service.id),
            "suits": age <= oldest,
        }
        for service in policy.services.values()
        if state_of_service(policy, grade, service.id) == CLOSED
        and service.group not in grade.guarded
        for age in [service.min_age or _age_of(policy, service.group)]
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


def _age_of(policy: Policy, category: str) -> int:
    known = policy.categories.get(category)
    return known.min_age or 0 if known else 0


def _is_own(author: Author, made_by: str) -> bool:
    return author.rank >= Rank.ADMIN or person_of(made_by) == author.person
