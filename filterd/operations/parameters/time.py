# SPDX-License-Identifier: Apache-2.0
"""Parse times and lengths in ISO 8601, or as people write them: 17h30, 45 phút.

``Time`` is what programs send; ``read_time`` and ``duration_s`` read words, in which upper case,
diacritics and spaces do not matter. ``05/06`` is the fifth of June. Whatever is accepted, the
command repeats the time that was understood.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import described
from filterd.policy.field_checks import bare, is_date, written_time
from filterd.policy.model import DAY_S
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Schema
    from filterd.texts.rows import SchoolClock

_LATEST, _EPOCH = 253_402_300_799, 1970
_SUCH_AS = say("write 17h30, 17:00, t5 07:30, tomorrow 7h, 20/12 or 2026-12-20")
_HOW_LONG = say("write 45m, 2h, 1h30 or 3d")
_LONGEST = 60
"""Characters of a written time; a longer text is none."""

# Written without diacritics. In English "thu" is Thursday, in Vietnamese "thu 6" is Friday; the
# number that follows decides, for no hour is written as a number alone.
_WEEKDAYS = (
    r"mon(?:day)?|t2|thu (?:2|hai)",
    r"tue(?:s(?:day)?)?|t3|thu (?:3|ba)",
    r"wed(?:nesday)?|t4|thu (?:4|tu)",
    r"thu(?:rs(?:day)?)?|t5|thu (?:5|nam)",
    r"fri(?:day)?|t6|thu (?:6|sau)",
    r"sat(?:urday)?|t7|thu (?:7|bay)",
    r"sun(?:day)?|cn|chu nhat",
)
_DAYS = (r"hom nay|today|het ngay|day", r"mai|tomorrow", r"kia|day after tomorrow")
_DAY = "|".join(
    [
        r"(?P<day>\d{1,2})[/-](?P<month>\d{1,2})(?:[/-](?P<year>2\d{3}))?",
        *(f"(?P<in{number}>{words})" for number, words in enumerate(_DAYS)),
        *(f"(?P<on{number}>{words})" for number, words in enumerate(_WEEKDAYS)),
    ]
)
_CLOCK = (
    r"(?P<hour>\d{1,2})"
    r"(?P<unit>:(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"| ?(?:h|g|gio) ?(?:(?P<past>\d\d?)(?: ?(?:m|p|ph|phut))?|(?P<half>ruoi))?)?"
    r"(?: ?(?P<part>am|pm|sang|trua|chieu|toi))?"
)
_PARTS = {
    "am": {12: 0, **{hour: hour for hour in range(12)}},
    "pm": {12: 12, **{hour: hour + 12 for hour in range(1, 12)}},
    "sang": {hour: hour for hour in range(12)},
    "trua": {10: 10, 11: 11, 12: 12, 1: 13, 2: 14},
    "chieu": {hour % 12 or 12: hour for hour in range(12, 19)},
    "toi": {hour - 12: hour for hour in range(18, 24)},
}
"""The hours of each part of the day by the number that people write with it."""
_PREFIX = r"(?:(?:het ngay|end of|the|ngay|luc|on|at|vao|den|until|tu|from) )*"
_LENGTH = (
    r"(?:(\d{1,3}) ?(?:w|weeks?|tuan))? ?(?:(\d{1,3}) ?(?:d|days?|ngay))?"
    r" ?(?:(\d{1,4}) ?(?:h|hours?|g|gio|tieng))?"
    r" ?(?:(\d{1,5})( ?(?:m|mins?|minutes?|p|ph|phut|'))?|(ruoi))?"
)


@frozen
class Time:
    """A Unix time in seconds, or ISO 8601; by the school's clock without offset."""

    about: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        unix = {"type": "number", "minimum": 0, "maximum": _LATEST}
        return described({"anyOf": [unix, {"type": "string", "format": "date-time"}]}, self.about)

    def read(self, value: Any) -> float | datetime:
        """Return a checked time, without an offset as ``datetime``; see ``Parameter``."""
        if isinstance(value, str) and (found := _iso_time(value)) is not None:
            return found
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value, re.ASCII):
            value = float(value)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not 0 <= value <= _LATEST:
            raise ConfigError(say("a Unix time in seconds, or a time such as 2026-12-20T17:30"))
        return float(value)


def _iso_time(text: str) -> float | datetime | None:
    """Return the time of a text, None where it is none from 1970 to 9999."""
    if (
        re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,15}([Zz]|[+-][0-9:]{5})?", text)
        is None
    ):
        return None
    try:
        found = datetime.fromisoformat(text.upper())
        if found.tzinfo is None:
            return found if found.year >= _EPOCH else None
        at = found.timestamp()
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at <= _LATEST else None


