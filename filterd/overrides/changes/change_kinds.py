# SPDX-License-Identifier: Apache-2.0
"""The kinds of change, undo among them, and the history row of one. Pure.

A change comes as a kind and plain data. ``parse`` makes a checked
``CheckedChange`` of them. Its ``effect`` returns what it removes and what it adds, or
raises where it is impossible. Whether a room, a category or a service exists is checked
elsewhere, where the policy is known (``preconditions``); an unknown id has no effect.

An undo is the inverse of the change's effect. It is possible while all that the change
added is still there unchanged, and nothing stands in the place of what it removed. Two
kinds make the time known: things that were set before get true dates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from filterd.base.errors import ChangeError
from filterd.base.state_file import to_plain
from filterd.base.value_class import frozen
from filterd.overrides.changes import change_fields, log_changes
from filterd.overrides.changes.change_fields import ChangeFields
from filterd.overrides.changes.effects import (
    THINGS,
    ChangeContext,
    ChangeEffect,
    CheckedChange,
    is_over,
    key_of,
    things_of,
)
from filterd.overrides.changes.exception_changes import (
    EndGuarded,
    ReportMistake,
    Revoke,
    SetException,
    SetExceptions,
    SetGrade,
    SetPause,
    is_about_the_same,
)
from filterd.overrides.changes.room_changes import (
    NAME_DEVICE,
    LendClass,
    NameDevice,
    SetDevices,
    SetExam,
    SetRoom,
    SetRoomDevices,
    StopExam,
    check_exams,
)
from filterd.overrides.history.history_chain import (
    ACCOUNT,
    CLOCK,
    CLOCK_ACCEPTED,
    DATING,
    GUARDED,
    PROGRAM_UPDATE,
    REFUSAL,
    REMOVAL,
    RESTORED,
    SITE_EDIT,
    TRIAL,
    UNDO,
    VIEW,
    HistoryRow,
    newest_undoable,
    with_undos,
)
from filterd.overrides.history.history_notes import (
    NoteAccount,
    NoteProgramUpdate,
    NoteRefusal,
    NoteRemoval,
    NoteSiteEdit,
    NoteTrial,
    NoteView,
)
from filterd.policy import field_checks
from filterd.policy.log_levels import LogLevel
from filterd.policy.temporary_rules import (
    Exam,
    LocalException,
    LogSetting,
    Overrides,
    RoomDevices,
)
from filterd.texts.i18n import did_you_mean, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from filterd.overrides.changes.effects import ChangeHistory

MAX_THINGS = 5_000
"""Of all things that have not ended; more means that a program has gone wrong."""

_DATED = ("exceptions", "rooms", "exams", "grades", "loans", "log_settings")


@frozen
class KnowTime(CheckedChange):
    """Date what was set before the time was confirmed, or by a clock that was ahead.

    A thing that was set for a length has run since it was set, and ends when that is over: it
    was set ``lag_s`` later than by the earliest time that was possible then. Without ``lag_s``
    that is not known, and what closes lasts as long from now on. What opens and was not set
    after number ``since``, by the present clock, has ended.

    A thing that was set by a confirmed clock that was ahead by ``ahead_s`` is moved back by so
    much: an active one goes on as long as intended, and an ended one stays ended.
    """

    ahead_s: change_fields.Length = 0.0
    lag_s: change_fields.Length | None = None
    since: change_fields.Length = 0.0

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        before, after = dict[str, Any](), dict[str, Any]()
        for kind in _DATED:
            moved = [
                (one, other)
                for one in getattr(context.overrides, kind)
                if (other := self._dated(one, context)) != one
            ]
            before[kind] = tuple(one for one, _ in moved)
            after[kind] = tuple(other for _, other in moved)
        return ChangeEffect(Overrides(**before), Overrides(**after))

    def _dated(self, thing: Any, context: ChangeContext) -> Any:
        for_s = getattr(thing, "for_s", None)
        if for_s is not None:
            now = context.at
            begin = now if self.lag_s is None else min(thing.starts_at + self.lag_s, now)
            is_of_this_clock = self.lag_s is not None and thing.id > self.since
            end = begin + for_s if is_of_this_clock or _closes(thing) else now
            return replace(thing, starts_at=begin, ends_at=end, for_s=None)
        row = context.past.row(thing.id) if self.ahead_s and thing.starts_at > context.at else None
        if row is None or row.at <= context.at:  # it was planned, by a clock that was right
            return thing
        ends_at = getattr(thing, "ends_at", None)
        if ends_at is None:
            return replace(thing, starts_at=thing.starts_at - self.ahead_s)
        return replace(
            thing, starts_at=thing.starts_at - self.ahead_s, ends_at=ends_at - self.ahead_s
        )


@frozen
class AcceptClock(KnowTime):
    """Accept the machine's clock despite the last known time.

    An administrator orders this.
    """


def _closes(thing: Any) -> bool:
    """Return whether a thing that ends only closes, or keeps less of a log."""
    if isinstance(thing, LogSetting):
        return LogLevel.COUNTS.includes(LogLevel(thing.level))
    return isinstance(thing, Exam) or (isinstance(thing, LocalException) and not thing.allow)


def is_undated(overrides: Overrides) -> bool:
    """Return whether a thing waits for the time to be known."""
    return any(getattr(one, "for_s", None) is not None for one in things_of(overrides))


def as_it_is(thing: Any, overrides: Overrides, kind: str) -> Any:
    """Return the thing as it is now, with the dates that it has got since."""
    for one in getattr(overrides, kind):
        if key_of(one) == key_of(thing) and _dateless(one) == _dateless(thing):
            return one
    return thing


def _dateless(thing: Any) -> Any:
    dates = {"starts_at": 0.0, "ends_at": 0.0, "for_s": None}
    return replace(thing, **{key: value for key, value in dates.items() if hasattr(thing, key)})


@frozen
class Undo(CheckedChange):
    """Take back the change ``number``, perhaps an undo; None: the author's last."""

    number: change_fields.Number | None = None

    def found_in(self, rows: Iterable[HistoryRow], author: str) -> Undo:
        """Return the undo with the number of its change.

        Args:
            rows: the history, in descending order.
            author: of the undo.

        Raises:
            ChangeError: the author has no change that could be taken back.
        """
        if self.number is not None:
            return self
        row = newest_undoable(rows, author)
        if row is None:
            hint = say("`filterd history list` shows all; `filterd undo NUMBER` undoes any of them")
            reason = say("there is no change of {author} to undo", author=author)
            raise ChangeError(reason, hint=hint)
        return Undo(row.number)

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        number = self.found_in(context.past.newest_first(), context.author).number
        assert number is not None
        row = context.past.row(number)
        if row is None or row.kind == RESTORED:
            hint = say("`filterd history list` shows all")
            raise ChangeError(say("there is no change {number} to undo", number=number), hint=hint)
        if row.kind in DATING:
            hint = say("undo or revoke what was set instead")
            raise ChangeError(
                say("change {number} has dated what was set; it stays", number=number), hint=hint
            )
        _check_counts(number, context)
        undo = _with_dates(row.effect().inverse(), context)
        things = [*things_of(undo.before), *things_of(undo.after)]
        if not things:
            raise ChangeError(say("change {number} has changed nothing", number=number))
        if all(is_over(thing, context.begin) for thing in things):
            raise ChangeError(say("what change {number} set has already ended", number=number))
        _check_in_place(number, undo, context)
        _check_place_is_free(number, undo, context)
        return undo


