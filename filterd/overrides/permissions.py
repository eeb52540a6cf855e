# SPDX-License-Identifier: Apache-2.0
"""Permissions: which changes a teacher may make. Pure.

Those that a lesson needs and that end by themselves the same day: exceptions and pauses
for one room, grade, class, network or device, the grade of a room, exams in rooms, lending
an own class, and stopping or taking back their own changes. Where the school has classes, a
teacher may do so for own classes, and for the rooms where these sit, in their lessons
(``teaching``). Administrators may make all changes, and others none; but ``full`` of the
query log is confirmed by a second person, a principal or another administrator.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from filterd.errors import ChangeError, ControlError
from filterd.i18n import Sentence, say
from filterd.overrides.change_kinds import Undo
from filterd.overrides.exception_changes import Revoke, SetException, SetExceptions, SetPause
from filterd.overrides.history_chain import ACCOUNT
from filterd.overrides.history_notes import LETTING_IN
from filterd.overrides.roles import SHARED, WHO, Rank, Role, person_of
from filterd.overrides.room_changes import LendClass, SetExam, SetRoom, StopExam
from filterd.overrides.teaching import Teaching
from filterd.policy.calendar import shown_at
from filterd.policy.log_levels import LONGEST_FULL_S
from filterd.policy.model import DAY_S, STAFF, Audience
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.overrides.effects import CheckedChange
    from filterd.overrides.history_chain import HistoryRow
    from filterd.overrides.log_changes import ConfirmLogging
    from filterd.overrides.roles import Author
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides

LONGEST_LOAN_S = 14.0 * DAY_S
"""For which a teacher may lend an own class."""

_OF_ONE = frozenset((Audience.GRADE, Audience.CLASS, Audience.NETWORK, Audience.CLIENT))


class Classroom(NamedTuple):
    """What a teacher's rights depend on.

    Attributes:
        policy: the site's files.
        overrides: what is set.
        now: Unix time; None while it is not known.
        day_ends_at: the Unix time at which the school's day is over.
        network_of: returns the network of an address, None for none.
    """

    policy: Policy
    overrides: Overrides
    now: float | None
    day_ends_at: float
    network_of: Callable[[str], str | None]


def check_change(
    author: Author, change: CheckedChange, classroom: Classroom, made_by: str = ""
) -> None:
    """Refuse a change that the author may not make.

    Args:
        author: of the change.
        change: with all times resolved.
        classroom: the school.
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
            _check_exceptions(author, change.each(), classroom)
        case SetRoom():
            _check_set_room(author, change, classroom)
        case SetExam():
            _check_set_exam(author, change, classroom)
        case LendClass(class_id=class_id, ends_at=ends_at):
            _check_loan(author, class_id, ends_at, classroom)
        case StopExam() | Revoke() | Undo() if person_of(made_by) == author.person:
            pass
        case StopExam():
            author.must_be(Rank.ADMIN, say("end another person's exam"))
        case Revoke() | Undo():
            author.must_be(Rank.ADMIN, say("undo another person's change"))
        case _:
            author.must_be(Rank.ADMIN, say("change that"))


def check_confirmation(
    author: Author,
    change: ConfirmLogging,
    overrides: Overrides,
    past: Iterable[HistoryRow] = (),
    now: float = 0.0,
) -> None:
    """Refuse to confirm a level of the log by others than a second person.

    The change itself refuses the person who has set it. Root is no person: it confirms
    nothing, and what it has set only a principal confirms. An account that the one who has
    set it made, or made a code for, within the last days may be that person again.

    Args:
        author: of the confirmation.
        change: the confirmation.
        overrides: what is set.
        past: the changes until now.
        now: Unix time.

    Raises:
        ControlError: it names the groups that may, or the remedy.
    """
    may = {Role.PRINCIPAL, Role.ADMIN}
    setter = next((one.author for one in overrides.log_settings if one.id == change.id), "")
    if person_of(setter) in SHARED:
        may = {Role.PRINCIPAL}
    if author.person in SHARED or author.roles.isdisjoint(may):
        raise ControlError(
            say(
                "{name} may not confirm this log level; a second person may, with an account in:"
                " {groups}",
                name=author.name,
                groups=", ".join(sorted(one.group for one in may)),
            )
        )
    if any(_lets_in(row, setter, author.person, now) for row in past):
        raise ControlError(
            say(
                "{setter} has set this log level, and gave {name} access within the "
                "last {days} days; another person confirms it",
                setter=person_of(setter),
                name=author.person,
                days=round(LONGEST_FULL_S / DAY_S),
            )
        )


