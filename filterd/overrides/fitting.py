# SPDX-License-Identifier: Apache-2.0
"""Whether a change fits the school: what it names exists, and may be opened at all. Pure.

What can never have an effect is refused, with the word that was probably meant.
What has none as things are, or contradicts something, is allowed and warned of:
an exception may be made for the day on which a category is unlocked. Warnings are
plain data, for others to put into words.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from filterd.errors import ChangeError
from filterd.overrides.exceptions import ReportMistake, SetException, SetGrade
from filterd.overrides.rooms import SetExam, SetRoom, SetRoomDevices
from filterd.policy import conflicts
from filterd.policy.changes import Changer
from filterd.policy.conflicts import Idle
from filterd.policy.model import SERVICE, Audience
from filterd.policy.overrides import Exam, LocalException, TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.overrides.making import Change
    from filterd.policy.engine import Engine
    from filterd.policy.model import Policy
    from filterd.policy.overrides import Overrides

Warnings = tuple[dict[str, Any], ...]

_NEVER = {
    Idle.ORDERED: ("is closed by a legal order", "nobody at a school can open it"),
    Idle.NOT_LISTED: (
        "is no entry of a list from elsewhere",
        "`filterd check` shows which name a list has; a name of your own needs no `entry:`",
    ),
    Idle.NOT_FOR_ALL: ("can be suspended for everybody only", "leave out for whom"),
    Idle.UNKNOWN: ("concerns nobody here", "see `filterd policy show`"),
}
_CLOSED = frozenset((Idle.ORDERED, Idle.LOCKED, Idle.KEPT_CLOSED))
_MOST_WARNINGS = 20


class School(NamedTuple):
    """What a change has to fit.

    ``policy`` is that of the site's files, with its timetables; ``engine`` that of
    the moment; ``overrides`` are what is set.
    """

    policy: Policy
    engine: Engine
    overrides: Overrides
    now: float


def check(change: Change, school: School) -> Warnings:
    """Check that a change names what there is; return what should be known of it.

    Raises:
        ChangeError: it names what there is not, or what nobody may open.
    """
    match change:
        case SetException():
            return _check_exception(change, school)
        case ReportMistake(name=name, ends_at=ends_at):
            entry = SetException(TargetKind.ENTRY, name, allow=True, ends_at=ends_at)
            return _check_exception(entry, school)
        case SetGrade():
            _check_grade(change, school.policy)
        case SetRoom(room=room, grade=grade):
            _check_known(room, _networks(school.policy), "room")
            _check_known(grade, school.policy.grades, "grade of this school")
        case SetRoomDevices():
            return _check_devices(change, school.policy)
        case SetExam():
            return _check_exam(change, school)
    return ()


def _check_exception(change: SetException, school: School) -> Warnings:
    policy = school.policy
    match change.audience:
        case Audience.NETWORK:
            _check_known(change.whom, _networks(policy), "room or network")
        case Audience.GRADE:
            _check_known(change.whom, policy.grades, "grade of this school")
        case Audience.TIER:
            tiers = {one.tier for one in policy.grades.values()}
            _check_known(change.whom, tiers, "tier of this school")
    if change.target_kind is TargetKind.SERVICE:
        _check_known(change.target, policy.services, "service")
    elif change.target_kind is TargetKind.CATEGORY:
        _check_known(change.target, policy.categories, "category")
    thing = _exception(change, school.now)
    idle = conflicts.idle(school.engine, thing, school.now)
    if not change.allow and idle in _CLOSED:
        idle = None  # what it blocks is blocked already
    if idle in _NEVER:
        reason, hint = _NEVER[idle]
        raise ChangeError(f"{change.target} {reason}", hint=hint)
    warnings: list[dict[str, Any]] = []
    if idle is not None:
        warnings.append({"warning": "idle", "target": change.target, "why": str(idle)})
    warnings += _contradictions(thing, school.overrides)
    warnings += (
        {"warning": "exam", "exam": exam.id, "room": exam.room, "until_at": exam.ends_at}
        for exam in school.overrides.exams
        if thing in conflicts.overlaps(policy, _with(school.overrides, thing), exam).exceptions
    )
    return tuple(warnings[:_MOST_WARNINGS])


def _contradictions(thing: LocalException, overrides: Overrides) -> Iterator[dict[str, Any]]:
    both = _with(overrides, thing)
    for pair in conflicts.contradictions(both):
        if thing in pair:
            other = pair[0] if pair[1] is thing else pair[1]
            yield {"warning": "contradiction", "number": other.id, "author": other.author}


def _check_grade(change: SetGrade, policy: Policy) -> None:
    _check_known(change.grade, policy.grades, "grade of this school")
    is_service = change.target_kind is TargetKind.SERVICE
    known: Iterable[str] = policy.services if is_service else policy.categories
    _check_known(change.target, known, "service" if is_service else "category")
    key = SERVICE + change.target if is_service else change.target
    if not change.opens or key not in Changer(policy).shut:
        return
    group = policy.services[change.target].group if is_service else change.target
    category = policy.categories.get(group)
    if category is not None and category.ordered:
        raise ChangeError(f"{change.target} is closed by a legal order", hint="nobody can open it")
    if category is not None and category.locked:
        raise ChangeError(f"{change.target} is locked for everybody", hint="it cannot be opened")
    hint = "see `keep_closed` in site.yaml"
    raise ChangeError(f"{change.target} is kept closed by the school", hint=hint)


def _check_devices(change: SetRoomDevices, policy: Policy) -> Warnings:
    """Tell which devices the site's files name for another network: they leave that."""
    _check_known(change.room, _networks(policy), "room")
    found: list[dict[str, Any]] = [
        {"warning": "moved", "mac": mac, "network": one.id}
        for one in policy.networks
        if one.id != change.room
        for mac in one.macs
        if mac in change.macs
    ]
    return tuple(found[:_MOST_WARNINGS])


def _check_exam(change: SetExam, school: School) -> Warnings:
    _check_known(change.room, _networks(school.policy), "room")
    for service in change.services:
        _check_known(service, school.policy.services, "service")
    starts_at = school.now if change.starts_at is None else change.starts_at
    exam = Exam(0, change.room, change.names, change.services, "", "", starts_at, change.ends_at)
    found = conflicts.overlaps(school.policy, school.overrides, exam)
    warnings: list[dict[str, Any]] = [
        {"warning": "overlap", "number": one.id, "target": one.target, "author": one.author}
        for one in found.exceptions
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
    """Return what a change would make; its number is none that a thing has."""
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


def _networks(policy: Policy) -> list[str]:
    return [one.id for one in policy.networks]


def _check_known(word: str, known: Iterable[str], called: str) -> None:
    words = list(known)
    if word not in words:
        _refuse_unknown(word, words, called)


def _refuse_unknown(word: str, words: list[str], called: str) -> NoReturn:
    close = difflib.get_close_matches(word, words, n=1)
    shown = ", ".join(words[:_MOST_WARNINGS]) or "there is none"
    hint = f"did you mean '{close[0]}'?" if close else f"known: {shown}"
    raise ChangeError(f"'{word}' is no {called}", hint=hint)
