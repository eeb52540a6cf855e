# SPDX-License-Identifier: Apache-2.0
"""The kinds of change, and the history row of one. Pure.

A change comes as a kind and plain data. ``parse`` makes a checked
``CheckedChange`` of them. Its ``effect`` returns what it removes and what it adds, or
raises where it is impossible. Whether a room, a category or a service exists is checked
elsewhere, where the policy is known (``preconditions``); an unknown id has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd import field_checks
from filterd.errors import ChangeError
from filterd.i18n import did_you_mean, say
from filterd.overrides import change_fields
from filterd.overrides.change_fields import Fields
from filterd.overrides.effects import Making, has_ended, things_of
from filterd.overrides.exception_changes import (
    ReportMistake,
    Revoke,
    SetException,
    SetExceptions,
    SetGrade,
)
from filterd.overrides.history_chain import CLOCK, CLOCK_ACCEPTED, TRIAL, UNDO, HistoryRow
from filterd.overrides.late_dates import AcceptClock, KnowTime
from filterd.overrides.room_changes import (
    NoteTrial,
    SetDevices,
    SetExam,
    SetRoom,
    SetRoomDevices,
    StopExam,
)
from filterd.overrides.undo import Undo
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.overrides.effects import ChangeEffect, ChangeHistory, CheckedChange
    from filterd.policy.temporary_rules import Overrides

MAX_THINGS = 5_000
"""Of all things that have not ended; more means that a program has gone wrong."""

_KINDS: dict[str, Any] = {
    "exception": SetException,
    "exceptions": SetExceptions,
    "revoke": Revoke,
    "room": SetRoom,
    "room-devices": SetRoomDevices,
    "device-table": SetDevices,
    "exam": SetExam,
    "exam-stop": StopExam,
    "grade": SetGrade,
    UNDO: Undo,
    TRIAL: NoteTrial,
    CLOCK: KnowTime,
    CLOCK_ACCEPTED: AcceptClock,
    "report-mistake": ReportMistake,
}
KINDS = tuple(_KINDS)
NEED_A_REASON = frozenset({"exception", "exceptions", "report-mistake", CLOCK_ACCEPTED})


@dataclass(frozen=True, slots=True)
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
        told = change_fields.reason(reason, required=kind in NEED_A_REASON)
        return cls(kind, change, change_fields.author(author), told)

    def row(
        self,
        at: float,
        overrides: Overrides,
        past: ChangeHistory,
        last_hash: str,
        now: float | None = None,
    ) -> HistoryRow:
        """Return the history row of the change, behind the last one.

        Args:
            at: the Unix time that the machine's clock shows.
            overrides: what is set before it.
            past: the changes before it.
            last_hash: of the last of them.
            now: the earliest possible Unix time, if it differs.

        Raises:
            ChangeError: the change cannot be made.
        """
        change = self.change
        if isinstance(change, Undo):
            change = change.found_in(past.newest_first(), self.author)
        number = overrides.number + 1
        making = Making(
            number, at if now is None else now, self.author, self.reason, overrides, past
        )
        effect = change.effect(making)
        _check_room_for(effect, making)
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
    fields = Fields(payload)
    change: CheckedChange = _KINDS[kind].read(fields)
    fields.end()
    return change


def _check_room_for(effect: ChangeEffect, making: Making) -> None:
    """Refuse a change after which there would be too many things."""
    lasting = sum(not has_ended(one, making.at) for one in things_of(making.overrides))
    if lasting >= MAX_THINGS and any(things_of(effect.after)):
        hint = say("revoke what is not needed any more")
        raise ChangeError(say("{lasting} things are set already", lasting=lasting), hint=hint)