def _lets_in(row: HistoryRow, setter: str, account: str, now: float) -> bool:
    """Return whether a recent change let its author sign in as another person."""
    if row.kind != ACCOUNT or row.at < now - LONGEST_FULL_S:
        return False
    noted = json.loads(row.payload)
    is_of_both = person_of(row.author) == person_of(setter) and noted["account"] == account
    return is_of_both and noted["what"] in LETTING_IN


def check_listening(author: Author, room: str, classroom: Classroom) -> None:
    """Refuse to report what a room asks for, unless the author teaches there now.

    Raises:
        ControlError: it names the roles that may.
        ChangeError: another class is there.
    """
    author.must_be(Rank.TEACHER, say("watch what a room looks up"))
    if author.rank >= Rank.ADMIN:
        return
    now = classroom.now
    teaching = _teaching(author, classroom, now, None if now is None else now + 1)
    if not _may_be_changed(room, classroom, teaching):
        author.must_be(Rank.ADMIN, say("listen to {room}, which is not a room", room=room))
    _check_room(author, room, classroom, teaching)


def check_class(author: Author, class_id: str, classroom: Classroom) -> None:
    """Refuse to show what a class asked for, unless it is the author's own now.

    Raises:
        ControlError: it names the roles that may.
    """
    classes = readable_classes(author, lambda: classroom)
    if classes is not None and class_id not in classes:
        author.must_be(Rank.ADMIN, say("look at class {class_id}", class_id=class_id))


def teaches_in(author: Author, room: str, classroom: Classroom) -> bool:
    """Return whether the author teaches in a room now.

    It is whether ``check_listening`` passes.
    """
    try:
        check_listening(author, room, classroom)
    except (ControlError, ChangeError):
        return False
    return True


def readable_classes(author: Author, classroom: Callable[[], Classroom]) -> frozenset[str] | None:
    """Return the classes whose totals of today the author may read; None for all.

    Args:
        author: an administrator reads those of all, a teacher those of own ones now.
        classroom: returns the school.
    """
    if author.rank >= Rank.ADMIN:
        return None
    if author.rank < Rank.TEACHER:
        return frozenset()
    school = classroom()
    now = school.now
    return _teaching(author, school, now, None if now is None else now + 1).classes


def _teaching(
    author: Author, classroom: Classroom, starts_at: float | None, ends_at: float | None
) -> Teaching:
    now = 0.0 if classroom.now is None else classroom.now
    begin = now if starts_at is None else max(starts_at, now)
    return Teaching(classroom.policy, classroom.overrides, author.person, begin, ends_at)


def _may_be_changed(network: str, classroom: Classroom, teaching: Teaching) -> bool:
    """Return whether a network is a room, or the home room of the teacher's own class."""
    policy = classroom.policy
    homes = (one.id for one in policy.networks if one.grade in teaching.classes)
    return is_room(policy, network) or network in homes


def _check_audience(author: Author, change: SetException, classroom: Classroom) -> None:
    """Refuse an exception for other classes than the teacher's own."""
    teaching = _teaching(author, classroom, change.starts_at, change.ends_at)
    whom = change.whom
    match change.audience:
        case Audience.CLASS if whom not in teaching.classes:
            author.must_be(Rank.ADMIN, say("change what class {class_id} may see", class_id=whom))
        case Audience.GRADE if not teaching.has_grade(whom):
            author.must_be(
                Rank.ADMIN, say("change what other classes of grade {grade} may see", grade=whom)
            )
        case Audience.NETWORK:
            _check_room(author, whom, classroom, teaching)
        case Audience.CLIENT:
            _check_room(author, classroom.network_of(whom) or "", classroom, teaching)


