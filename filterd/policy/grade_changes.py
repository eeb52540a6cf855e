# SPDX-License-Identifier: Apache-2.0
"""Grades at a moment: temporary changes of a grade, and the grades of rooms.

Each change is a ``GradeChange``: it opens or closes one thing to an audience. They are
applied to a grade of the site's files, the weightiest last:

1. settings of grades, schedules, exceptions, pauses, in this order;
2. of the same sort, those for a category before those for a part of one, and these before those
   for a service or a list, because the narrower target is meant where both are set;
3. the wider audience before the narrower one;
4. of settings the older before the newer; else opening before closing.

A category stands for its parts and services too: to open it opens them. A *pause* opens everything
to its audience, closed hours and the school's blocks of names as well. It leaves safe
search on, exams as they are, and closed what is guarded (``guarded_categories``): what harms,
and what a device could use to get around the filter when the pause is over. Nothing
here opens what is locked, ordered or kept closed by the school. Names are not changes but
rules (``filterd.policy.effective_policy``), and the order of rules puts those above all this.

A room has the grade or class that a command gave it, else that of the current lesson.
Between lessons it has what is closed to the strictest of those that it can have: pupils who
are early or late see what all of these grades may see. Which class they are of is not known
then, so that rules of names for a class do not apply. On holidays it is between lessons all
day, unless the site sets that its timetable holds then, too. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum, StrEnum
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.calendar import ALWAYS, Interval, Timetable
from filterd.policy.category_parts import with_parts
from filterd.policy.model import LIST, SERVICE, Audience, strictest
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from filterd.policy.calendar import Calendar
    from filterd.policy.model import Client, GradePolicy, Network, Policy
    from filterd.policy.temporary_rules import Overrides, RoomSetting

_NARROWNESS = {audience: rank for rank, audience in enumerate(Audience)}
_CATEGORY, _SERVICE, _LIST, _TIER = "category", "service", "list", "tier"
_PAUSE = "pause"

LONGEST_PAUSE_S = 3600.0
"""How long a pause may last at most."""


class Layer(IntEnum):
    """The source of a change, the weightier the greater."""

    SETTING = 1
    SCHEDULE = 2
    EXCEPTION = 3
    PAUSE = 4


class GradeChange(NamedTuple):
    """One thing that is opened or closed.

    ``kind`` and ``target`` are as in ``filterd.policy.model.Scheduled``;
    ``source`` is the id of the schedule, or the number of the setting or exception.
    """

    layer: Layer
    source: str
    opens: bool
    kind: str
    target: str
    audience: Audience
    whom: str
    newness: int = 0
    is_of_part: bool = False

    def concerns(self, client: Client) -> bool:
        """Return whether it applies to this client."""
        if self.kind == _TIER and client.grade.tier != self.target:
            return False
        return client.is_of(self.audience, self.whom)

    @property
    def closes_tier(self) -> bool:
        """Whether it closes all names of a tier but the allowed ones."""
        return self.kind == _TIER and not self.opens

    @property
    def weight(self) -> tuple[int, int, int, int, bool]:
        """The sort key of changes; the greatest weight is applied last."""
        narrow = 2 if self.kind in (_SERVICE, _LIST) else int(self.is_of_part)
        closes = not self.opens
        return self.layer, narrow, _NARROWNESS[self.audience], self.newness, closes


class Dated(NamedTuple):
    """A change, whether it is active, and for how long."""

    change: GradeChange
    holds: bool
    span: Interval


def term(starts_at: float, ends_at: float | None, now: float) -> tuple[bool, Interval]:
    """Return whether a dated thing is active, and for how long."""
    end = inf if ends_at is None else ends_at
    if end <= starts_at:
        return False, ALWAYS
    if now < starts_at:
        return False, Interval(-inf, starts_at)
    if now < end:
        return True, Interval(starts_at, end)
    return False, Interval(end, inf)


def dated_changes(
    policy: Policy, overrides: Overrides, open_now: Mapping[str, tuple[bool, Interval]], now: float
) -> list[Dated]:
    """Return all changes, active or not.

    Args:
        policy: with what is scheduled.
        overrides: with settings and exceptions.
        open_now: by the id of a schedule, whether it is open and for how long.
        now: Unix time.
    """
    found = [
        *_settings(overrides, now),
        *_scheduled(policy, open_now),
        *_exceptions(overrides, now),
    ]
    marked = (one._replace(change=_marked(one.change, policy)) for one in found)
    return sorted(marked, key=lambda dated: dated.change.weight)


def _marked(change: GradeChange, policy: Policy) -> GradeChange:
    """Return a change that says whether it is about a part of a category."""
    category = policy.categories.get(change.target) if change.kind == _CATEGORY else None
    return change._replace(is_of_part=category is not None and category.part_of != "")


def _settings(overrides: Overrides, now: float) -> Iterator[Dated]:
    for grade in overrides.grades:
        change = GradeChange(
            Layer.SETTING,
            str(grade.id),
            grade.opens,
            str(grade.kind),
            grade.target,
            Audience.GRADE,
            grade.grade,
            grade.id,
        )
        yield Dated(change, *term(grade.starts_at, grade.ends_at, now))


def _scheduled(policy: Policy, open_now: Mapping[str, tuple[bool, Interval]]) -> Iterator[Dated]:
    for one in policy.scheduled:
        if one.schedule in open_now:
            change = GradeChange(
                Layer.SCHEDULE,
                one.schedule,
                one.opens,
                one.kind,
                one.target,
                one.audience,
                one.whom,
            )
            yield Dated(change, *open_now[one.schedule])


def _exceptions(overrides: Overrides, now: float) -> Iterator[Dated]:
    for exception in overrides.exceptions:
        if exception.kind is TargetKind.CATEGORY:
            change = GradeChange(
                Layer.EXCEPTION,
                str(exception.id),
                exception.allow,
                _CATEGORY,
                exception.target,
                exception.audience,
                exception.whom,
            )
            yield Dated(change, *term(exception.starts_at, exception.ends_at, now))
        elif exception.kind is TargetKind.PAUSE and exception.allow:
            change = GradeChange(
                Layer.PAUSE, str(exception.id), True, _PAUSE, "", exception.audience, exception.whom
            )
            latest = exception.starts_at + LONGEST_PAUSE_S
            ends_at = latest if exception.ends_at is None else min(exception.ends_at, latest)
            yield Dated(change, *term(exception.starts_at, ends_at, now))


class Changer:
    """Applier of changes to grades, for the categories and services of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._known = policy.categories
        self._services: dict[str, set[str]] = {}
        for service in policy.services.values():
            self._services.setdefault(service.group, set()).add(SERVICE + service.id)
        shut = {one.id for one in policy.categories.values() if one.locked or one.ordered}
        shut |= policy.kept_closed
        for category in tuple(shut):
            shut |= self._services.get(category, set())
        self.shut: frozenset[str] = frozenset(shut)
        """What nothing may open, in the form of ``GradePolicy.closed``."""
        guarded = {one.id for one in policy.categories.values() if one.guarded}
        guarded |= self._closed_with(guarded)
        self._in_a_pause = self.shut | guarded
        self._all_services = frozenset[str]().union(*self._services.values())

    def apply(self, grade: GradePolicy, changes: Iterable[GradeChange]) -> GradePolicy:
        """Return a grade with these changes applied, in their order."""
        opened, allow_only, paused = set(grade.opened), grade.allow_only, False
        closed = set(grade.closed) | (self._closed_with(grade.closed) - opened)
        for change in changes:
            if change.kind == _TIER:
                allow_only = not change.opens
                continue
            if change.kind == _PAUSE:
                closed, allow_only, paused = closed & self._in_a_pause, False, True
                continue
            ids = self._ids(change)
            if change.opens:
                ids -= self.shut
                closed -= ids
                if change.kind != _CATEGORY:
                    opened |= ids
            else:
                closed |= ids
                opened -= ids
        return replace(
            grade,
            closed=frozenset(closed),
            opened=frozenset(opened),
            allow_only=allow_only,
            paused=paused,
        )

    def cause(
        self, grade: GradePolicy, made: Iterable[Dated], category: str, list_id: str, *, opens: bool
    ) -> Dated | None:
        """Return the change that opens or closes a list's names, None for none.

        Args:
            grade: as the site's files have it.
            made: the changes for the client, in their order.
            category: of the list.
            list_id: its id; a service has one, too.
            opens: whether its names are open now.
        """
        asked = list_id if list_id.startswith(SERVICE) else category
        before = self.apply(grade, ())
        if before.closed.isdisjoint({asked, LIST + list_id}) is opens:
            return None
        cause = None
        for one in made:
            is_pause = one.change.kind == _PAUSE
            is_about = is_pause or not self._ids(one.change).isdisjoint({asked, LIST + list_id})
            if one.holds and one.change.opens is opens and is_about:
                cause = one
        return cause

    def _closed_with(self, closed: AbstractSet[str]) -> set[str]:
        """Return the services of closed categories that stay closed when those open."""
        of_closed = self._services.keys() & closed
        return set[str]().union(*(self._services[category] for category in of_closed))

    def _ids(self, change: GradeChange) -> set[str]:
        """Return the ids that a change concerns, none where its target is gone."""
        match change.kind:
            case "category" if change.target in self._known:
                ids = with_parts(self._known, change.target)
                return {*ids, *self._closed_with(ids)}
            case "service" if SERVICE + change.target in self._all_services:
                return {SERVICE + change.target}
            case "list":
                return {LIST + change.target}
            case _:
                return set()


