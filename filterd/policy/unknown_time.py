# SPDX-License-Identifier: Apache-2.0
"""Policy while the time is not known: closing rules hold, opening ones not. Pure.

A board without a battery starts with a clock that is behind, or in 1970. *Policy time* is
the time that dated rules go by. It is Unix time once the clock is trusted, and less than
``UNKNOWN_BEFORE`` until then. The only certain fact about an unknown time is its *floor*:
the last time that was known on this machine. So of dated rules

- a block, an exam and what a schedule closes hold, unless they had ended by the floor;
- an allow, the suspension of an entry and what a schedule opens hold only if they had
  begun by the floor and have no end;
- a room has the strictest of the grades that it may have: those of its timetable, and of
  the settings that may be active;
- the query log of a tier has the least of the levels that it may have.

Of the exams that may be on in a room the one that begins first is: the one that was on, if
one was. An exam that is planned for a later day holds too, because that day may have come.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from filterd.policy import log_levels
from filterd.policy.model import Period
from filterd.policy.temporary_rules import TargetKind
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import LocalRule, Network, Policy
    from filterd.policy.temporary_rules import Exam, LocalException, Overrides, RoomSetting

UNKNOWN_BEFORE = -(2.0**39)
"""A policy time before this one means that the time is not known."""
UNKNOWN_LEAD_S = -(2.0**40)
"""Added to a monotonic time, it makes a policy time that is not known."""
LATEST = RELEASED_AT + 20 * 366 * 86_400.0
"""A clock later than this is not trusted: no release is in use for so long."""


def is_known(now: float) -> bool:
    """Return whether a policy time is a Unix time."""
    return now >= UNKNOWN_BEFORE


def undated(policy: Policy, overrides: Overrides, floor: float) -> tuple[Policy, Overrides]:
    """Return policy and overrides without dates, which hold at any possible time.

    Args:
        policy: of the site's files.
        overrides: those of commands.
        floor: the earliest possible Unix time.
    """
    rules = tuple(
        replace(one, starts_at=None, ends_at=None) for one in policy.rules if _may_hold(one, floor)
    )
    closing = tuple(one for one in policy.scheduled if not one.opens)
    settings = [one for one in overrides.rooms if one.grade in policy.grades]
    networks = tuple(_of_unknown_grade(one, settings, floor) for one in policy.networks)
    plain = replace(
        policy,
        rules=rules,
        scheduled=closing,
        networks=networks,
        lessons=(),
        holidays=(),
        log=log_levels.at_unknown_time(policy, overrides, floor),
    )
    exceptions = (one for one in overrides.exceptions if _may_hold(one, floor))
    said = replace(
        overrides,
        exceptions=tuple(
            replace(one, starts_at=-inf, ends_at=None)
            for one in exceptions
            if one.kind is not TargetKind.ENTRY  # without an end of its own it ends after 14 days
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
        log_settings=(),
    )
    return plain, said


def without_dates(overrides: Overrides) -> Overrides:
    """Return overrides in which closing rules hold that have no date yet.

    The manager dates them a moment after the time is known; until then nothing may open.
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
    """Return whether an allow or block holds at an unknown time; see the module."""
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
    """Return a network with all grades that it may have, as cells of an unreal lesson.

    Between lessons a room has the strictest grade of its timetable (``policy.grade_changes``).
    """
    may_be = list[str]()
    for one in sorted(settings, key=lambda one: -one.id):
        if one.room == network.id and (one.ends_at is None or one.ends_at > floor):
            may_be.append(one.grade)
            if one.ends_at is None and one.starts_at <= floor:  # older settings do not count
                break
    else:
        if not may_be and not network.timetable:
            return network
        may_be += [one.grade for one in network.timetable] or [network.grade]
    return replace(network, timetable=tuple(Period(0, "", one) for one in dict.fromkeys(may_be)))
