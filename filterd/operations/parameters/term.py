# SPDX-License-Identifier: Apache-2.0
"""Read the term of a change: its start, and an end, a length, a lesson or none.

A command has it in words (``TermWords``), a program or a form in fields (``TERM``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from filterd.base.errors import ConfigError, excluding
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import Flag, Text, Whole
from filterd.operations.parameters.time import Time, duration_s, plain_words, read_time
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.operations.parameters.scalar import Parameter
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import SchoolClock

_LESSON = r"het (?:gio|tiet)(?: hoc)?|end of (?:the )?lesson|lesson"

TERM: dict[str, Parameter] = {
    "starts_at": Time("The start; now if left out"),
    "ends_at": Time("The end"),
    "for_s": Whole(1, 366 * 86_400, "The length in seconds, instead of an end"),
    "lesson": Flag("Until the present lesson ends, instead of an end"),
    "permanent": Flag("Without an end, until it is revoked"),
    "term": Text(
        10,
        r"lesson|permanent|[0-9]{1,8}",
        about="For a form, where `ends_at` is empty: lesson, permanent, or seconds",
    ),
}
"""What programs and forms send."""


@frozen
class Term:
    """A start (else now), and at most one of the others."""

    starts_at: float | None = None
    ends_at: float | None = None
    for_s: float | None = None
    lesson: bool = False
    permanent: bool = False

    @classmethod
    def take(cls, given: dict[str, Any], *, may_be_open: bool = False) -> Self:
        """Take the ``TERM`` out of checked values, and return the term.

        Args:
            given: checked values; those of a term are removed.
            may_be_open: whether the length may be missing.

        Raises:
            ConfigError: the length is missing, or given twice.
        """
        written = given.pop("term", "")
        found = {key: value for key in TERM if (value := given.pop(key, None))}
        if written and "ends_at" not in found:  # the form has a length chosen from the start
            found |= {"for_s": int(written)} if written.isdecimal() else {written: True}
        starts_at = found.pop("starts_at", None)
        hint = say("one of {known}", known="ends_at, for_s, lesson, permanent")
        _check_lengths(list(found), hint, may_be_open=may_be_open)
        return cls(starts_at, **found)

    @property
    def payload(self) -> dict[str, Any]:
        """The fields of a change; one without an end has none."""
        found = {"starts_at": self.starts_at, "ends_at": self.ends_at, "for_s": self.for_s}
        lesson = {"lesson": True} if self.lesson else {}
        return {key: value for key, value in found.items() if value is not None} | lesson


OPEN = Term()
"""From now, without an end."""


class TermFields:
    """The fields ``TERM``; ``may_be_open``: whether the length may be missing."""

    def __init__(self, *, may_be_open: bool = False) -> None:
        self._may_be_open = may_be_open

    @property
    def named(self) -> Mapping[str, Parameter]:
        """The fields."""
        return TERM

    def take(self, given: dict[str, Any]) -> Term:
        """Take a term out of checked values; see ``Term.take``."""
        return Term.take(given, may_be_open=self._may_be_open)

    def arguments(self, value: Term) -> dict[str, Any]:
        """Return what the socket has of a term."""
        return value.payload | ({"permanent": True} if value.permanent else {})


class TermWords(NamedTuple):
    """The options of a term, unparsed."""

    from_: str | None = None
    for_: str | None = None
    until: str | None = None
    lesson: bool = False
    permanent: bool = False

    def read(self, clock: SchoolClock, *, may_be_open: bool = False) -> Term:
        """Return the term.

        Args:
            clock: of the school.
            may_be_open: whether the length may be missing.

        Raises:
            ConfigError: the duration is missing, given twice, or not a time.
        """
        options = {
            "--for": self.for_ is not None,
            "--until": self.until is not None,
            "--lesson": self.lesson,
            "--permanent": self.permanent,
        }
        hint = say("give --for 45m, --until 17:00, --lesson or --permanent")
        _check_lengths(
            [option for option in options if options[option]], hint, may_be_open=may_be_open
        )
        starts_at = None if self.from_ is None else read_time(clock, self.from_)
        if self.for_ is not None:
            return Term(starts_at, for_s=duration_s(self.for_))
        if self.lesson or re.fullmatch(_LESSON, plain_words(self.until or "")):
            return Term(starts_at, lesson=True)
        if self.until is not None:
            return Term(starts_at, read_time(clock, self.until, ends=True))
        return Term(starts_at, permanent=self.permanent)


def _check_lengths(names: Sequence[str], hint: Sentence, *, may_be_open: bool) -> None:
    """Refuse two lengths, and none where there must be one."""
    if len(names) > 1:
        raise excluding(names[0], names[1])
    if not names and not may_be_open:
        raise ConfigError(say("the duration is missing"), hint=hint)