class Why(StrEnum):
    """The source of a network's grade."""

    SET = "set"
    LESSON = "lesson"
    BETWEEN = "between"
    OWN = "own"


class Seat(NamedTuple):
    """The grade or class of a network, and how long it lasts.

    ``setting`` is that of the command, where ``why`` is ``SET``. ``is_shared``: others may
    sit there, too, so that no class counts as the one that does.
    """

    grade: str
    why: Why
    span: Interval
    setting: RoomSetting | None = None
    is_shared: bool = False


class Rooms:
    """The networks of a policy at one moment."""

    def __init__(
        self, policy: Policy, overrides: Overrides, calendar: Calendar, now: float
    ) -> None:
        self._policy, self._calendar, self._now = policy, calendar, now
        self._settings: dict[str, list[RoomSetting]] = {}
        for setting in overrides.rooms:
            if setting.grade in policy.grades:
                self._settings.setdefault(setting.room, []).append(setting)

    def seat(self, network: Network, grades: Mapping[str, GradePolicy]) -> Seat:
        """Return the grade of a network.

        Args:
            network: whether or not it is a room.
            grades: the policies of the grades at the moment, to find the strictest.
        """
        span, setting = self._set(network.id)
        if setting is not None:
            return Seat(setting.grade, Why.SET, span, setting)
        known = [one for one in network.timetable if one.grade in self._policy.grades]
        holidays = () if network.on_holidays else self._policy.holidays
        timetable = Timetable(known, self._policy.lessons, holidays)
        grade = None
        if known:
            span = span.joined(self._calendar.span(timetable, self._now))
            grade = timetable.state(self._calendar.reading(self._now))
        if grade is not None:
            return Seat(grade, Why.LESSON, span)
        if known:
            among = [grades[one] for one in dict.fromkeys(period.grade for period in known)]
            return Seat(strictest(among).key, Why.BETWEEN, span, is_shared=len(among) > 1)
        return Seat(network.grade, Why.OWN, span)

    def _set(self, room: str) -> tuple[Interval, RoomSetting | None]:
        """Return the newest active setting, and how long that stays so."""
        span, newest = ALWAYS, None
        for setting in self._settings.get(room, ()):
            holds, goes_on = term(setting.starts_at, setting.ends_at, self._now)
            span = span.joined(goes_on)
            if holds and (newest is None or setting.id > newest.id):
                newest = setting
        return span, newest


def with_devices(policy: Policy, overrides: Overrides) -> tuple[Network, ...]:
    """Return the networks, with learned devices in the place of those in the files.

    A device is in one room: where two have it, it is in the one that was learned
    last; one that was learned is in no other network of the files.
    """
    learned = {device.room: device.macs for device in overrides.devices}
    room_of = {mac: device.room for device in overrides.devices for mac in device.macs}
    known = {network.id for network in policy.networks}
    room_of = {mac: room for mac, room in room_of.items() if room in known}
    if not learned:
        return policy.networks
    return tuple(
        replace(
            network,
            macs=tuple(
                mac
                for mac in learned.get(network.id, network.macs)
                if room_of.get(mac, network.id) == network.id
            ),
        )
        for network in policy.networks
    )