def _check_room(
    author: Author, room: str, classroom: Classroom, teaching: Teaching, *, is_free: bool = False
) -> None:
    """Refuse what concerns a room while another class has it.

    Args:
        author: a teacher.
        room: the id of a network.
        classroom: the school.
        teaching: the teacher's classes and lessons.
        is_free: whether the time between lessons is enough.
    """
    if classroom.now is None:
        if not teaching.may_sit(room):
            author.must_be(Rank.ADMIN, say("change what {room} may see", room=room))
        return
    found = teaching.occupied(room, is_free=is_free)
    if found is None:
        return
    if not found.seat:
        _refuse(
            say("you have no lesson in {room} at that time", room=room), say("--at, or --class")
        )
    since = shown_at(classroom.policy, found.since, classroom.now)
    is_later = found.since > teaching.starts_at
    _refuse(
        say("{seat} has {room} from {since} on", seat=found.seat, room=room, since=since),
        say("end it by --until {since}", since=since)
        if is_later
        else say("--class, for a class of yours"),
    )


def _check_loan(author: Author, class_id: str, ends_at: float, classroom: Classroom) -> None:
    """Refuse to lend a class of other teachers, or for long."""
    owners = (one.teachers for one in classroom.policy.classes if one.id == class_id)
    if author.person not in next(owners, ()):
        author.must_be(Rank.ADMIN, say("lend class {class_id}", class_id=class_id))
    if classroom.now is not None and ends_at > classroom.now + LONGEST_LOAN_S:
        _refuse(
            say(
                "a teacher lends a class for {days} days at most",
                days=round(LONGEST_LOAN_S / DAY_S),
            ),
            say("such as --for 14d"),
        )


def is_room(policy: Policy, network: str) -> bool:
    """Return whether a network is a room; in any other, other classes are affected."""
    return any(one.id == network and one.room for one in policy.networks)


def _check_exceptions(
    author: Author, changes: tuple[SetException, ...], classroom: Classroom
) -> None:
    for change in changes:
        if change.target_kind is TargetKind.ENTRY:
            author.must_be(Rank.ADMIN, say("suspend an entry of a list"))
        if change.audience not in _OF_ONE:
            _refuse(
                say("a teacher's exception is for one room, grade, network or device"),
                say("--room"),
            )
        _check_end(change.ends_at, classroom.day_ends_at)
        _check_audience(author, change, classroom)


def _check_set_room(author: Author, change: SetRoom, classroom: Classroom) -> None:
    room, seat = change.room, change.grade
    if not is_room(classroom.policy, room):
        author.must_be(Rank.ADMIN, say("set a grade for {room}, which is not a room", room=room))
    _check_end(change.ends_at, classroom.day_ends_at)
    teaching = _teaching(author, classroom, change.starts_at, change.ends_at)
    if seat == STAFF or not teaching.has_seat(seat):  # pupils sit there
        author.must_be(Rank.ADMIN, say("bring {seat} into a room", seat=seat))
    _check_room(author, room, classroom, teaching, is_free=True)


def _check_set_exam(author: Author, change: SetExam, classroom: Classroom) -> None:
    room, day_ends_at = change.room, classroom.day_ends_at
    teaching = _teaching(author, classroom, change.starts_at, change.ends_at)
    if not _may_be_changed(room, classroom, teaching):
        author.must_be(Rank.ADMIN, say("hold an exam in {room}, which is not a room", room=room))
    if change.starts_at is None or change.starts_at < day_ends_at:
        _check_end(change.ends_at, day_ends_at)
    _check_room(author, room, classroom, teaching)


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