def read_time(clock: SchoolClock, text: str, *, ends: bool = False, past: bool = False) -> float:
    """Return the Unix time of a text that the operator wrote.

    Args:
        clock: of the school.
        text: an hour, a day (weekday, date, word), or both. A weekday is the next one, that of
            today while the hour is to come; so is a date without a year.
        ends: whether a day without an hour is its end; else its beginning.
        past: whether a time that is past is allowed.

    Raises:
        ConfigError: it is not a time, or it is past where that is not allowed.
    """
    plain = re.sub(f"^{_PREFIX}(?=.)", "", plain_words(text))
    written = written_time(plain.upper())
    if written is not None:
        day, of_day = written.date(), None if is_date(plain) else written.timetz()
    else:
        found = _found(plain)
        of_day = None if found is None else _hour_of(found)
        if found is None or (of_day is None and found["hour"]):
            raise _no_time(text)
        day = _day_of(clock, found, of_day, ends=ends, past=past, text=text)
    if of_day is None:
        at = _unix(clock, day + timedelta(days=ends), time())
        is_past = at + (0 if ends else DAY_S) <= clock.now
    else:
        at = _unix(clock, day, of_day)
        is_past = at <= clock.now
    if is_past and not past:
        raise _past(clock, text, day, of_day)
    return at


def plain_words(text: str) -> str:
    """Return a text in lower case, without diacritics; "" if it is too long.

    A weekday in brackets, as answers have it after a date, is left out.
    """
    if len(text) > _LONGEST:
        return ""
    return re.sub(r" \([\w ]+\)$", "", " ".join(bare(text).split()))


def _found(plain: str) -> re.Match[str] | None:
    """Return the parts of a day, an hour, or both in either order."""
    day_first = rf"(?:{_DAY})(?:[ ,]+(?:{_CLOCK}))?"
    hour_first = rf"(?:{_CLOCK})(?:[ ,]+(?:ngay )?(?:{_DAY}))?"
    return re.fullmatch(day_first, plain, re.ASCII) or re.fullmatch(hour_first, plain, re.ASCII)


def _hour_of(found: re.Match[str]) -> time | None:
    """Return the hour that is written, None for none; a number alone is none."""
    hour, part = int(found["hour"] or 0), found["part"]
    if not found["unit"] and not part:
        return None
    minute = 30 if found["half"] else int(found["minute"] or found["past"] or 0)
    if part:
        hour = _PARTS[part].get(hour, 24)
    try:
        return time(hour, minute, int(found["second"] or 0))
    except ValueError:
        return None


def _day_of(
    clock: SchoolClock,
    found: re.Match[str],
    of_day: time | None,
    *,
    ends: bool,
    past: bool,
    text: str,
) -> date:
    """Return the day that is written; today for none.

    Raises:
        ConfigError: no calendar has it.
    """
    today, groups = day_of(clock), found.groupdict()
    for away in range(len(_DAYS)):
        if groups[f"in{away}"]:
            return today + timedelta(days=away)
    for number in range(len(_WEEKDAYS)):
        if groups[f"on{number}"]:
            day = today + timedelta(days=(number - today.weekday()) % 7)
            is_ahead = ends if of_day is None else _unix(clock, day, of_day) > clock.now
            return day if is_ahead or day != today else day + timedelta(days=7)
    if not found["day"]:
        return today
    # The 29th of February comes again within eight years.
    for year in range(today.year, today.year + 9):
        try:
            day = date(int(found["year"] or year), int(found["month"]), int(found["day"]))
        except ValueError:
            continue
        if day >= today or past or found["year"]:
            return day
    raise _no_time(text)


def _no_time(text: str) -> ConfigError:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return ConfigError(say("'{text}' is not a time", text=shown), hint=_SUCH_AS)


def _past(clock: SchoolClock, text: str, day: date, of_day: time | None) -> ConfigError:
    """Return the error of a time that is past, with what was understood."""
    if of_day is not None and day == day_of(clock) and of_day.tzinfo is None:
        later = datetime.combine(day + timedelta(days=1), of_day)
        precision = "seconds" if of_day.second else "minutes"
        hint = say("for tomorrow write {time}", time=later.isoformat(timespec=precision))
    else:
        shown = f"{day:%d/%m/%Y}" if of_day is None else f"{of_day:%H:%M} {day:%d/%m/%Y}"
        hint = say("it was read as {time}", time=shown)
    return ConfigError(say("{text} is in the past", text=text), hint=hint)


def _unix(clock: SchoolClock, day: date, of_day: time) -> float:
    return datetime.combine(day, of_day, of_day.tzinfo or clock.zone).timestamp()


def duration_s(text: str) -> float:
    """Return a length of time in seconds.

    Raises:
        ConfigError: it is none, or nothing at all.
    """
    found = re.fullmatch(_LENGTH, plain_words(text), re.ASCII)
    weeks, days, hours, minutes, unit, half = found.groups() if found else [None] * 6
    if (half or minutes) and not (hours or unit):  # a number alone could be anything
        found = None
    length = 0.0
    if found:
        length = (int(weeks or 0) * 7 + int(days or 0)) * DAY_S
        length += int(hours or 0) * 3600 + (30 if half else int(minutes or 0)) * 60
    if not length:
        raise ConfigError(say("'{text}' is not a length of time", text=text), hint=_HOW_LONG)
    return length


def day_of(clock: SchoolClock) -> date:
    """Return the day that the school has."""
    return clock.shows(clock.now).date()
