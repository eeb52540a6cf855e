# SPDX-License-Identifier: Apache-2.0
"""Conflicts: settings with an unexpected effect, as data for warnings. Pure.

Nothing is forbidden here: settings that can never have an effect are refused when they
are made (``filterd.overrides.changes.preconditions``), but one that was made before stays, and
two that contradict each other have an order. Their author should learn of it at once
and not in the lesson.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import WireError
from filterd.lists.list_queries import naming_entries
from filterd.policy.calendar import Calendar
from filterd.policy.category_parts import locked_in, with_parts
from filterd.policy.effective_policy import suspends
from filterd.policy.grade_changes import Changer, Rooms
from filterd.policy.grade_rows import OPEN, state_of, state_of_service
from filterd.policy.model import SERVICE, Audience, Client
from filterd.policy.temporary_rules import TargetKind
from filterd.policy.verdict import Rule
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.lists.index import Index
    from filterd.policy.engine import Engine
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Exam, LocalException, Overrides
    from filterd.policy.verdict import Match


_Subject = tuple[TargetKind, str, Audience, str]
_SHORTEST_S = 60.0
"""No lesson is shorter: so the search for those of an exam ends."""


class Idle(StrEnum):
    """The reason why an exception changes nothing."""

    ORDERED = "ordered"
    LOCKED = "locked"
    KEPT_CLOSED = "kept-closed"
    PINNED = "pinned"
    UNKNOWN = "unknown"
    """There is no such service, category, grade or network, or it is no name."""
    NOT_LISTED = "not-listed"
    """No third-party list has an entry for exactly this name."""
    NOT_FOR_ALL = "not-for-all"
    """An entry can be suspended for everybody only."""


CLOSED = frozenset((Idle.ORDERED, Idle.LOCKED, Idle.KEPT_CLOSED))
"""Reasons of an allow whose target stays closed."""


class Overlaps(NamedTuple):
    """Rules that apply at some time of an exam, to its room.

    The allows of ``exceptions`` have no effect there while it is on, their
    blocks have. Of ``exams`` the one set last takes precedence.
    """

    exceptions: tuple[LocalException, ...]
    exams: tuple[Exam, ...]


def overlaps(policy: Policy, overrides: Overrides, exam: Exam) -> Overlaps:
    """Return the rules that overlap with an exam.

    Args:
        policy: as the site's files have it, with its timetables.
        overrides: all of them, the exam itself included or not.
        exam: the exam.
    """
    seated = [policy.grades[one] for one in set(_grades_in(policy, overrides, exam))]
    reached = {
        Audience.EVERYBODY: {""},
        Audience.TIER: {one.tier for one in seated},
        Audience.GRADE: {one.grade for one in seated},
        Audience.CLASS: {one.class_id for one in seated},
        Audience.NETWORK: {exam.room},
    }
    return Overlaps(
        tuple(
            exception
            for exception in overrides.exceptions
            if _meet(exception, exam)
            # An unknown client may turn up in any network.
            and (
                exception.audience is Audience.CLIENT
                or exception.whom in reached[exception.audience]
            )
        ),
        tuple(
            one
            for one in overrides.exams
            if one.id != exam.id and one.room == exam.room and _meet(one, exam)
        ),
    )


def disturbs(policy: Policy, exception: LocalException, exam: Exam) -> bool:
    """Return whether an exam or an exception has no effect where the two overlap.

    During an exam only the exam's own allows apply to its participants, and pins: an allow
    of these names loses nothing. A block only counts beneath a name of the exam: all else
    is closed, and for the same name the exam's allow takes precedence.
    """
    opened = {*_wire_names(policy, TargetKind.NAME, exam.names)}
    opened |= {*_wire_names(policy, TargetKind.SERVICE, exam.services)}
    named = [*_wire_names(policy, exception.kind, [exception.target])]
    if not exception.allow:
        return any(above in opened for name in named for above in names.ancestors(name))
    opened |= {pin.name for pin in policy.pins if pin.subtree}
    pinned = {pin.name for pin in policy.pins}
    return not named or any(
        name not in pinned and opened.isdisjoint(names.suffixes(name)) for name in named
    )


def contradictions(overrides: Overrides) -> list[tuple[LocalException, LocalException]]:
    """Return exceptions that allow and block the same target for the same clients.

    Of each pair the block holds.
    """
    allows = [exception for exception in overrides.exceptions if exception.allow]
    blocks: dict[_Subject, list[LocalException]] = defaultdict(list)
    for exception in overrides.exceptions:
        if not exception.allow:
            blocks[_subject(exception)].append(exception)
    return [
        (allow, block)
        for allow in allows
        for block in blocks.get(_subject(allow), ())
        if _meet(allow, block)
    ]


def idle(engine: Engine, exception: LocalException, now: float) -> Idle | None:
    """Return why an exception changes nothing, None where it may.

    Args:
        engine: of the active policy.
        exception: whether or not that policy has it.
        now: Unix time.
    """
    policy = engine.policy
    try:
        clients = list(_clients(policy, exception))
        if not clients or exception.kind is TargetKind.PAUSE:
            return None if clients else Idle.UNKNOWN
        match exception.kind:
            case TargetKind.CATEGORY | TargetKind.SERVICE:
                return _idle_group(policy, exception)
            case TargetKind.ENTRY if not suspends(exception):
                return Idle.NOT_FOR_ALL
            case TargetKind.ENTRY if not _is_listed(engine.index, exception):
                return Idle.NOT_LISTED
        found = {
            _why_idle(engine.policy, exception, match)
            for client in clients
            for match in [_deciding(engine, client, exception, now)]
            # A client that has the name anyway needs no allow: the others show if it is of use.
            if not (exception.allow and match is not None and match.rule is Rule.OPEN)
        }
    except WireError:
        return Idle.UNKNOWN
    return found.pop() if len(found) == 1 else None


def is_open(engine: Engine, exception: LocalException, now: float) -> bool:
    """Return whether a target is open to all clients of an audience already.

    All that the target names must be open. Of a name this holds for the name itself: lists may
    block names beneath it.
    """
    clients = list(_clients(engine.policy, exception))
    if exception.kind is TargetKind.NAME:
        name = names.from_text(exception.target)
        return not any(engine.decide(client, name, RRType.A, now).blocked for client in clients)
    state = {TargetKind.CATEGORY: state_of, TargetKind.SERVICE: state_of_service}.get(
        exception.kind
    )
    if state is None:
        return False
    targets = frozenset((exception.target,))
    if exception.kind is TargetKind.CATEGORY:
        shut = locked_in(engine.policy.categories, exception.target)
        targets = with_parts(engine.policy.categories, exception.target).difference(shut)
    return all(
        state(engine.policy, client.grade, target) == OPEN
        for client in clients
        for target in targets
    )


def services_with(policy: Policy, name: bytes) -> list[str]:
    """Return the services that a name belongs to."""
    above = frozenset(names.suffixes(name))
    return [
        service.id for service in policy.services.values() if not above.isdisjoint(service.names)
    ]


def _idle_group(policy: Policy, exception: LocalException) -> Idle | None:
    target = exception.target
    if exception.kind is TargetKind.SERVICE:
        service = policy.services.get(target)
        if service is None:
            return Idle.UNKNOWN
        if not exception.allow:
            return None
        group, own_id = service.group, SERVICE + target
    else:
        group = own_id = target
    category = policy.categories.get(group)
    if category is None:
        return Idle.UNKNOWN
    if category.ordered:
        return Idle.ORDERED
    if category.locked:
        return Idle.LOCKED
    shut = exception.allow and own_id in Changer(policy).shut
    return Idle.KEPT_CLOSED if shut else None


def _deciding(
    engine: Engine, client: Client, exception: LocalException, now: float
) -> Match | None:
    """Return the rule that decides on an exception's name for one client."""
    return engine.decide(client, names.from_text(exception.target), RRType.A, now).match


