# SPDX-License-Identifier: Apache-2.0
"""Changes by which the time becomes known: earlier things get true dates. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from filterd import field_checks
from filterd.overrides.effects import ChangeEffect, key_of, only, things_of

if TYPE_CHECKING:
    from filterd.overrides.change_fields import Fields
    from filterd.overrides.effects import Making
    from filterd.policy.temporary_rules import Overrides

_DATED = ("exceptions", "rooms", "exams", "grades")


@dataclass(frozen=True, slots=True)
class KnowTime:
    """Date the things that were set by an unset clock, or by one that was ahead.

    A thing that was set for a duration lasts that long from now on. One that was set by a
    clock that was ahead by ``ahead_s`` is moved back by so much: an active one goes on as
    long as intended, and an ended one stays ended.
    """

    ahead_s: float = 0.0

    @classmethod
    def read(cls, fields: Fields) -> KnowTime:
        """Check a reply."""
        return cls(fields.take_or("ahead_s", field_checks.seconds, 0.0))

    def effect(self, making: Making) -> ChangeEffect:
        """Return the effect of the change."""
        before, after = dict[str, Any](), dict[str, Any]()
        for kind in _DATED:
            moved = [
                (one, other)
                for one in getattr(making.overrides, kind)
                if (other := self._dated(one, making)) != one
            ]
            before[kind] = tuple(one for one, _ in moved)
            after[kind] = tuple(other for _, other in moved)
        return ChangeEffect(only(**before), only(**after))

    def _dated(self, thing: Any, making: Making) -> Any:
        for_s = getattr(thing, "for_s", None)
        if for_s is not None:
            now = making.at
            return replace(thing, starts_at=now, ends_at=now + for_s, for_s=None)
        row = making.past.row(thing.id) if self.ahead_s and thing.starts_at > making.at else None
        if row is None or row.at <= making.at:  # it was planned, by a clock that was right
            return thing
        ends_at = getattr(thing, "ends_at", None)
        if ends_at is None:
            return replace(thing, starts_at=thing.starts_at - self.ahead_s)
        return replace(
            thing, starts_at=thing.starts_at - self.ahead_s, ends_at=ends_at - self.ahead_s
        )


@dataclass(frozen=True, slots=True)
class AcceptClock(KnowTime):
    """Accept the machine's clock over the last known time, by an administrator's word."""


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
