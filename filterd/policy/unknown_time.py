# SPDX-License-Identifier: Apache-2.0
"""Policy while no source has confirmed the time: its closed side. Pure.

A board without a battery starts with a clock that is behind, or in 1970; another one is
hours ahead. *Policy time* is the time that dated rules go by. It is Unix time once a source
has confirmed the clock: a time server, or an administrator. Until then it is one of these:

- *unconfirmed*: Unix time and ``UNCONFIRMED_S``. The true time may be any from the *floor*,
  the last time that was confirmed here, to the time that the clock shows.
- *unknown*, less than ``UNKNOWN_BEFORE``: the clock cannot be right. The true time may be any
  from the floor on.

Of dated rules, for all times that the true one may be,

- a block, an exam and what a schedule closes hold if they do at any of them;
- an allow, a pause, the suspension of an entry and what a schedule opens hold only if they do
  at all of them;
- a room has the strictest of the grades that it may have: those of its timetable, and of
  the settings that may be active;
- the query log of a tier has the least of the levels that it may have.

So a rule ends for good only when the floor has passed its end, or by a confirmed time. What
was set for a length (``for_s``) before the time was confirmed goes by the time since, which is
certain as long as the machine runs: it closes for no less than that, and opens for no more;
after another boot it opens no longer.

Of the exams that may be on in a room the one that begins first is: the one that was on, if
one was. While the time is unknown, an exam that is planned for a later day holds too, because
that day may have come.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.policy import log_levels
from filterd.policy.calendar import Calendar, Openings, Timetable
from filterd.policy.model import Period
from filterd.policy.temporary_rules import (
    ClassLoan,
    Exam,
    GradeSetting,
    LocalException,
    LogSetting,
    RoomSetting,
    TargetKind,
)
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.policy.calendar import Pattern
    from filterd.policy.model import LocalRule, Network, Policy, Scheduled
    from filterd.policy.temporary_rules import Overrides

    Dated = ClassLoan | Exam | GradeSetting | LocalException | LocalRule | LogSetting | RoomSetting

UNKNOWN_BEFORE = -(2.0**39)
"""A policy time before this one means that the time is not known."""
UNKNOWN_LEAD_S = -(2.0**40)
"""Added to a monotonic time, it makes a policy time that is not known."""
UNCONFIRMED_S = -(2.0**38)
"""Added to the Unix time that a clock shows, it makes an unconfirmed policy time."""
_UNCONFIRMED_BEFORE = UNCONFIRMED_S / 2
LATEST = RELEASED_AT + 20 * 366 * 86_400.0
"""A clock later than this is not trusted: no release is in use for so long."""


class Certainty(NamedTuple):
    """What is certain while no source has confirmed the time.

    ``floor`` is the earliest possible Unix time. Changes after number ``since`` were made by
    the present clock, so that their age is known.
    """

    floor: float = -inf
    since: float = inf


def is_known(now: float) -> bool:
    """Return whether a policy time shows a time, confirmed or not."""
    return now >= UNKNOWN_BEFORE


def is_confirmed(now: float) -> bool:
    """Return whether a policy time is one that a source has confirmed."""
    return now >= _UNCONFIRMED_BEFORE


def shown(now: float) -> float:
    """Return the Unix time that a policy time shows; infinite while it is unknown."""
    if is_confirmed(now):
        return now
    return now - UNCONFIRMED_S if is_known(now) else inf


def of_facts(clock: Mapping[str, Any]) -> tuple[float, Certainty]:
    """Return policy time, and what is certain about it, from the daemon's plain data."""
    now = clock["policy_time"]  # a daemon of the release before has less than this
    certain = Certainty(clock.get("not_before", clock["floor"]), clock.get("since", inf))
    if now is None:
        return UNKNOWN_LEAD_S, certain
    return now + UNCONFIRMED_S if clock.get("standing") == "unconfirmed" else now, certain


def known_or_least(clock: Mapping[str, Any]) -> float:
    """Return the time that policy goes by, or the last known: of the facts of a clock."""
    now = clock["policy_time"]
    return float(clock["floor"] if now is None else now)


