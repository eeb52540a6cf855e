# SPDX-License-Identifier: Apache-2.0
"""Changes of the query log: its levels and their confirmation. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from filterd.base.errors import ChangeError
from filterd.base.value_class import frozen
from filterd.overrides.changes import change_fields  # noqa: TC001 -- read at run time
from filterd.overrides.changes.effects import ChangeEffect, CheckedChange, check_there, interval
from filterd.overrides.rights.roles import person_of
from filterd.policy import field_checks
from filterd.policy.log_levels import LONGEST_FULL_S, LogLevel
from filterd.policy.model import DAY_S
from filterd.policy.temporary_rules import LogSetting, Overrides
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.overrides.changes.effects import ChangeContext

LEVEL, CONFIRM = "log-level", "log-confirm"
"""Kinds of change."""


@frozen
class SetLogLevel(CheckedChange):
    """Set the log level of a tier, of every tier where ``tier`` is empty.

    It replaces what waits for a confirmation for the same tiers: that was decided before.
    One without an end also replaces all else that was set for them; one with an end goes
    before it.
    """

    level: Annotated[LogLevel, _level]
    tier: Annotated[str, field_checks.tier] = ""
    ends_at: change_fields.Time | None = None
    for_s: change_fields.Length | None = None

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        starts_at, ends_at = interval(None, self.ends_at, context)
        if self.level is LogLevel.FULL:
            _check_length(starts_at, ends_at)
        thing = LogSetting(
            context.number,
            self.tier,
            self.level.value,
            context.reason,
            context.author,
            starts_at,
            ends_at,
            for_s=self.for_s,
        )
        replaced = (
            setting
            for setting in context.overrides.log_settings
            if self.tier in ("", setting.tier) and (ends_at is None or setting.is_waiting)
        )
        return ChangeEffect(Overrides(log_settings=tuple(replaced)), _only(thing))


@frozen
class ConfirmLogging(CheckedChange):
    """Confirm the level ``full`` that another person has set; it holds from then on."""

    id: change_fields.Number

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        there = context.overrides.log_settings
        found = Overrides(log_settings=tuple(one for one in there if one.id == self.id))
        hint = say("`filterd log level` shows which one waits")
        check_there(self.id, found, context, say("log level"), hint)
        (setting,) = found.log_settings
        if not setting.is_waiting:
            raise ChangeError(say("log level {id} needs no confirmation", id=self.id))
        if person_of(setting.author) == person_of(context.author):
            raise ChangeError(
                say("{name} has set log level {id}", name=context.author, id=self.id),
                hint=say("a second person confirms it"),
            )
        _check_length(context.at, setting.ends_at)  # the clock may have been ahead when it was set
        confirmed = replace(
            setting, id=context.number, starts_at=context.at, confirmed_by=context.author
        )
        return ChangeEffect(found, _only(confirmed))


def unconfirmed(overrides: Overrides) -> Overrides:
    """Return overrides that come back by an undo: ``full`` needs to be confirmed anew.

    Else the undo of an end would let one person alone go on with what two had agreed on.
    """
    settings = overrides.log_settings
    return replace(
        overrides, log_settings=tuple(replace(setting, confirmed_by="") for setting in settings)
    )


def check_clock(change: CheckedChange) -> None:
    """Refuse what cannot be set while the time is not known: it would not end.

    Raises:
        ChangeError: it is the level ``full``, or its confirmation.
    """
    match change:
        case ConfirmLogging() | SetLogLevel(level=LogLevel.FULL):
            raise ChangeError(
                say("the time is not known, so the level full would not end"),
                hint=say("if the clock is right: filterd clock accept"),
            )


def _check_length(starts_at: float, ends_at: float | None) -> None:
    if ends_at is None or ends_at > starts_at + LONGEST_FULL_S:
        raise ChangeError(
            say("the level full lasts {days} days at most", days=round(LONGEST_FULL_S / DAY_S)),
            hint=say("give an end, such as --for 3d"),
        )


def _only(setting: LogSetting) -> Overrides:
    return Overrides(log_settings=(setting,))


def _level(value: Any) -> LogLevel:
    return LogLevel(field_checks.one_of(value, LogLevel, say("level of the log")))
