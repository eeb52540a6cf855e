# SPDX-License-Identifier: Apache-2.0
"""What policy decides while the time is not known: what closes holds, what opens does not. Pure.

A board without a battery starts with a clock that is behind, or in 1970. *Policy time* is
what the rules with dates go by. It is Unix time once the clock is believed, and less than
``UNKNOWN_BEFORE`` until then. What is certain of an unknown time is its *floor*: the last
time that was known on this machine. So of what has a date

- a block, an exam and what a schedule closes hold, unless they had ended by the floor;
- an allow, the suspension of an entry and what a schedule opens hold only if they had
  begun by the floor and have no end;
- a room has the strictest of the grades that it may have: those of its timetable, and of
  the settings that may be in force.

Of the exams that may be on in a room the one that begins first is: the one that was on, if
one was. An exam that is planned for a later day holds too, because that day may have come.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from filterd.policy.temporary_rules import TargetKind
from filterd.policy.timetable import Period
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import LocalRule, Network, Policy
    from filterd.policy.temporary_rules import Exam, LocalException, Overrides, RoomSetting

UNKNOWN_BEFORE = -(2.0**39)
"""A policy time before this one says that the time is not known."""
UNKNOWN_LEAD_S = -(2.0**40)
"""What is added to a monotonic time to make a policy time that is not known."""
LATEST = RELEASED_AT + 20 * 366 * 86_400.0
"""No clock is believed that shows a later Unix time: a release does not live for so long."""


def is_known(now: float) -> bool:
    """Tell whether a policy time is a Unix time."""
    return now >= UNKNOWN_BEFORE


def undated(policy: Policy, overrides: Overrides, floor: float) -> tuple[Policy, Overrides]:
    """Return the policy and the overrides that hold, without dates, whatever the time is.

    Args:
        policy: of the site's files.
        overrides: what commands have set.
        floor: the Unix time that it is at least.
    """
    rules = tuple(
        replace(one, starts_at=None, ends_at=None) for one in policy.rules if _may_hold(one, floor)
    )
    closing = tuple(one for one in policy.scheduled if not one.opens)
    settings = [one for one in overrides.rooms if one.grade in policy.grades]
    networks = tuple(_of_unknown_grade(one, settings, floor) for one in policy.networks)
    plain = replace(
        policy, rules=rules, scheduled=closing, networks=networks, lessons=(), holidays=()
    )
    exceptions = (one for one in overrides.exceptions if _may_hold(one, floor))
    said = replace(
        overrides,
        exceptions=tuple(
            replace(one, starts_at=-inf, ends_at=None)
            for one in exceptions
            if one.kind is not TargetKind.ENTRY  # it ends after 14 days, if it says nothing
        ),
        rooms=(),
        exams=tuple(
            replace(one, starts_at=-inf, ends_at=inf) for one in _exams(overrides.exams, floor)
        ),
        grades=tuple(
            replace(one, starts_at=-inf)
            for one in overrides.grades
            if one.starts_at <= floor or not one.opens
        ),
    )
    return plain, said


def without_dates(overrides: Overrides) -> Overrides:
    """Return the overrides in which holds what closes and has no date yet, although it is time.

    The manager gives it one a moment after the time is known; until then nothing may open.
    """
    lengths = [one.for_s for one in overrides.exceptions]
    lengths += [one.for_s for one in overrides.rooms] + [one.for_s for one in overrides.exams]
    if not any(lengths):
        return overrides
    return replace(
        overrides,
        exceptions=tuple(
            one if one.for_s is None else replace(one, starts_at=-inf, ends_at=None)
            for one in overrides.exceptions
            if one.for_s is None or not one.allow
        ),
        rooms=tuple(one for one in overrides.rooms if one.for_s is None),
        exams=tuple(
            one if one.for_s is None else replace(one, starts_at=-inf, ends_at=inf)
            for one in overrides.exams
        ),
    )


def _may_hold(one: LocalRule | LocalException, floor: float) -> bool:
    """Tell whether an allow or block holds at an unknown time; see the module."""
    if not one.allow:
        return one.ends_at is None or one.ends_at > floor
    return one.ends_at is None and (one.starts_at is None or one.starts_at <= floor)


def _exams(exams: Iterable[Exam], floor: float) -> Iterable[Exam]:
    """Return for each room the exam that has not ended and begins first."""
    first: dict[str, Exam] = {}
    for exam in sorted(exams, key=lambda one: (one.starts_at, one.id)):
        if exam.ends_at > floor:
            first.setdefault(exam.room, exam)
    return first.values()


def _of_unknown_grade(network: Network, settings: Iterable[RoomSetting], floor: float) -> Network:
    """Return a network with all grades that it may have, as the cells of a lesson that never is.

    Between lessons a room has the strictest grade of its timetable (``policy.room_grades``).
    """
    may_be = list[str]()
    for one in sorted(settings, key=lambda one: -one.id):
        if one.room == network.id and (one.ends_at is None or one.ends_at > floor):
            may_be.append(one.grade)
            if one.ends_at is None and one.starts_at <= floor:  # what is older counts no more
                break
    else:
        if not may_be and not network.timetable:
            return network
        may_be += [one.grade for one in network.timetable] or [network.grade]
    return replace(network, timetable=tuple(Period(0, "", one) for one in dict.fromkeys(may_be)))