def _why_idle(policy: Policy, exception: LocalException, match: Match | None) -> Idle | None:
    """Return why an exception changes nothing for the clients of this deciding rule."""
    if match is None:
        return None
    if match.rule is Rule.PIN:
        return Idle.PINNED
    if match.rule is Rule.ORDERED:
        return Idle.ORDERED
    if match.rule is not Rule.LOCKED or exception.kind is TargetKind.ENTRY:
        return None
    category = policy.categories[match.category]
    return Idle.LOCKED if category.locked or category.ordered else Idle.KEPT_CLOSED


def _wire_names(policy: Policy, kind: TargetKind, targets: Iterable[str]) -> Iterator[bytes]:
    """Yield the names of a target of this kind, as far as the policy has them."""
    for target in targets:
        if kind is TargetKind.SERVICE and target in policy.services:
            yield from policy.services[target].names
        elif kind is TargetKind.NAME:
            with contextlib.suppress(WireError):
                yield names.from_text(target)


def _is_listed(index: Index, exception: LocalException) -> bool:
    """Return whether a third-party list has an entry for exactly the exception's name."""
    return any(True for _ in naming_entries(index, names.from_text(exception.target)))


def _clients(policy: Policy, exception: LocalException) -> Iterator[Client]:
    """Yield one client of each sort that an exception is for."""
    audience, whom = exception.audience, exception.whom
    if audience is Audience.NETWORK:
        for network in policy.networks:
            if network.id == whom:
                yield Client(policy.grades[network.grade], whom)
        return
    for grade in policy.grades.values():
        client = Client(grade, None, whom if audience is Audience.CLIENT else None)
        if not grade.variant and client.is_of(audience, whom):
            yield client


