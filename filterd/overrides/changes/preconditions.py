# SPDX-License-Identifier: Apache-2.0
"""Preconditions of a change: its targets exist and may be opened at all. Pure.

A change that can never have an effect is refused, with the word that was probably
meant: no school can open what an order or the centre has locked, and no command what
the school's own files keep closed. A change that has no effect at the moment, or
contradicts another rule, is allowed with a warning. Warnings are plain data, which
other modules put into words.

The check is made once, with the change: a change that an older filterd recorded, or
that was made before a category was locked, stays without effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ChangeError
from filterd.overrides.changes.exception_changes import (
    ReportMistake,
    SetException,
    SetExceptions,
    SetGrade,
    SetPause,
)
from filterd.overrides.changes.log_changes import SetLogLevel
from filterd.overrides.changes.room_changes import (
    LendClass,
    SetDevices,
    SetExam,
    SetRoom,
    SetRoomDevices,
)
from filterd.policy import conflicts
from filterd.policy.conflicts import Idle, meant_by
from filterd.policy.field_checks import is_a_grade
from filterd.policy.grade_changes import Changer
from filterd.policy.log_levels import levels_of
from filterd.policy.model import SERVICE, Audience
from filterd.policy.temporary_rules import Exam, LocalException, RoomDevices, TargetKind
from filterd.texts.i18n import Sentence, did_you_mean, say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.overrides.changes.effects import CheckedChange
    from filterd.policy.engine import Engine
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides

Warnings = tuple[dict[str, Any], ...]

_AS_ENTRY = say(
    "if a list names something by mistake: filterd allow entry:NAME, for 14 days at most"
)
_NEVER = {
    Idle.ORDERED: (say("is closed by a legal order"), say("no one at a school can open it")),
    Idle.LOCKED: (say("is locked for everybody"), _AS_ENTRY),
    Idle.KEPT_CLOSED: (say("is kept closed by the school"), say("see `keep_closed` in site.yaml")),
    Idle.NOT_LISTED: (
        say("is not an entry of a third-party list"),
        say(
            "`filterd check` shows the name that the list has; a name of your own needs no `entry:`"
        ),
    ),
    Idle.NOT_FOR_ALL: (say("can only be suspended for everybody"), say("leave out the audience")),
    Idle.UNKNOWN: (say("applies to no grade of this school"), say("see `filterd policy show`")),
}
_MOST_WARNINGS = 20


class SchoolState(NamedTuple):
    """The state of a school that a change has to fit.

    ``policy`` is that of the site's files, with its timetables; ``engine`` has the
    effective policy; ``overrides`` are those set.
    """

    policy: Policy
    engine: Engine
    overrides: Overrides
    now: float


def why_never(target: str, idle: Idle) -> tuple[Sentence, Sentence]:
    """Return why such an exception never has an effect, and the remedy.

    Raises:
        KeyError: it may have one later.
    """
    reason, hint = _NEVER[idle]
    return say("{target} {reason}", target=target, reason=reason), hint


def check(change: CheckedChange, school: SchoolState) -> Warnings:
    """Check that the targets of a change exist; return warnings.

    Raises:
        ChangeError: one does not exist, or may not be opened.
    """
    match change:
        case SetException() | SetExceptions() | SetPause():
            return _check_exceptions(change.each(), school)
        case ReportMistake(name=name, ends_at=ends_at):
            entry = SetException(TargetKind.ENTRY, name, allow=True, ends_at=ends_at)
            return _check_exceptions((entry,), school)
        case SetGrade():
            _check_grade(change, school.policy)
        case SetRoom(room=room, grade=grade):
            _check_known(room, _networks(school.policy), say("room"))
            _check_seat(grade, school.policy)
        case SetRoomDevices(room=room, macs=macs):
            return _check_devices((RoomDevices(room, macs),), school)
        case SetDevices(rooms=rooms):
            return _check_devices(rooms, school)
        case SetExam():
            return _check_exam(change, school)
        case LendClass(class_id=class_id):
            _check_seat(class_id, school.policy)
        case SetLogLevel():
            _check_log_level(change, school.policy)
    return ()


def _check_exceptions(changes: tuple[SetException, ...], school: SchoolState) -> Warnings:
    found = [one for change in changes for one in _check_exception(change, school)]
    return tuple(found[:_MOST_WARNINGS])


def _check_exception(change: SetException, school: SchoolState) -> list[dict[str, Any]]:
    policy = school.policy
    _check_audience(change, policy)
    if change.target_kind is TargetKind.SERVICE:
        _check_known(change.target, policy.services, say("service"))
    elif change.target_kind is TargetKind.CATEGORY:
        _check_known(change.target, policy.categories, say("category"))
    thing = _exception(change, school.now)
    idle = conflicts.idle(school.engine, thing, school.now)
    if not change.allow and idle in conflicts.CLOSED:
        idle = None  # what it blocks is blocked already
    if idle in _NEVER:
        reason, hint = why_never(change.target, idle)
        raise ChangeError(reason, hint=hint)
    warnings: list[dict[str, Any]] = []
    if idle is not None:
        warnings.append({"warning": "idle", "target": change.target, "why": str(idle)})
    warnings += _contradictions(thing, school.overrides)
    warnings += (
        {
            "warning": "exam" if thing.allow else "exam-block",
            "exam": exam.id,
            "room": exam.room,
            "from_at": exam.starts_at,
            "until_at": exam.ends_at,
        }
        for exam in school.overrides.exams
        if thing in conflicts.overlaps(policy, _with(school.overrides, thing), exam).exceptions
        and conflicts.disturbs(policy, thing, exam)
    )
    return warnings or list(_doubts(thing, school))


def _check_log_level(change: SetLogLevel, policy: Policy) -> None:
    """Check that a tier exists, and that a level above that of the files has an end."""
    tiers = levels_of(policy)
    if change.tier:
        _check_known(change.tier, tiers, say("tier of this school"))
        tiers = {change.tier: tiers[change.tier]}
    above = [tier for tier, level in tiers.items() if not level.includes(change.level)]
    if above and change.ends_at is None:
        raise ChangeError(
            say(
                "{level} is above the level that site.yaml has for {tiers}, so it needs an end",
                level=change.level.value,
                tiers=", ".join(above),
            ),
            hint=say("such as --for 3d; to keep it, write it under `log` in site.yaml"),
        )


def _check_audience(change: SetException, policy: Policy) -> None:
    match change.audience:
        case Audience.NETWORK:
            _check_known(change.whom, _networks(policy), say("room or network"))
        case Audience.GRADE:
            _check_known(change.whom, policy.grades, say("grade of this school"))
        case Audience.CLASS:
            _check_seat(change.whom, policy)
        case Audience.TIER:
            tiers = {grade.tier for grade in policy.grades.values()}
            _check_known(change.whom, tiers, say("tier of this school"))


def _doubts(thing: LocalException, school: SchoolState) -> Iterator[dict[str, Any]]:
    """Yield a warning of a doubtful target.

    Its name is probably misspelt, its exception is of no use, or it is the name of a whole
    service.

    Where the change has been warned of for a better reason, these are not of interest.
    """
    about, policy = {"target": thing.target}, school.policy
    is_name = thing.kind is TargetKind.NAME
    meant = meant_by(policy, names.from_text(thing.target)) if is_name else ""
    if meant:
        yield {"warning": "misspelt", **about, "meant": meant}
    if not thing.allow or thing.starts_at > school.now:
        return
    if conflicts.is_open(school.engine, thing, school.now):
        yield {"warning": "idle", **about, "why": "not-blocked"}
    elif is_name:
        for service in conflicts.services_with(policy, names.from_text(thing.target)):
            yield {"warning": "service", **about, "service": service}


def _contradictions(thing: LocalException, overrides: Overrides) -> Iterator[dict[str, Any]]:
    both = _with(overrides, thing)
    for pair in conflicts.contradictions(both):
        if thing in pair:
            other = pair[0] if pair[1] is thing else pair[1]
            yield {"warning": "contradiction", "number": other.id, "author": other.author}


def _check_grade(change: SetGrade, policy: Policy) -> None:
    """Check that a grade and its target exist and may be opened."""
    _check_known(change.grade, policy.grades, say("grade of this school"))
    is_service = change.target_kind is TargetKind.SERVICE
    known: Iterable[str] = policy.services if is_service else policy.categories
    _check_known(change.target, known, say("service") if is_service else say("category"))
    key = SERVICE + change.target if is_service else change.target
    if not change.opens or key not in Changer(policy).shut:
        return
    group = policy.services[change.target].group if is_service else change.target
    category = policy.categories.get(group)
    why = Idle.KEPT_CLOSED
    if category is not None and (category.ordered or category.locked):
        why = Idle.ORDERED if category.ordered else Idle.LOCKED
    reason, hint = why_never(change.target, why)
    raise ChangeError(reason, hint=hint)


def _check_devices(rooms: tuple[RoomDevices, ...], school: SchoolState) -> Warnings:
    """Return warnings for devices that the site's files name for another network.

    A room that has gone from the files may still hold devices, which must be able to leave.
    """
    policy = school.policy
    held = [device.room for device in school.overrides.devices]
    for room in rooms:
        if room.room not in held:
            _check_known(room.room, _networks(policy), say("room"))
    room_of = {mac: room.room for room in rooms for mac in room.macs}
    found: list[dict[str, Any]] = [
        {"warning": "moved", "mac": mac, "network": network.id}
        for network in policy.networks
        for mac in network.macs
        if room_of.get(mac, network.id) != network.id
    ]
    return tuple(found[:_MOST_WARNINGS])


def _check_exam(change: SetExam, school: SchoolState) -> Warnings:
    _check_known(change.room, _networks(school.policy), say("room"))
    for service in change.services:
        _check_known(service, school.policy.services, say("service"))
    starts_at = school.now if change.starts_at is None else change.starts_at
    exam = Exam(0, change.room, change.names, change.services, "", "", starts_at, change.ends_at)
    found = conflicts.overlaps(school.policy, school.overrides, exam)
    warnings: list[dict[str, Any]] = [
        {
            "warning": "overlap-pause"
            if exception.kind is TargetKind.PAUSE
            else ("overlap" if exception.allow else "overlap-block"),
            "number": exception.id,
            "target": exception.target,
            "author": exception.author,
        }
        for exception in found.exceptions
        if conflicts.disturbs(school.policy, exception, exam)
    ]
    for name in change.names:
        if len(warnings) >= _MOST_WARNINGS:
            break
        opened = SetException(TargetKind.NAME, name, True, Audience.NETWORK, change.room)
        idle = conflicts.idle(school.engine, _exception(opened, school.now), school.now)
        if idle is not None and idle is not Idle.PINNED:
            warnings.append({"warning": "idle", "target": name, "why": str(idle)})
    return tuple(warnings[:_MOST_WARNINGS])


def _exception(change: SetException, now: float) -> LocalException:
    """Return the exception that a change would make; its number is one of no thing."""
    return LocalException(
        0,
        change.target_kind,
        change.target,
        change.allow,
        change.audience,
        change.whom,
        "",
        "",
        now if change.starts_at is None else max(now, change.starts_at),
        change.ends_at,
    )


def _with(overrides: Overrides, thing: LocalException) -> Overrides:
    return type(overrides)(
        exceptions=(*overrides.exceptions, thing), rooms=overrides.rooms, exams=overrides.exams
    )


def _check_seat(seat: str, policy: Policy) -> None:
    """Check that a grade or class is one of the school's."""
    if not is_a_grade(seat):
        _check_known(seat, [one.id for one in policy.classes], say("class of this school"))


def _networks(policy: Policy) -> list[str]:
    return [network.id for network in policy.networks]


def _check_known(word: str, known: Iterable[str], called: Sentence) -> None:
    words = list(known)
    if word not in words:
        none = say("known: {known}", known=say("there is none"))
        hint = did_you_mean(word, words, most=_MOST_WARNINGS) or none
        raise ChangeError(say("'{word}' is not a {called}", word=word, called=called), hint=hint)
