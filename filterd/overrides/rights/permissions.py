# SPDX-License-Identifier: Apache-2.0
"""Permissions: which changes a teacher may make. Pure.

Those that a lesson needs and that end by themselves the same day: exceptions and pauses
for one room, grade, class, network or device, the grade of a room, exams in rooms, lending
an own class, and stopping or taking back their own changes. A change is judged by its effect,
by what is set and what is set no more, and for whom: so an undo is no way around. Where the
school has classes, a teacher may do so for own classes, and for the rooms where these sit, in
their lessons (``teaching``). Administrators may make all changes, and others none; but what is
guarded (``policy.guarded_categories``) they open for 14 days at most and by proof, and ``full``
of the query log is confirmed by a second person, a principal or another administrator. What keeps
nothing of lookups takes proof, whichever change sets it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from filterd.base.errors import ChangeError, ControlError
from filterd.overrides.changes.change_kinds import KnowTime, Undo
from filterd.overrides.changes.effects import has_ended, things_of
from filterd.overrides.changes.exception_changes import (
    Revoke,
    SetException,
    SetExceptions,
    SetPause,
)
from filterd.overrides.changes.room_changes import LendClass, SetExam, SetRoom, StopExam
from filterd.overrides.history.history_chain import ACCOUNT
from filterd.overrides.history.history_notes import LETTING_IN
from filterd.overrides.rights.roles import SHARED, WHO, Rank, Role, person_of
from filterd.overrides.rights.teaching import Teaching
from filterd.policy.calendar import shown_at
from filterd.policy.guarded_categories import LONGEST_OPENING_S
from filterd.policy.log_levels import LONGEST_FULL_S, PROVED
from filterd.policy.model import DAY_S, Audience
from filterd.policy.temporary_rules import (
    ClassLoan,
    Exam,
    GradeSetting,
    LocalException,
    LogSetting,
    RoomSetting,
    TargetKind,
    written,
)
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.overrides.changes.effects import ChangeEffect, CheckedChange
    from filterd.overrides.changes.log_changes import ConfirmLogging
    from filterd.overrides.history.history_chain import HistoryRow
    from filterd.overrides.rights.roles import Author
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides

LONGEST_LOAN_S = 14.0 * DAY_S
"""For which a teacher may lend an own class."""

_OF_TEACHERS = (
    SetException,
    SetExceptions,
    SetPause,
    Revoke,
    SetRoom,
    SetExam,
    StopExam,
    LendClass,
    Undo,
)
"""Changes that a teacher may ask for; the others do more than their effect shows."""
_OF_ONE = frozenset((Audience.GRADE, Audience.CLASS, Audience.NETWORK, Audience.CLIENT))


class Classroom(NamedTuple):
    """What a teacher's rights depend on.

    Attributes:
        policy: the site's files.
        overrides: what is set.
        now: Unix time; None while it is not known.
        day_ends_at: the Unix time at which the school's day is over.
        network_of: returns the network of a device's address; None for an unknown client,
            and for this machine itself.
        guarded_by: returns the guarded categories that a thing opens.
    """

    policy: Policy
    overrides: Overrides
    now: float | None
    day_ends_at: float
    network_of: Callable[[str], str | None]
    guarded_by: Callable[[Any], frozenset[str]] = lambda _: frozenset()


def check_change(
    author: Author, change: CheckedChange, effect: ChangeEffect, classroom: Classroom
) -> None:
    """Refuse a change that the author may not make.

    What it removes is judged as what it adds: to take back a block opens.

    Args:
        author: of the change, with the rights of now.
        change: with all times resolved.
        effect: of the change.
        classroom: the school.

    Raises:
        ControlError: it names the roles that may.
        ChangeError: it names the remedy.
    """
    author.must_be(Rank.TEACHER, say("change anything"))
    now = 0.0 if classroom.now is None else classroom.now
    if author.rank < Rank.ADMIN:
        _check_teacher(author, change, effect, classroom, now)
    if isinstance(change, KnowTime):  # it dates what is set, and opens nothing anew
        return
    for thing in things_of(effect.after):
        if has_ended(thing, now):
            continue
        if isinstance(thing, LogSetting):
            _check_log_level(author, thing)
        for category in sorted(classroom.guarded_by(thing)):
            _check_guarded(author, thing, category, now)


def _check_teacher(
    author: Author,
    change: CheckedChange,
    effect: ChangeEffect,
    classroom: Classroom,
    now: float,
) -> None:
    if not isinstance(change, _OF_TEACHERS):
        author.must_be(Rank.ADMIN, say("change that"))
    if not isinstance(change, SetRoom):  # what that replaces, the new setting is judged for
        for thing in things_of(effect.before):
            if not has_ended(thing, now):
                _check_taken_back(author, thing, classroom)
    for thing in things_of(effect.after):
        if not has_ended(thing, now):
            _check_thing(author, thing, classroom)


def _check_guarded(author: Author, thing: Any, category: str, now: float) -> None:
    """Refuse to open a guarded category without proof, or for long.

    Raises:
        ControlError: it names who may; ChangeError: it names the remedy.
    """
    to_do = say("open {category}, which is guarded", category=category)
    author.must_be(Rank.ADMIN, to_do)
    ends_at = thing.ends_at
    if ends_at is None or ends_at > max(thing.starts_at, now) + LONGEST_OPENING_S:
        hint = say("such as --for 14d")
        if isinstance(thing, GradeSetting):
            hint = say(
                "open it for a time: filterd allow {target} --grade {grade} --for 14d",
                target=written(thing.kind, thing.target),
                grade=thing.grade,
            )
        raise ChangeError(
            say("{category} is guarded: it is opened for 14 days at most", category=category),
            hint=hint,
        )
    author.must_have_proved(to_do)


def _check_log_level(author: Author, thing: LogSetting) -> None:
    """Refuse a level that takes proof, such as by an undo.

    What waits for a second person does nothing yet.

    Raises:
        ControlError: it names who may.
    """
    if thing.level in PROVED and not thing.is_waiting:
        author.must_have_proved(say("set the log level {level}", level=thing.level))


def _check_taken_back(author: Author, thing: Any, classroom: Classroom) -> None:
    """Refuse to take back what others have set, or what a teacher could not set."""
    is_own = person_of(getattr(thing, "author", "")) == author.person
    if not is_own and isinstance(thing, Exam):
        author.must_be(Rank.ADMIN, say("end another person's exam"))
    if not is_own:
        author.must_be(Rank.ADMIN, say("undo another person's change"))
    try:
        _check_thing(author, thing, classroom)
    except ChangeError:
        author.must_be(Rank.ADMIN, say("take back what only an administrator can set"))


def _check_thing(author: Author, thing: Any, classroom: Classroom) -> None:
    """Refuse what a teacher may not set.

    Raises:
        ControlError, ChangeError: see ``check_change``.
    """
    match thing:
        case LocalException():
            _check_exception(author, thing, classroom)
        case RoomSetting():
            _check_room_setting(author, thing, classroom)
        case Exam():
            _check_exam(author, thing, classroom)
        case ClassLoan():
            _check_loan(author, thing, classroom)
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
    setter = next(
        (setting.author for setting in overrides.log_settings if setting.id == change.id), ""
    )
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


def _check_audience(author: Author, thing: LocalException, classroom: Classroom) -> None:
    """Refuse an exception for others than the teacher's own pupils."""
    teaching = _teaching(author, classroom, thing.starts_at, thing.ends_at)
    whom = thing.whom
    match thing.audience:
        case Audience.CLASS if not teaching.has_class(whom):
            author.must_be(Rank.ADMIN, say("change what class {class_id} may see", class_id=whom))
        case Audience.GRADE if not teaching.is_of_pupils(whom):
            author.must_be(Rank.ADMIN, say("change what {seat} may see", seat=whom))
        case Audience.GRADE if not teaching.has_grade(whom):
            author.must_be(
                Rank.ADMIN, say("change what other classes of grade {grade} may see", grade=whom)
            )
        case Audience.NETWORK:
            _check_room(author, whom, classroom, teaching)
        case Audience.CLIENT:
            network = classroom.network_of(whom)
            if network is None:
                author.must_be(
                    Rank.ADMIN, say("change what {address} may see, in no room", address=whom)
                )
            _check_room(author, network or "", classroom, teaching)


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
    if not teaching.has_pupils_only(room):
        author.must_be(Rank.ADMIN, say("change what {room} may see", room=room))
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