def band(now: float) -> tuple[float, float]:
    """Return first and end of the policy times of one sort, not of confirmed ones."""
    if is_known(now):
        return UNKNOWN_BEFORE, _UNCONFIRMED_BEFORE
    return -inf, UNKNOWN_BEFORE


class Undated(NamedTuple):
    """Policy and overrides without dates; they hold ``for_s`` seconds from now on."""

    policy: Policy
    overrides: Overrides
    for_s: float


def undated(policy: Policy, overrides: Overrides, now: float, certain: Certainty) -> Undated:
    """Return policy and overrides without dates, which hold at any possible time.

    Args:
        policy: of the site's files.
        overrides: those of commands.
        now: policy time, not a confirmed one.
        certain: what is certain about it.
    """
    span = _Span(certain, shown(now))
    calendar = Calendar(policy.time_zone)
    scheduled = tuple(one for one in policy.scheduled if span.has_scheduled(one, policy, calendar))
    settings = [room for room in overrides.rooms if room.grade in policy.grades]
    networks = tuple(
        _of_unknown_grade(network, settings, span, span.lesson(network, policy, calendar))
        for network in policy.networks
    )
    plain = replace(
        policy,
        rules=tuple(
            replace(rule, starts_at=None, ends_at=None) for rule in policy.rules if span.has(rule)
        ),
        scheduled=scheduled,
        networks=networks,
        lessons=(),
        holidays=(),
        log=log_levels.at_unknown_time(policy, overrides, certain.floor),
    )
    said = replace(
        overrides,
        exceptions=tuple(
            _timeless(exception) for exception in overrides.exceptions if span.has(exception)
        ),
        rooms=(),
        exams=_exams(overrides.exams, span),
        grades=tuple(
            replace(grade, starts_at=-inf, ends_at=None)
            for grade in overrides.grades
            if span.has(grade)
        ),
        log_settings=(),
    )
    return Undated(plain, said, span.for_s)


def without_dates(overrides: Overrides) -> Overrides:
    """Return overrides in which closing rules hold that have no date yet.

    The manager dates them a moment after the time is known; until then nothing may open.
    """
    lengths = [exception.for_s for exception in overrides.exceptions]
    lengths += [room.for_s for room in overrides.rooms] + [exam.for_s for exam in overrides.exams]
    if not any(lengths):
        return overrides
    return replace(
        overrides,
        exceptions=tuple(
            exception
            if exception.for_s is None
            else replace(exception, starts_at=-inf, ends_at=None)
            for exception in overrides.exceptions
            if exception.for_s is None or not exception.allow
        ),
        rooms=tuple(room for room in overrides.rooms if room.for_s is None),
        exams=tuple(
            exam if exam.for_s is None else replace(exam, starts_at=-inf, ends_at=inf)
            for exam in overrides.exams
        ),
    )


