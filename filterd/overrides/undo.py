# SPDX-License-Identifier: Apache-2.0
"""Undo: taking a change back, and the reasons why it may be impossible. Pure.

An undo is the inverse of the change's effect. It is possible while all that the change
added is still there unchanged, and nothing stands in the place of what it removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from filterd.errors import ChangeError
from filterd.i18n import say
from filterd.overrides import change_fields
from filterd.overrides.effects import KINDS, ChangeEffect, has_ended, only, things_of
from filterd.overrides.exception_changes import is_about_the_same
from filterd.overrides.history_chain import RESTORED, newest_undoable, with_undos
from filterd.overrides.late_dates import as_it_is
from filterd.overrides.room_changes import check_exams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.overrides.change_fields import Fields
    from filterd.overrides.effects import Making
    from filterd.overrides.history_chain import HistoryRow


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the change ``number``, perhaps an undo; None: the author's last."""

    number: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Undo:
        """Check the fields of the change."""
        return cls(fields.take_or("number", change_fields.number, None))

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
            hint = say("`filterd history list` shows all; `filterd undo NUMBER` takes any back")
            reason = say("there is no change of {author} to take back", author=author)
            raise ChangeError(reason, hint=hint)
        return Undo(row.number)

    def effect(self, making: Making) -> ChangeEffect:
        """Return the effect of the change."""
        number = self.found_in(making.past.newest_first(), making.author).number
        assert number is not None
        row = making.past.row(number)
        if row is None or row.kind == RESTORED:
            hint = say("the history shows which there are")
            raise ChangeError(
                say("there is no change {number} to take back", number=number), hint=hint
            )
        _check_counts(number, making)
        undo = _with_dates(row.effect().inverse(), making)
        things = [*things_of(undo.before), *things_of(undo.after)]
        if not things:
            raise ChangeError(say("change {number} has changed nothing", number=number))
        if all(has_ended(thing, making.at) for thing in things):
            raise ChangeError(
                say("what change {number} was about has ended already", number=number)
            )
        _check_in_place(number, undo, making)
        _check_place_is_free(number, undo, making)
        return undo


def _with_dates(undo: ChangeEffect, making: Making) -> ChangeEffect:
    """Return an undo with the present dates of the things that it removes."""
    before = {
        kind: tuple(as_it_is(one, making.overrides, kind) for one in getattr(undo.before, kind))
        for kind in KINDS
    }
    return ChangeEffect(only(**before), undo.after)


def _check_counts(number: int, making: Making) -> None:
    """Check that no undo has taken the change back."""
    for row, by in with_undos(making.past.newest_first()):
        if row.number == number and by is not None:
            hint = say("to have it again, undo change {by}", by=by)
            raise ChangeError(
                say("change {number} has been taken back already, by {by}", number=number, by=by),
                hint=hint,
            )
        if row.number <= number:
            return


def _check_in_place(number: int, undo: ChangeEffect, making: Making) -> None:
    """Check that everything that the change added is still there."""
    there = set(things_of(making.overrides))
    for thing in things_of(undo.before):
        if thing not in there:
            taken = (row for row in making.past.since(number) if thing in _taken_by(row))
            _refuse(number, max(row.number for row in taken))


def _check_place_is_free(number: int, undo: ChangeEffect, making: Making) -> None:
    """Check that nothing has taken the place of what the change removed."""
    now, leaving = making.overrides, set(things_of(undo.before))
    for devices in undo.after.devices:
        for other in now.devices:
            clash = other.room == devices.room or set(other.macs) & set(devices.macs)
            if clash and other not in leaving:
                _refuse(number, _who_put(other, making))
    for setting in undo.after.grades:
        for one in now.grades:
            if is_about_the_same(one, setting) and one not in leaving:
                _refuse(number, _who_put(one, making))
    for exam in undo.after.exams:
        check_exams(now.exams, exam)


def _taken_by(row: HistoryRow) -> list[Any]:
    return list(things_of(row.effect().before))


def _put_by(row: HistoryRow) -> list[Any]:
    return list(things_of(row.effect().after))


def _who_put(thing: Any, making: Making) -> int:
    return next(row.number for row in making.past.newest_first() if thing in _put_by(row))


def _refuse(number: int, by: int) -> NoReturn:
    hint = say("undo change {by} first", by=by)
    raise ChangeError(
        say("change {by} has replaced what change {number} set", by=by, number=number), hint=hint
    )