def _check_loan(author: Author, loan: ClassLoan, classroom: Classroom) -> None:
    """Refuse to lend a class of other teachers, or for long."""
    owners = (one.teachers for one in classroom.policy.classes if one.id == loan.class_id)
    if author.person not in next(owners, ()):
        author.must_be(Rank.ADMIN, say("lend class {class_id}", class_id=loan.class_id))
    if classroom.now is not None and loan.ends_at > classroom.now + LONGEST_LOAN_S:
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


def _check_exception(author: Author, thing: LocalException, classroom: Classroom) -> None:
    if thing.kind is TargetKind.ENTRY:
        author.must_be(Rank.ADMIN, say("suspend an entry of a list"))
    if thing.audience not in _OF_ONE:
        _refuse(
            say("a teacher's exception is for one room, grade, network or device"),
            say("--room"),
        )
    _check_end(thing.ends_at, classroom.day_ends_at)
    _check_audience(author, thing, classroom)


def _check_room_setting(author: Author, thing: RoomSetting, classroom: Classroom) -> None:
    room, seat = thing.room, thing.grade
    if not is_room(classroom.policy, room):
        author.must_be(Rank.ADMIN, say("set a grade for {room}, which is not a room", room=room))
    _check_end(thing.ends_at, classroom.day_ends_at)
    teaching = _teaching(author, classroom, thing.starts_at, thing.ends_at)
    if not (teaching.is_of_pupils(seat) and teaching.has_seat(seat)):
        author.must_be(Rank.ADMIN, say("bring {seat} into a room", seat=seat))
    _check_room(author, room, classroom, teaching, is_free=True)


def _check_exam(author: Author, thing: Exam, classroom: Classroom) -> None:
    room, day_ends_at = thing.room, classroom.day_ends_at
    teaching = _teaching(author, classroom, thing.starts_at, thing.ends_at)
    if not _may_be_changed(room, classroom, teaching):
        author.must_be(Rank.ADMIN, say("hold an exam in {room}, which is not a room", room=room))
    if thing.starts_at < day_ends_at:
        _check_end(thing.ends_at, day_ends_at)
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