class _Span:
    """The times that the true one may be, and how long an answer about it holds.

    Both ends move on with time: ``for_s`` is when the first of them comes to an edge.
    """

    def __init__(self, certain: Certainty, latest: float) -> None:
        self.floor, self.latest = min(certain.floor, latest), latest
        self._since = certain.since
        self.for_s = inf

    def has(self, dated: Dated) -> bool:
        """Return whether a dated thing holds: closing at any time, else at all times."""
        if _opens(dated):
            is_endless = (
                isinstance(dated, LocalException)
                and dated.ends_at is None
                and dated.kind in _NEVER_ENDLESS
            )
            return not is_endless and self.has_always(dated)
        return self.may_have(dated)

    def has_always(self, dated: Dated) -> bool:
        """Return whether a dated thing holds at all times, as far as is certain."""
        if isinstance(dated, _OF_LENGTH) and dated.for_s is not None:
            return self.may_have(dated) and dated.id > self._since
        is_begun = dated.starts_at is None or dated.starts_at <= self.floor
        self._until(dated.starts_at, dated.ends_at)
        return is_begun and (dated.ends_at is None or self.latest < dated.ends_at)

    def may_have(self, dated: Dated) -> bool:
        """Return whether a dated thing may hold."""
        if isinstance(dated, _OF_LENGTH) and dated.for_s is not None:
            # Whatever the clock shows, it has run for so long at least.
            self._until(dated.starts_at + dated.for_s)
            return self.floor < dated.starts_at + dated.for_s
        self._until(dated.starts_at, dated.ends_at)
        may_have_begun = dated.starts_at is None or dated.starts_at <= self.latest
        return may_have_begun and (dated.ends_at is None or self.floor < dated.ends_at)

    def has_scheduled(self, scheduled: Scheduled, policy: Policy, calendar: Calendar) -> bool:
        """Return whether a schedule's change holds: at any time to close, at all to open."""
        if self._is_endless:
            return not scheduled.opens
        for schedule in policy.schedules:
            if schedule.id == scheduled.schedule:
                openings = Openings(schedule, policy.holidays)
                is_on = openings.state(calendar.reading(self.floor))
                is_same = self._is_same(openings, calendar)
                return is_on and is_same if scheduled.opens else is_on or not is_same
        return False

    def lesson(self, network: Network, policy: Policy, calendar: Calendar) -> str | None:
        """Return the grade of a room's lesson that is on at all times, if one is."""
        known = [one for one in network.timetable if one.grade in policy.grades]
        if self._is_endless or not known:
            return None
        holidays = () if network.on_holidays else policy.holidays
        timetable = Timetable(known, policy.lessons, holidays)
        is_same = self._is_same(timetable, calendar)
        return timetable.state(calendar.reading(self.floor)) if is_same else None

    @property
    def _is_endless(self) -> bool:
        return self.floor == -inf or self.latest == inf

    def _is_same(self, pattern: Pattern, calendar: Calendar) -> bool:
        """Return whether the state of a pattern is the same at all times."""
        first, last = (calendar.span(pattern, at) for at in (self.floor, self.latest))
        self._until(first.until, last.until)
        return first.until > self.latest

    def _until(self, *edges: float | None) -> None:
        for edge in edges:
            for end in (self.floor, self.latest):
                if edge is not None and end < edge < inf:
                    self.for_s = min(self.for_s, edge - end)


_NEVER_ENDLESS = (TargetKind.ENTRY, TargetKind.PAUSE)
"""Kinds of exceptions that end by themselves where no end is given."""


_OF_LENGTH = (ClassLoan, Exam, LocalException, LogSetting, RoomSetting)
"""What may be set for a length before the time is confirmed."""


def _opens(dated: Dated) -> bool:
    """Return whether a dated thing opens something."""
    opens: bool = getattr(dated, "allow", False) or getattr(dated, "opens", False)
    return opens


def _timeless(exception: LocalException) -> LocalException:
    """Return an exception that holds at the moment 0, without a date."""
    return replace(
        exception, starts_at=0.0 if exception.kind in _NEVER_ENDLESS else -inf, ends_at=None
    )


def _exams(exams: Iterable[Exam], span: _Span) -> tuple[Exam, ...]:
    """Return for each room the exam that may be on and begins first."""
    first: dict[str, Exam] = {}
    for exam in sorted(exams, key=lambda one: (one.starts_at, one.id)):
        if span.has(exam):
            first.setdefault(exam.room, exam)
    return tuple(replace(one, starts_at=-inf, ends_at=inf) for one in first.values())


def _of_unknown_grade(
    network: Network, settings: Iterable[RoomSetting], span: _Span, lesson: str | None
) -> Network:
    """Return a network with all grades that it may have, as cells of an unreal lesson.

    Between lessons a room has the strictest grade of its timetable (``policy.grade_changes``).
    """
    may_be = list[str]()
    for one in sorted(settings, key=lambda setting: -setting.id):
        if one.room == network.id and span.may_have(one):
            may_be.append(one.grade)
            if span.has_always(one):  # older settings do not count
                break
    else:
        if not may_be and not network.timetable:
            return network
        timetabled = [one.grade for one in network.timetable] or [network.grade]
        may_be += timetabled if lesson is None else [lesson]
    return replace(network, timetable=tuple(Period(0, "", one) for one in dict.fromkeys(may_be)))
