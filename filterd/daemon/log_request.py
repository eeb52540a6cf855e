# SPDX-License-Identifier: Apache-2.0
"""Find the days and words that a request to the log names. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ConfigError, ControlError
from filterd.policy.field_checks import is_whole, shown
from filterd.texts.i18n import did_you_mean, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.operations.log import LookupChoice

_LONGEST = 253


class Days(NamedTuple):
    """The days of a request that have a file, the newest first; and today."""

    days: tuple[str, ...]
    today: str

    @classmethod
    def of(cls, choice: LookupChoice, stored: Iterable[str], today: str) -> Days:
        """Return the days of a choice.

        Args:
            choice: it has a day, or the number of days with today.
            stored: the days that have a file, the newest first.
            today: of the school.
        """
        if choice.day:
            return cls(tuple(one for one in stored if one == choice.day), today)
        first = (date.fromisoformat(today) - timedelta(days=choice.days - 1)).isoformat()
        return cls(tuple(one for one in stored if one >= first), today)


def check_known(word: str | None, known: Iterable[str]) -> None:
    """Refuse a word that stands for nothing here.

    Args:
        word: a class, a category, ...; none if empty.
        known: the words that are known.

    Raises:
        ConfigError: it is none of these.
    """
    if word and word not in (there := list(known)):
        hint = did_you_mean(word, there)
        raise ConfigError(say("{wanted} is not known here", wanted=shown(word)), hint=hint)


def whole(request: Mapping[str, Any], key: str, usual: int, most: int) -> int:
    """Read a whole number from 1 to ``most``; ``usual`` where there is none.

    Raises:
        ControlError: it is none.
    """
    value = request.get(key, usual)
    if not is_whole(value) or not 1 <= value <= most:
        raise ControlError(say("{key} is a number from 1 to {most}", key=key, most=most))
    return int(value)


def text(request: Mapping[str, Any], key: str) -> str:
    """Read a text that is no longer than a name; empty where there is none.

    Raises:
        ControlError: it is none.
    """
    value = request.get(key, "")
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ControlError(
            say("{key} is a text of at most {most} characters", key=key, most=_LONGEST)
        )
    return value
