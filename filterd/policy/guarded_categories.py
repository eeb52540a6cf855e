# SPDX-License-Identifier: Apache-2.0
"""Guarded categories: ways around the filter, and what harms. Pure.

To open one beyond what the shipped tier opens takes an administrator who has just given the
password, or root, a reason and an end within 14 days. Being guarded is about who may open: no
verdict depends on it, but that a pause leaves closed what is guarded.

A thing opens a guarded category if it allows the category, one of its services or lists, or a name
that a list of it has, or has beneath that name, or suspends that entry, for a grade whose
``GradePolicy.guarded`` has it. A command may bring any grade into a room; and it opens what is
guarded there if the shipped tier of the grade that it brings has it open, as that of the staff.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import IndexFormatError, WireError
from filterd.lists import listed_names
from filterd.lists.rules import Effect
from filterd.policy.category_parts import opened_with
from filterd.policy.list_claims import reaches
from filterd.policy.model import DAY_S, EXPECTED, SERVICE, Audience, Client
from filterd.policy.temporary_rules import (
    Exam,
    GradeSetting,
    LocalException,
    RoomSetting,
    TargetKind,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from filterd.lists.index import Index
    from filterd.policy.model import GradePolicy, Policy, Scheduled
    from filterd.policy.temporary_rules import Overrides

    _Dated: TypeAlias = GradeSetting | LocalException | Exam | RoomSetting

LONGEST_OPENING_S = 14.0 * DAY_S
"""How long a guarded category may be opened at most."""
_MOST_BENEATH = 2_000
"""Listed names beneath an allowed one that are looked at; more count as names of each list."""


class GuardedOpening(NamedTuple):
    """A guarded category that is open beyond the shipped tier.

    Attributes:
        category: its id.
        audience: for whom it was opened.
        whom: the id of the audience, as in ``LocalException``.
        number: of the change; None for the site's files.
        starts_at: Unix time; None for no begin.
        ends_at: Unix time; None for no end.
    """

    category: str
    audience: Audience
    whom: str
    number: int | None
    starts_at: float | None
    ends_at: float | None

    def holds_at(self, now: float) -> bool:
        """Return whether it is open at a Unix time."""
        has_begun = self.starts_at is None or self.starts_at <= now
        return has_begun and (self.ends_at is None or now < self.ends_at)


def opened_by(thing: Any, policy: Policy, index: Index) -> frozenset[str]:
    """Return the guarded categories that an override opens, none for most.

    Args:
        thing: of ``filterd.policy.temporary_rules``.
        policy: that of the site's files.
        index: the lists.
    """
    match thing:
        case Exam():
            guarded = _guarded_for(policy, Audience.NETWORK, thing.room)
            opened = _of_services(thing.services, policy, guarded)
            return opened.union(*(_of_text(name, policy, index, guarded) for name in thing.names))
        case RoomSetting():
            return _of_grade_brought(thing, policy)
        case GradeSetting(opens=True):
            guarded = _guarded_for(policy, Audience.GRADE, thing.grade)
        case LocalException(allow=True):
            guarded = _guarded_for(policy, thing.audience, thing.whom)
        case _:
            return frozenset()
    return _of_target(thing.kind, thing.target, policy, index, guarded)


def _of_target(
    kind: TargetKind, target: str, policy: Policy, index: Index, guarded: frozenset[str]
) -> frozenset[str]:
    match kind:
        case TargetKind.CATEGORY:
            return guarded & opened_with(policy.categories, target)
        case TargetKind.SERVICE:
            return _of_services((target,), policy, guarded)
        case TargetKind.NAME:
            return _of_text(target, policy, index, guarded)
        case TargetKind.ENTRY:
            return _of_entry(target, index, guarded)
        case _:  # a pause opens none
            return frozenset()


def openings(policy: Policy, overrides: Overrides, index: Index) -> Iterator[GuardedOpening]:
    """Yield what opens guarded categories at any time, by files and by commands."""
    yield from _openings_by_files(policy, index)
    commands = overrides.grades, overrides.exceptions, overrides.exams, overrides.rooms
    things: Iterable[_Dated] = chain.from_iterable(commands)
    for thing in things:
        audience, whom = _audience_of(thing)
        for category in sorted(opened_by(thing, policy, index)):
            term = thing.starts_at, thing.ends_at
            yield GuardedOpening(category, audience, whom, thing.id, *term)


def _openings_by_files(policy: Policy, index: Index) -> Iterator[GuardedOpening]:
    for grade in policy.grades.values():
        if not grade.class_id:
            for category in sorted(opened_by_files(policy, grade)):
                yield GuardedOpening(category, Audience.GRADE, grade.grade, None, None, None)
    for rule in policy.rules:
        if rule.allow and not rule.id.startswith(EXPECTED):
            guarded = _guarded_for(policy, rule.audience, rule.whom)
            for category in sorted(_of_name(rule.name, policy, index, guarded)):
                term = rule.starts_at, rule.ends_at
                yield GuardedOpening(category, rule.audience, rule.whom, None, *term)
    for one in policy.scheduled:
        for category in sorted(opened_by_schedule(one, policy, index)):
            yield GuardedOpening(category, one.audience, one.whom, None, None, None)


def opened_by_files(policy: Policy, grade: GradePolicy) -> frozenset[str]:
    """Return the guarded categories that the site's files open to a grade, or parts."""
    groups = {
        service.group
        for service in policy.services.values()
        if SERVICE + service.id in grade.opened
    }
    return frozenset(one for one in grade.guarded if one not in grade.closed or one in groups)