def _with_dates(undo: ChangeEffect, context: ChangeContext) -> ChangeEffect:
    """Return an undo with the present dates of the things that it removes.

    What it adds has no confirmation.
    """
    before: dict[str, Any] = {
        kind: tuple(as_it_is(one, context.overrides, kind) for one in getattr(undo.before, kind))
        for kind in THINGS
    }
    return ChangeEffect(Overrides(**before), log_changes.unconfirmed(undo.after))


def _check_counts(number: int, context: ChangeContext) -> None:
    """Check that no undo has taken the change back."""
    for row, by in with_undos(context.past.newest_first()):
        if row.number == number and by is not None:
            hint = say("to restore it, undo change {by}", by=by)
            raise ChangeError(
                say("change {number} has already been undone, by {by}", number=number, by=by),
                hint=hint,
            )
        if row.number <= number:
            return


def _check_in_place(number: int, undo: ChangeEffect, context: ChangeContext) -> None:
    """Check that everything that the change added is still there."""
    there = set(things_of(context.overrides))
    for thing in things_of(undo.before):
        if thing not in there:
            taken = (
                row for row in context.past.since(number) if thing in things_of(row.effect().before)
            )
            _refuse(number, max(row.number for row in taken))


def _has_a_device_of(one: RoomDevices, other: RoomDevices) -> bool:
    return one.room == other.room or not set(one.macs).isdisjoint(other.macs)


_IN_THE_PLACE_OF: dict[str, Callable[[Any, Any], bool]] = {
    "devices": _has_a_device_of,
    "device_names": lambda one, other: one.mac == other.mac,
    "grades": is_about_the_same,
    "log_settings": lambda one, other: (
        one.tier == other.tier and one.ends_at is None and other.ends_at is None
    ),
}


def _check_place_is_free(number: int, undo: ChangeEffect, context: ChangeContext) -> None:
    """Check that nothing has taken the place of what the change removed."""
    now, leaving = context.overrides, set(things_of(undo.before))
    for kind, is_in_its_place in _IN_THE_PLACE_OF.items():
        for thing in getattr(undo.after, kind):
            for one in getattr(now, kind):
                if is_in_its_place(one, thing) and one not in leaving:
                    _refuse(number, _maker_of(one, context))
    for exam in undo.after.exams:
        check_exams(now.exams, exam)


def _maker_of(thing: Any, context: ChangeContext) -> int:
    rows = context.past.newest_first()
    return next(row.number for row in rows if thing in things_of(row.effect().after))


