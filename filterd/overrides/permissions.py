# SPDX-License-Identifier: Apache-2.0
"""Permissions: which changes a teacher may make. Pure.

Those that a lesson needs and that end by themselves the same day: exceptions and pauses
for one room, grade, network or device, the grade of a room, exams in rooms, and stopping
or taking back their own changes. Administrators may make all changes, and others none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from filterd.errors import ChangeError
from filterd.i18n import Sentence, say
from filterd.overrides.change_kinds import Undo
from filterd.overrides.exception_changes import Revoke, SetException, SetExceptions, SetPause
from filterd.overrides.roles import WHO, Rank
from filterd.overrides.room_changes import SetExam, SetRoom, StopExam
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from filterd.overrides.effects import CheckedChange
    from filterd.overrides.roles import Author
    from filterd.policy.model import Policy

_OF_ONE = frozenset((Audience.GRADE, Audience.CLASS, Audience.NETWORK, Audience.CLIENT))


def check_change(
    author: Author, change: CheckedChange, policy: Policy, day_ends_at: float, made_by: str = ""
) -> None:
    """Refuse a change that the author may not make.

    Args:
        author: of the change.
        change: with all times resolved.
        policy: the site's files.
        day_ends_at: the Unix time at which the school's day is over.
        made_by: the author of what it stops or takes back, if it does so.

    Raises:
        ControlError: it names the roles that may.
        ChangeError: it names the remedy.
    """
    if author.rank >= Rank.ADMIN:
        return
    author.must_be(Rank.TEACHER, say("change anything"))
    match change:
        case SetException() | SetExceptions() | SetPause():
            _check_exceptions(author, change.each(), day_ends_at)
        case SetRoom(room=room, ends_at=ends_at):
            if not is_room(policy, room):
                author.must_be(
                    Rank.ADMIN, say("set a grade for {room}, which is not a room", room=room)
                )
            _check_end(ends_at, day_ends_at)
        case SetExam(room=room):
            if not is_room(policy, room):
                author.must_be(
                    Rank.ADMIN, say("hold an exam in {room}, which is not a room", room=room)
                )
            _check_exam(change, day_ends_at)
        case StopExam() | Revoke() | Undo() if made_by == author.name:
            pass
        case StopExam():
            author.must_be(Rank.ADMIN, say("end another person's exam"))
        case Revoke() | Undo():
            author.must_be(Rank.ADMIN, say("undo another person's change"))
        case _:
            author.must_be(Rank.ADMIN, say("change that"))


def is_room(policy: Policy, network: str) -> bool:
    """Return whether a network is a room; in any other, other classes are affected."""
    return any(one.id == network and one.room for one in policy.networks)


def _check_exceptions(
    author: Author, changes: tuple[SetException, ...], day_ends_at: float
) -> None:
    for change in changes:
        if change.target_kind is TargetKind.ENTRY:
            author.must_be(Rank.ADMIN, say("suspend an entry of a list"))
        if change.audience not in _OF_ONE:
            _refuse(
                say("a teacher's exception is for one room, grade, network or device"),
                say("--room"),
            )
        _check_end(change.ends_at, day_ends_at)


def _check_exam(change: SetExam, day_ends_at: float) -> None:
    if change.starts_at is None or change.starts_at < day_ends_at:
        _check_end(change.ends_at, day_ends_at)


def _check_end(ends_at: float | None, day_ends_at: float) -> None:
    if ends_at is None or ends_at > day_ends_at:
        _refuse(
            say("a teacher's setting ends the same day"),
            say("--for 45m, --lesson or --until 17:00"),
        )


def _refuse(reason: Sentence, write: Sentence) -> NoReturn:
    raise ChangeError(
        reason, hint=say("{write}; for more than that, {who}", write=write, who=WHO[Rank.ADMIN])
    )