def opened_by_schedule(
    scheduled: Scheduled, policy: Policy, index: Index | None = None
) -> frozenset[str]:
    """Return the guarded categories that a schedule opens at its times, or parts.

    Args:
        scheduled: of the site's files.
        policy: compiled from them.
        index: the lists; None leaves out what it opens by the id of a list.
    """
    if not scheduled.opens:
        return frozenset()
    guarded = _guarded_for(policy, scheduled.audience, scheduled.whom)
    match scheduled.kind:
        case "service":
            return _of_services((scheduled.target,), policy, guarded)
        case "list":
            lists = () if index is None else index.lists
            return guarded & {one.category for one in lists if one.id == scheduled.target}
        case _:  # a tier that is open again has what its grades have
            return guarded & opened_with(policy.categories, scheduled.target)


def _audience_of(thing: _Dated) -> tuple[Audience, str]:
    if isinstance(thing, GradeSetting):
        return Audience.GRADE, thing.grade
    if isinstance(thing, (Exam, RoomSetting)):
        return Audience.NETWORK, thing.room
    return thing.audience, thing.whom


def _guarded_for(policy: Policy, audience: Audience, whom: str) -> frozenset[str]:
    """Return what is guarded for any grade that an audience may have."""
    grades = policy.grades.values()
    if audience is Audience.NETWORK:
        networks = [network for network in policy.networks if network.id == whom]
        keys = {network.grade for network in networks}
        is_any = any(network.room for network in networks)
        reached = [grade for grade in grades if is_any or grade.key in keys]
    else:
        address = whom if audience is Audience.CLIENT else None
        reached = [one for one in grades if Client(one, None, address).is_of(audience, whom)]
    return frozenset[str]().union(*(one.guarded for one in reached))


def _of_grade_brought(thing: RoomSetting, policy: Policy) -> frozenset[str]:
    """Return what is guarded for those in a room, and not for the grade brought there."""
    brought = policy.grades.get(thing.grade)
    if brought is None:
        return frozenset()
    keys = {
        key
        for network in policy.networks
        if network.id == thing.room
        for key in (network.grade, *(period.grade for period in network.timetable))
    }
    guarded = (grade.guarded for grade in policy.grades.values() if grade.key in keys)
    return frozenset[str]().union(*guarded) - brought.guarded - brought.closed


def _of_services(
    services: tuple[str, ...], policy: Policy, guarded: frozenset[str]
) -> frozenset[str]:
    groups = (policy.services[service].group for service in services if service in policy.services)
    return guarded.intersection(groups)


def _of_text(text: str, policy: Policy, index: Index, guarded: frozenset[str]) -> frozenset[str]:
    try:
        return _of_name(names.from_text(text), policy, index, guarded)
    except WireError:
        return frozenset()  # it opens nothing


def _of_entry(text: str, index: Index, guarded: frozenset[str]) -> frozenset[str]:
    """Return the guarded categories of lists that have an entry of exactly this name."""
    try:
        name = names.from_text(text)
        return guarded.intersection(_blocking(name, index, is_exact=True))
    except WireError:
        return frozenset()
    except IndexFormatError:
        return guarded


def _of_name(name: bytes, policy: Policy, index: Index, guarded: frozenset[str]) -> frozenset[str]:
    """Return the guarded categories with an entry for a name, or for one beneath it."""
    if not guarded:
        return guarded
    try:
        beneath = list(islice(listed_names.beneath(index, name), _MOST_BENEATH + 1))
        if len(beneath) > _MOST_BENEATH:
            return guarded
        found = {category for one in (name, *beneath) for category in _blocking(one, index)}
    except IndexFormatError:
        return guarded
    found |= {
        service.group
        for service in policy.services.values()
        for own in service.names
        if name in names.suffixes(own) or own in names.suffixes(name)
    }
    return guarded & found


def _blocking(name: bytes, index: Index, *, is_exact: bool = False) -> Iterator[str]:
    """Yield the category of each entry that closes a name, or that is exactly of it."""
    labels = names.count_labels(name)
    for hit in index.lookup(name):
        if is_exact and hit.labels != labels:
            continue
        for claim_id in index.sets[hit.set_id]:
            number, claim = index.claims[claim_id]
            if claim.effect is Effect.BLOCK and reaches(claim, name, at_self=hit.labels == labels):
                yield index.lists[number].category
