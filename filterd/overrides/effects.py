# SPDX-License-Identifier: Apache-2.0
"""What a change did: the things that were there before it and the things after. Pure.

An effect is all that the fold needs, so a later filterd makes of an old history
what the old one made of it. It is its own inverse when turned round, which is
what an undo is, and the undo of an undo.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from filterd import state_file
from filterd.errors import StoreError
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import LocalException, Overrides, RoomDevices
from filterd.sentences import say
from filterd.state_file import Decoders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = tuple(field.name for field in fields(Overrides) if field.name != "number")
"""The fields of ``Overrides`` that hold things."""

NOTHING = Overrides()

_decoders = Decoders({"Audience": Audience})


@dataclass(frozen=True, slots=True)
class ChangeEffect:
    """Things taken away and things put in their place; neither has a number."""

    before: Overrides = NOTHING
    after: Overrides = NOTHING

    def inverse(self) -> ChangeEffect:
        """Return what takes it back."""
        return ChangeEffect(self.after, self.before)


class Fold:
    """Overrides while effects are applied to them one after the other."""

    def __init__(self, overrides: Overrides) -> None:
        self._things = {
            kind: {key_of(thing): thing for thing in getattr(overrides, kind)} for kind in KINDS
        }

    def apply(self, effect: ChangeEffect) -> None:
        """Take away what it takes away, and put what it puts.

        Raises:
            StoreError: the effect is none of a change that can follow; nothing is done.
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
        """Return what is set after change ``number``."""
        things: dict[str, Any] = {}
        for kind, there in self._things.items():
            things[kind] = tuple(there[key] for key in sorted(there))
        return Overrides(**things, number=number)


def things_of(overrides: Overrides) -> Iterator[Any]:
    """Yield everything that is set, of all kinds."""
    for kind in KINDS:
        yield from getattr(overrides, kind)


def key_of(thing: Any) -> Any:
    """Return what no two things of a kind share."""
    if isinstance(thing, LocalException):  # one change may make several
        return thing.id, thing.kind, thing.target
    return thing.room if isinstance(thing, RoomDevices) else thing.id


def has_ended(thing: Any, at: float) -> bool:
    """Tell whether it has an end and that is past."""
    ends_at = getattr(thing, "ends_at", None)
    return ends_at is not None and ends_at <= at


def only(**things: Any) -> Overrides:
    """Return these things; what is not named is empty."""
    return Overrides(**things)


def to_plain(overrides: Overrides) -> dict[str, Any]:
    """Return things as plain data, the kinds left out of which there are none."""
    plain = state_file.to_plain(overrides)
    return {kind: plain[kind] for kind in KINDS if plain[kind]}


def from_plain(plain: Mapping[str, Any]) -> Overrides:
    """Return the things that ``to_plain`` has made plain.

    Raises:
        KeyError, TypeError, ValueError: it is nothing of the kind.
    """
    whole = dict.fromkeys(KINDS, ()) | {"number": 0} | dict(plain)
    overrides: Overrides = _decoders.of(Overrides)(whole)
    return overrides