def _grades_in(policy: Policy, overrides: Overrides, exam: Exam) -> Iterator[str]:
    """Yield the grades and classes that the room of an exam has in its time, as keys."""
    calendar, at = Calendar(policy.time_zone), exam.starts_at
    for network in policy.networks:
        while network.id == exam.room and at < exam.ends_at:
            seat = Rooms(policy, overrides, calendar, at).seat(network, policy.grades)
            yield seat.grade
            at = max(seat.span.until, at + _SHORTEST_S)


def _subject(exception: LocalException) -> _Subject:
    return exception.kind, exception.target, exception.audience, exception.whom


def _meet(one: LocalException | Exam, other: LocalException | Exam) -> bool:
    """Return whether two intervals have a time in common."""
    ends_at = min(inf if each.ends_at is None else each.ends_at for each in (one, other))
    return max(one.starts_at, other.starts_at) < ends_at


_SHORTEST, _LONG = 4, 8
"""Characters before the last label from which on one slip of the pen is looked for, and two.

With two slips in short names, one popular name in forty is near to a known one.
"""


def meant_by(policy: Policy, name: bytes) -> str:
    """Return the known name that a name was probably meant to be; "" for none.

    A name that is known, or beneath a known one, is right.
    """
    known = frozenset(_known(policy))
    if any(suffix in known for suffix in names.suffixes(name)):
        return ""
    written = names.to_text(name).removeprefix("www.")
    length = len(written.rpartition(".")[0])
    if length < _SHORTEST:
        return ""
    most = 2 if length >= _LONG else 1
    octets = len(names.from_text(written))
    alike = (one for one in known if abs(len(one) - octets) <= most)
    near = (
        (distance(written, text, most), text)
        for text in map(names.to_text, alike)
        if len(set(text) ^ set(written)) <= 2 * most
    )
    found, text = min(near, default=(most + 1, ""))
    return text if found <= most else ""


def _known(policy: Policy) -> Iterator[bytes]:
    for service in policy.services.values():
        yield from service.names
    yield from (pin.name for pin in policy.pins)
    yield from (protection.name for protection in policy.protections)


def distance(one: str, other: str, most: int) -> int:
    """Return the distance of two texts; ``most`` + 1 where it is greater."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != its))
            if earlier and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
