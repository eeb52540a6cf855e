# SPDX-License-Identifier: Apache-2.0
"""Effects of changes: things removed and added; the context of a change. Pure.

The effect is all that the fold needs, so a later filterd derives from an old history
the same overrides as the old one did. Before and after exchanged, an effect is its own
inverse; that is an undo, and the undo of an undo.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Protocol, Self

from filterd.base import state_file
from filterd.base.errors import ChangeError, StoreError
from filterd.base.state_file import Decoders
from filterd.base.value_class import frozen
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import DeviceName, LocalException, Overrides, RoomDevices
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.overrides.changes.change_fields import ChangeFields
    from filterd.overrides.history.history_chain import HistoryRow

THINGS = tuple(field.name for field in fields(Overrides) if field.name != "number")
"""The fields of ``Overrides`` that hold things."""

NOTHING = Overrides()

_decoders = Decoders({"Audience": Audience})
_LIST_THEM = say("list them to see which are")


@frozen
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
            kind: {key_of(thing): thing for thing in getattr(overrides, kind)} for kind in THINGS
        }

    def apply(self, effect: ChangeEffect) -> None:
        """Apply an effect: remove its things before, add its things after.

        Raises:
            StoreError: the effect does not fit what is there; nothing is done.
        """
        for kind, there in self._things.items():
            taken = {key_of(thing): thing for thing in getattr(effect.before, kind)}
            if any(there.get(key) != thing for key, thing in taken.items()):
                raise StoreError(say("it removes what was not there"))
            put = {key_of(thing) for thing in getattr(effect.after, kind)}
            if (put - taken.keys()) & there.keys():
                raise StoreError(say("it adds what was there already"))
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
    for kind in THINGS:
        yield from getattr(overrides, kind)


def key_of(thing: Any) -> Any:
    """Return the key of a thing, unique within its kind."""
    if isinstance(thing, LocalException):  # one change may make several
        return thing.id, thing.kind, thing.target
    if isinstance(thing, DeviceName):
        return thing.mac
    return thing.room if isinstance(thing, RoomDevices) else thing.id


def has_ended(thing: Any, at: float) -> bool:
    """Return whether a thing has an end, and that is past."""
    ends_at = getattr(thing, "ends_at", None)
    return ends_at is not None and ends_at <= at


def is_over(thing: Any, not_before: float) -> bool:
    """Return whether a thing has ended for good by the earliest time that it may be.

    One that waits for the time to be confirmed ends when its length is over: its end is by a
    clock that may be wrong.
    """
    length_s = getattr(thing, "for_s", None)
    if length_s is None:
        return has_ended(thing, not_before)
    return bool(thing.starts_at + length_s <= not_before)


def end_of(made: Overrides) -> float | None:
    """Return the end of the things that a change has made, if they have one."""
    return next((getattr(one, "ends_at", None) for one in things_of(made)), None)


def to_plain(overrides: Overrides) -> dict[str, Any]:
    """Return overrides as plain data, without the kinds that are empty."""
    plain = state_file.to_plain(overrides)
    return {kind: plain[kind] for kind in THINGS if plain.get(kind)}


def from_plain(plain: Mapping[str, Any]) -> Overrides:
    """Return the overrides from plain data of ``to_plain``.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    whole = dict.fromkeys(THINGS, ()) | {"number": 0} | dict(plain)
    overrides: Overrides = _decoders.of(Overrides)(whole)
    return overrides


class ChangeHistory(Protocol):
    """The history of changes, as a change needs it."""

    def row(self, number: int) -> HistoryRow | None:
        """Return a change, None if there is none of that number."""

    def since(self, number: int) -> Iterator[HistoryRow]:
        """Yield the changes after that of this number, in ascending order."""

    def newest_first(self) -> Iterator[HistoryRow]:
        """Yield all changes in descending order."""


class NoHistory:
    """The history of a school that has made no change yet."""

    def row(self, _number: int) -> HistoryRow | None:
        """Return None."""
        return None

    def since(self, _number: int) -> Iterator[HistoryRow]:
        """Yield nothing."""
        yield from ()

    def newest_first(self) -> Iterator[HistoryRow]:
        """Yield nothing."""
        yield from ()


@frozen
class ChangeContext:
    """The context of a change: number, time, author, and the overrides before it.

    ``not_before`` is the earliest time that it may be, None for ``at``. What begins now begins
    by it, so that it has begun whatever the true time is, and what has ended by it has ended for
    good.
    """

    number: int
    at: float
    author: str
    reason: str
    overrides: Overrides
    past: ChangeHistory
    not_before: float | None = None

    @property
    def begin(self) -> float:
        """The Unix time at which what begins now begins."""
        return self.at if self.not_before is None else min(self.at, self.not_before)


class CheckedChange:
    """A checked change of one kind; its fields are its payload.

    A field is annotated with its check (``ChangeFields.values_of``).
    """

    __slots__ = ()

    @classmethod
    def read(cls, fields: ChangeFields) -> Self:
        """Check the fields of the change.

        Raises:
            ChangeError: one is missing or wrong.
        """
        return cls(**fields.values_of(cls))

    def effect(self, _: ChangeContext) -> ChangeEffect:
        """Return the effect of the change; a note of the history has none.

        Raises:
            ChangeError: it cannot be made.
        """
        return ChangeEffect()


def interval(
    starts_at: float | None, ends_at: float | None, context: ChangeContext
) -> tuple[float, float | None]:
    """Return begin and end of an interval; an earlier begin becomes now.

    Raises:
        ChangeError: it would never hold.
    """
    begin = context.begin if starts_at is None or starts_at <= context.at else starts_at
    if ends_at is not None and ends_at <= max(begin, context.at):
        reason = say("it ends before it begins") if ends_at > context.at else say("its end is past")
        raise ChangeError(reason, hint=say("give a later end"))
    return begin, ends_at


def check_there(
    number: int,
    things: Overrides,
    context: ChangeContext,
    called: Sentence,
    hint: Sentence = _LIST_THEM,
) -> None:
    """Check that a thing that is to be ended exists and has not ended by itself.

    Raises:
        ChangeError: it is not.
    """
    found = list(things_of(things))
    if not found:
        raise ChangeError(
            say("there is no {called} {number}", number=number, called=called),
            hint=hint,
        )
    if all(is_over(one, context.begin) for one in found):
        raise ChangeError(say("{number} has already ended", number=number))
