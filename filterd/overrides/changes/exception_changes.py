# SPDX-License-Identifier: Apache-2.0
"""Changes of filtering: exceptions, pauses, mistakes of lists, grade settings.

The module is pure.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Self

from filterd.base.errors import ChangeError
from filterd.base.value_class import frozen
from filterd.lists.rules import NamingEntry  # noqa: TC001 -- read at run time
from filterd.overrides.changes import change_fields
from filterd.overrides.changes.effects import ChangeEffect, CheckedChange, check_there, interval
from filterd.policy import field_checks
from filterd.policy.grade_changes import LONGEST_PAUSE_S
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import GradeSetting, LocalException, Overrides, TargetKind
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.overrides.changes.change_fields import ChangeFields
    from filterd.overrides.changes.effects import ChangeContext

ENTRY_S = 14 * 86_400
"""How long the entry of a list may be suspended at most."""


@frozen
class SetException(CheckedChange):
    """Allow or block a target for an audience; an earlier begin becomes now."""

    target_kind: TargetKind
    target: str
    allow: bool
    audience: Audience = Audience.EVERYBODY
    whom: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    for_s: float | None = None

    @classmethod
    def read(cls, fields: ChangeFields) -> Self:
        """Check the fields of the change."""
        kind = fields.take("target_kind", change_fields.target_kind)
        return cls(kind, fields.take("target", change_fields.target(kind)), *_how(fields))

    def each(self) -> tuple[SetException, ...]:
        """Return it in a tuple, as ``SetExceptions`` returns several."""
        return (self,)

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        starts_at, ends_at = interval(self.starts_at, self.ends_at, context)
        for_s = self.for_s
        if self.target_kind is TargetKind.ENTRY:
            if ends_at is None and starts_at < context.at:  # the time is not confirmed
                for_s = ENTRY_S
            ends_at = self._end_of_entry(max(starts_at, context.at), ends_at)
        thing = LocalException(
            context.number,
            self.target_kind,
            self.target,
            self.allow,
            self.audience,
            self.whom,
            context.reason,
            context.author,
            starts_at,
            ends_at,
            for_s,
        )
        return ChangeEffect(after=Overrides(exceptions=(thing,)))

    def _end_of_entry(self, starts_at: float, ends_at: float | None) -> float:
        if not self.allow:
            hint = say("to block a name, write it without 'entry:'")
            raise ChangeError(say("'entry:' is for `filterd allow`"), hint=hint)
        if self.audience is not Audience.EVERYBODY:
            hint = say("to allow it to some, name it without 'entry:'")
            raise ChangeError(say("the entry of a list is suspended for everybody"), hint=hint)
        latest = starts_at + ENTRY_S
        if ends_at is not None and ends_at > latest:
            hint = say("report it as a mistake of the list, and suspend it again if needed")
            raise ChangeError(
                say("the entry of a list is suspended for 14 days at most"), hint=hint
            )
        return latest if ends_at is None else ends_at


@frozen
class SetExceptions(CheckedChange):
    """Allow or block several targets for one audience and interval."""

    targets: tuple[tuple[TargetKind, str], ...]
    allow: bool
    audience: Audience = Audience.EVERYBODY
    whom: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    for_s: float | None = None

    @classmethod
    def read(cls, fields: ChangeFields) -> Self:
        """Check the fields of the change."""
        return cls(fields.take("targets", change_fields.targets), *_how(fields))

    def each(self) -> tuple[SetException, ...]:
        """Return the single exceptions."""
        how = self.allow, self.audience, self.whom, self.starts_at, self.ends_at, self.for_s
        return tuple(SetException(kind, target, *how) for kind, target in self.targets)

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        made = (one.effect(context).after.exceptions for one in self.each())
        return ChangeEffect(after=Overrides(exceptions=tuple(chain.from_iterable(made))))


@frozen
class SetPause(CheckedChange):
    """Open all that is not locked to an audience, for an hour at most."""

    ends_at: float
    audience: Audience = Audience.EVERYBODY
    whom: str = ""
    for_s: float | None = None

    @classmethod
    def read(cls, fields: ChangeFields) -> Self:
        """Check the fields of the change."""
        audience, whom = _audience(fields)
        ends_at = fields.take("ends_at", field_checks.time)
        return cls(ends_at, audience, whom, fields.take_or("for_s", field_checks.seconds, None))

    def each(self) -> tuple[SetException, ...]:
        """Return it as the exception that it is."""
        pause = SetException(
            TargetKind.PAUSE, "", True, self.audience, self.whom, None, self.ends_at, self.for_s
        )
        return (pause,)

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        if self.ends_at - context.at > LONGEST_PAUSE_S:
            raise ChangeError(
                say("a pause lasts at most {minutes} minutes", minutes=round(LONGEST_PAUSE_S / 60)),
                hint=say("--for 5m; to open one thing for longer: filterd allow"),
            )
        (pause,) = self.each()
        return pause.effect(context)


@frozen
class ReportMistake(CheckedChange):
    """Suspend the entry of a list that names something by mistake, and report it.

    The daemon adds when it is reported (``filterd.daemon.manager.change_service``): ``seen_in``,
    the version of the lists, ``filterd``, that of the program, and the entries that
    close the name.
    """

    name: Annotated[str, field_checks.name]
    ends_at: change_fields.Time | None = None
    seen_in: Annotated[str, change_fields.short_text] = ""
    filterd: Annotated[str, change_fields.short_text] = ""
    entries: Annotated[tuple[NamingEntry, ...], change_fields.naming_entries] = ()

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        entry = SetException(TargetKind.ENTRY, self.name, allow=True, ends_at=self.ends_at)
        return entry.effect(context)


@frozen
class Revoke(CheckedChange):
    """End an exception, or the setting of a room, a grade, a class or the log."""

    id: change_fields.Number

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        now = context.overrides
        if any(exam.id == self.id for exam in now.exams):
            raise ChangeError(
                say("{id} is an exam", id=self.id),
                hint=say("an exam is ended with `filterd exam stop`, not revoked"),
            )
        things: dict[str, Any] = {
            kind: tuple(one for one in getattr(now, kind) if one.id == self.id)
            for kind in ("exceptions", "rooms", "grades", "loans", "log_settings")
        }
        before = Overrides(**things)
        check_there(self.id, before, context, say("exception or setting"))
        return ChangeEffect(before)


@frozen
class SetGrade(CheckedChange):
    """Open or close a category or a service to a grade, until the next setting of it."""

    grade: str
    target_kind: TargetKind
    target: str
    opens: bool

    @classmethod
    def read(cls, fields: ChangeFields) -> Self:
        """Check the fields of the change; the kind first, for names are no identifiers."""
        kind = fields.take("target_kind", change_fields.target_kind)
        if kind not in {TargetKind.CATEGORY, TargetKind.SERVICE}:
            hint = say("a name is allowed or blocked by an exception")
            raise ChangeError(say("a grade is set for a category or a service"), hint=hint)
        return cls(
            fields.take("grade", field_checks.grade),
            kind,
            fields.take("target", field_checks.identifier),
            fields.take("opens", field_checks.boolean),
        )

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        thing = GradeSetting(
            context.number,
            self.grade,
            self.target_kind,
            self.target,
            self.opens,
            context.reason,
            context.author,
            context.begin,
        )
        before = tuple(
            grade for grade in context.overrides.grades if is_about_the_same(grade, thing)
        )
        return ChangeEffect(Overrides(grades=before), Overrides(grades=(thing,)))


@frozen
class EndGuarded(CheckedChange):
    """Give an end to exceptions and settings that open what has become guarded since."""

    numbers: Annotated[
        tuple[int, ...], field_checks.many(change_fields.number, change_fields.MAX_NAMES)
    ]
    ends_at: change_fields.Time

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        before, after = dict[str, Any](), dict[str, Any]()
        for kind in ("exceptions", "grades", "rooms"):
            ended = [
                one
                for one in getattr(context.overrides, kind)
                if one.id in self.numbers and (one.ends_at is None or one.ends_at > self.ends_at)
            ]
            before[kind] = tuple(ended)
            after[kind] = tuple(replace(one, ends_at=self.ends_at) for one in ended)
        return ChangeEffect(Overrides(**before), Overrides(**after))


def is_about_the_same(setting: GradeSetting, other: GradeSetting) -> bool:
    """Return whether two settings of grades exclude each other."""
    return (setting.grade, setting.kind, setting.target) == (other.grade, other.kind, other.target)


def _how(
    fields: ChangeFields,
) -> tuple[bool, Audience, str, float | None, float | None, float | None]:
    """Check the fields common to exceptions: allow, audience, begin, end.

    The last is the duration, where the time is not known.
    """
    return (
        fields.take("allow", field_checks.boolean),
        *_audience(fields),
        fields.take_or("starts_at", field_checks.time, None),
        fields.take_or("ends_at", field_checks.time, None),
        fields.take_or("for_s", field_checks.seconds, None),
    )


def _audience(fields: ChangeFields) -> tuple[Audience, str]:
    """Check the audience of a change, and its id."""
    audience = fields.take_or("audience", change_fields.audience, Audience.EVERYBODY)
    check, everybody = change_fields.whom(audience), audience is Audience.EVERYBODY
    return audience, (
        fields.take_or("whom", check, "") if everybody else fields.take("whom", check)
    )
