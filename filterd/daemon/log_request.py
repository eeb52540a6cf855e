# SPDX-License-Identifier: Apache-2.0
"""Check the arguments of a request to the log: names, days, contexts. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ConfigError, ControlError
from filterd.policy import field_checks
from filterd.policy.field_checks import is_whole, shown
from filterd.querylog.day_reader import LogFilter, is_day
from filterd.texts import words
from filterd.texts.i18n import did_you_mean, say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_DAYS = 90
"""As many as are kept at most (``log.keep_days``)."""
MOST_ROWS = 500
NEW_DAYS = 30

_LONGEST = 253
_USUAL_DAYS, _USUAL_ROWS = 7, 50
_MATCHES = ("exact", "subtree", "part")


class Days(NamedTuple):
    """The days of a request that have a file, the newest first; and today."""

    days: tuple[str, ...]
    today: str

    @classmethod
    def read(cls, request: Mapping[str, Any], stored: Iterable[str], today: str) -> Days:
        """Read ``day``, or ``days``: the number of days, with today.

        Args:
            request: the arguments of the command.
            stored: the days that have a file, the newest first.
            today: of the school.
        """
        if "day" in request:
            wanted_day = day(request)
            return cls(tuple(one for one in stored if one == wanted_day), today)
        number = whole(request, "days", _USUAL_DAYS, MOST_DAYS)
        first = (date.fromisoformat(today) - timedelta(days=number - 1)).isoformat()
        return cls(tuple(one for one in stored if one >= first), today)


def wanted(request: Mapping[str, Any]) -> LogFilter:
    """Read the name (``name``, as hexadecimal wire form, or ``part``) and the context.

    Raises:
        ControlError, ChangeError: a field is wrong.
    """
    match = text(request, "match") or "exact"
    if match not in _MATCHES:
        raise ControlError(say("match is one of {known}", known=", ".join(_MATCHES)))
    part = text(request, "part").lower()
    if not (part.isascii() and (part.isprintable() and " " not in part)):
        raise ControlError(say("a part of a name has visible ASCII only: {text}", text=shown(part)))
    grade, class_id, tier = (text(request, key) for key in ("grade", "class", "tier"))
    action, category = text(request, "action"), request.get("category")
    return LogFilter(
        name(request) if "name" in request else b"",
        is_subtree=match == "subtree",
        part=part,
        tier=field_checks.tier(tier) if tier else "",
        grade=field_checks.grade(grade) if grade else "",
        class_id=field_checks.class_id(class_id) if class_id else "",
        action=field_checks.one_of(action, words.COUNTED, say("kind of answer")) if action else "",
        category=None if category is None else text(request, "category"),
    )


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


def name(request: Mapping[str, Any]) -> bytes:
    """Read ``name`` in canonical wire form.

    Raises:
        ControlError: it is none.
    """
    try:
        found = bytes.fromhex(request["name"])
        if found == names.from_labels(names.labels(found)):
            return found
    except (KeyError, TypeError, ValueError, IndexError):
        pass
    raise ControlError(say("name is a name in wire form, as hexadecimal text"))


def day(request: Mapping[str, Any]) -> str:
    """Read ``day``.

    Raises:
        ControlError: it is none.
    """
    found = text(request, "day")
    if not is_day(found):
        raise ControlError(say("{text} is not a day, such as 2026-11-28", text=shown(found)))
    return found


def limit(request: Mapping[str, Any]) -> int:
    """Read how many rows are asked for."""
    return whole(request, "limit", _USUAL_ROWS, MOST_ROWS)


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