def _refuse(number: int, by: int) -> NoReturn:
    hint = say("undo change {by} first", by=by)
    raise ChangeError(
        say("change {by} has replaced what change {number} set", by=by, number=number), hint=hint
    )


_KINDS: dict[str, Any] = {
    "exception": SetException,
    "exceptions": SetExceptions,
    "pause": SetPause,
    "revoke": Revoke,
    "room": SetRoom,
    "room-devices": SetRoomDevices,
    "device-table": SetDevices,
    NAME_DEVICE: NameDevice,
    "exam": SetExam,
    "exam-stop": StopExam,
    "grade": SetGrade,
    "class-lend": LendClass,
    UNDO: Undo,
    TRIAL: NoteTrial,
    CLOCK: KnowTime,
    GUARDED: EndGuarded,
    CLOCK_ACCEPTED: AcceptClock,
    "report-mistake": ReportMistake,
    log_changes.LEVEL: log_changes.SetLogLevel,
    log_changes.CONFIRM: log_changes.ConfirmLogging,
    VIEW: NoteView,
    REMOVAL: NoteRemoval,
    ACCOUNT: NoteAccount,
    SITE_EDIT: NoteSiteEdit,
    PROGRAM_UPDATE: NoteProgramUpdate,
    REFUSAL: NoteRefusal,
}
KINDS = tuple(_KINDS)
MADE_ELSEWHERE = {
    VIEW: say("looks at the log are recorded by filterd itself"),
    REMOVAL: say("remove from the log with `filterd log forget`"),
    ACCOUNT: say("accounts are changed with `filterd account`"),
    SITE_EDIT: say("edits of the site are recorded by filterd itself"),
    TRIAL: say("start a trial run with `filterd exam learn`"),
    GUARDED: say("filterd itself ends what opens a guarded category"),
    CLOCK: say("accept the machine's clock with `filterd clock accept`"),
    REFUSAL: say("refuse a request with `filterd requests refuse`"),
}
"""Kinds that cannot be asked for as a change."""
NEED_A_REASON = frozenset(
    {
        "exception",
        "exceptions",
        "pause",
        "report-mistake",
        CLOCK_ACCEPTED,
        log_changes.LEVEL,
        REMOVAL,
    }
)


@frozen
class ChangeRequest:
    """A request for a change, all of it checked."""

    kind: str
    change: CheckedChange
    author: str
    reason: str

    @classmethod
    def of(cls, kind: str, payload: Mapping[str, Any], author: str, reason: str) -> ChangeRequest:
        """Check a kind, its plain data, the author and the reason.

        Raises:
            ChangeError: one of them is missing, wrong or unknown.
        """
        change = parse(kind, payload)
        reason = change_fields.reason(reason, required=kind in NEED_A_REASON)
        return cls(kind, change, field_checks.author(author), reason)

    def row(
        self,
        at: float,
        overrides: Overrides,
        past: ChangeHistory,
        last_hash: str,
        now: float | None = None,
        not_before: float | None = None,
    ) -> HistoryRow:
        """Return the history row of the change, behind the last one.

        Args:
            at: the Unix time that the machine's clock shows.
            overrides: what is set before it.
            past: the changes before it.
            last_hash: of the last of them.
            now: the Unix time that policy goes by, if it differs.
            not_before: the earliest possible one, if that differs.

        Raises:
            ChangeError: the change cannot be made.
        """
        change = self.change
        if isinstance(change, Undo):
            change = change.found_in(past.newest_first(), self.author)
        number = overrides.number + 1
        context = ChangeContext(
            number,
            at if now is None else now,
            self.author,
            self.reason,
            overrides,
            past,
            not_before,
        )
        effect = change.effect(context)
        _check_room_for(effect, context)
        plain: dict[str, Any] = to_plain(change)
        payload = {key: value for key, value in plain.items() if value is not None}
        return HistoryRow.of(
            number, at, self.author, self.kind, payload, self.reason, effect, last_hash
        )


def parse(kind: str, payload: Mapping[str, Any]) -> CheckedChange:
    """Return the change that plain data describes.

    Raises:
        ChangeError: there is no such kind, or a value is missing, wrong or unknown.
    """
    if kind not in _KINDS:
        hint = did_you_mean(str(kind), KINDS)
        raise ChangeError(
            say("{kind} is not a kind of change", kind=field_checks.shown(kind)), hint=hint
        )
    fields = ChangeFields(payload)
    change: CheckedChange = _KINDS[kind].read(fields)
    fields.end()
    return change


def _check_room_for(effect: ChangeEffect, context: ChangeContext) -> None:
    """Refuse a change after which there would be too many things."""
    lasting = sum(not is_over(one, context.begin) for one in things_of(context.overrides))
    if lasting >= MAX_THINGS and any(things_of(effect.after)):
        hint = say("revoke what is no longer needed")
        raise ChangeError(say("there are already {lasting} settings", lasting=lasting), hint=hint)
