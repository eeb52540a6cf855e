# SPDX-License-Identifier: Apache-2.0
"""The context of a change, common to all kinds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from filterd.errors import ChangeError
from filterd.i18n import Sentence, say
from filterd.overrides.effects import has_ended, things_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.overrides.effects import ChangeEffect
    from filterd.overrides.history_chain import HistoryRow
    from filterd.policy.temporary_rules import Overrides


class ChangeHistory(Protocol):
    """The history of changes, as a change needs it."""

    def row(self, number: int) -> HistoryRow | None:
        """Return a change, None if there is none of that number."""

    def since(self, number: int) -> Iterator[HistoryRow]:
        """Yield the changes after that of this number, in ascending order."""

    def newest_first(self) -> Iterator[HistoryRow]:
        """Yield all changes in descending order."""


@dataclass(frozen=True, slots=True)
class Making:
    """The context of a change: number, time, author, and the overrides before it."""

    number: int
    at: float
    author: str
    reason: str
    overrides: Overrides
    past: ChangeHistory


class CheckedChange(Protocol):
    """A checked change of one kind; its fields are its payload."""

    def effect(self, making: Making) -> ChangeEffect:
        """Return the effect of the change.

        Raises:
            ChangeError: it cannot be made.
        """


def interval(
    starts_at: float | None, ends_at: float | None, making: Making
) -> tuple[float, float | None]:
    """Return begin and end of an interval; an earlier begin becomes now.

    Raises:
        ChangeError: it would never hold.
    """
    begin = making.at if starts_at is None else max(starts_at, making.at)
    if ends_at is not None and ends_at <= begin:
        reason = say("it ends before it begins") if ends_at > making.at else say("its end is past")
        raise ChangeError(reason, hint=say("name a later end"))
    return begin, ends_at


def check_there(number: int, things: Overrides, making: Making, called: Sentence) -> None:
    """Check that a thing that is to be ended exists and has not ended by itself.

    Raises:
        ChangeError: it is not.
    """
    found = list(things_of(things))
    if not found:
        raise ChangeError(
            say("there is no {called} {number}", number=number, called=called),
            hint=say("list them to see which are"),
        )
    if all(has_ended(one, making.at) for one in found):
        raise ChangeError(say("{number} has ended already", number=number))
