# SPDX-License-Identifier: Apache-2.0
"""Effects of changes: the things that were there before and those after. Pure.

The effect is all that the fold needs, so a later filterd derives from an old history
the same overrides as the old one did. Before and after exchanged, an effect is its own
inverse; that is an undo, and the undo of an undo.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from filterd import state_file
from filterd.errors import StoreError
from filterd.i18n import say
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import LocalException, Overrides, RoomDevices
from filterd.state_file import Decoders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = tuple(field.name for field in fields(Overrides) if field.name != "number")
"""The fields of ``Overrides`` that hold things."""

NOTHING = Overrides()

_decoders = Decoders({"Audience": Audience})


@dataclass(frozen=True, slots=True)
class ChangeEffect:
    """Things removed and things added in their place; neither has a number."""

    before: Overrides = NOTHING
    after: Overrides = NOTHING

    def inverse(self) -> ChangeEffect:
        """Return the effect that takes this one back."""
        return ChangeEffect(self.after, self.before)


class Fold:
    """A fold of effects over overrides, one after the other."""

    def __init__(self, overrides: Overrides) -> None:
        self._things = {
            kind: {key_of(thing): thing for thing in getattr(overrides, kind)} for kind in KINDS
        }

    def apply(self, effect: ChangeEffect) -> None:
        """Apply an effect: remove its things before, add its things after.

        Raises:
            StoreError: the effect does not fit what is there; nothing is done.
        """
        for kind, there in self._things.items():
            taken = {key_of(thing): thing for thing in getattr(effect.before, kind)}
            if any(there.get(key) != thing for key, thing in taken.items()):
                raise StoreError(say("it takes away what was not there"))
            put = {key_of(thing) for thing in getattr(effect.after, kind)}
            if (put - taken.keys()) & there.keys():
                raise StoreError(say("it makes what was there already"))
        for kind, there in self._things.items():
            for thing in getattr(effect.before, kind):
                del there[key_of(thing)]
            there |= {key_of(thing): thing for thing in getattr(effect.after, kind)}

    def overrides(self, number: int) -> Overrides:
        """Return the overrides after change ``number``."""
        things: dict[str, Any] = {}
        for kind, there in self._things.items():
            things[kind] = tuple(there[key] for key in sorted(there))
        return Overrides(**things, number=number)


def things_of(overrides: Overrides) -> Iterator[Any]:
    """Yield all things that are set, of all kinds."""
    for kind in KINDS:
        yield from getattr(overrides, kind)


def key_of(thing: Any) -> Any:
    """Return the key of a thing, unique within its kind."""
    if isinstance(thing, LocalException):  # one change may make several
        return thing.id, thing.kind, thing.target
    return thing.room if isinstance(thing, RoomDevices) else thing.id


def has_ended(thing: Any, at: float) -> bool:
    """Return whether a thing has an end, and that is past."""
    ends_at = getattr(thing, "ends_at", None)
    return ends_at is not None and ends_at <= at


def only(**things: Any) -> Overrides:
    """Return overrides of these things; the other kinds are empty."""
    return Overrides(**things)


def to_plain(overrides: Overrides) -> dict[str, Any]:
    """Return overrides as plain data, without the kinds that are empty."""
    plain = state_file.to_plain(overrides)
    return {kind: plain[kind] for kind in KINDS if plain[kind]}


def from_plain(plain: Mapping[str, Any]) -> Overrides:
    """Return the overrides from plain data of ``to_plain``.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    whole = dict.fromkeys(KINDS, ()) | {"number": 0} | dict(plain)
    overrides: Overrides = _decoders.of(Overrides)(whole)
    return overrides
