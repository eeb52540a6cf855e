# SPDX-License-Identifier: Apache-2.0
"""Parse and format times in the school's time zone: 45m, 17:00, t2 08:00."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.cli.context import Context, option
from filterd.cli.language import site_value
from filterd.errors import ConfigError
from filterd.field_checks import written_time
from filterd.i18n import say
from filterd.policy.model import DAY_S
from filterd.rows import SchoolClock

_ZONE = "Asia/Ho_Chi_Minh"
_SUCH_AS = say("write 17:00, t5 07:30, 2026-12-01 or 2026-12-01T07:30")
_HOW_LONG = say("write 45m, 2h, 1h30m or 3d")
_WEEKDAYS = (
    ("t2", "mon"),
    ("t3", "tue"),
    ("t4", "wed"),
    ("t5", "thu"),
    ("t6", "fri"),
    ("t7", "sat"),
    ("cn", "sun"),
)
_weekday_of = {word: number for number, words in enumerate(_WEEKDAYS) for word in words}
_duration = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?", re.ASCII).fullmatch
_of_day = re.compile(r"(?:([a-z]\w+) +)?(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII).fullmatch
_date = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch


def read_time(clock: SchoolClock, text: str, *, ends: bool = False, past: bool = False) -> float:
    """Return the Unix time of a text that the operator wrote.

    Args:
        clock: of the school.
        text: ``17:00`` or ``17:00:30``, ``t2 08:00`` (the next one), a date, or a date
            and a time.
        ends: whether a date alone is the end of that day; else its beginning.
        past: whether a time of today that is past is allowed.

    Raises:
        ConfigError: it is not a time, or it is past where that is not allowed.
    """
    found = _of_day(text.strip().lower())
    if found is not None:
        return _of_clock(clock, text, *found.groups(), past=past)
    written = written_time(text.strip())
    if written is None:
        raise ConfigError(say("'{text}' is not a time", text=text), hint=_SUCH_AS)
    if _date(text.strip()) and ends:
        written += timedelta(days=1)
    return _unix(clock, written)


def _of_clock(
    clock: SchoolClock,
    text: str,
    weekday: str | None,
    hour: str,
    minute: str,
    second: str | None,
    *,
    past: bool,
) -> float:
    try:
        of_day = time(int(hour), int(minute), int(second or 0))
    except ValueError:
        raise ConfigError(say("'{text}' is not a time", text=text), hint=_SUCH_AS) from None
    today = clock.shows(clock.now).date()
    if weekday is None:
        at = _unix(clock, datetime.combine(today, of_day))
        if at <= clock.now and not past:
            later = datetime.combine(today + timedelta(days=1), of_day)
            precision = "minutes" if second is None else "seconds"
            hint = say("for tomorrow write {time}", time=later.isoformat(timespec=precision))
            raise ConfigError(say("{text} is in the past", text=text), hint=hint)
        return at
    if weekday not in _weekday_of:
        known = ", ".join("/".join(words) for words in _WEEKDAYS)
        raise ConfigError(
            say("'{weekday}' is not a weekday", weekday=weekday),
            hint=say("known: {known}", known=known),
        )
    day = today + timedelta(days=(_weekday_of[weekday] - today.weekday()) % 7)
    at = _unix(clock, datetime.combine(day, of_day))
    if at <= clock.now:
        at = _unix(clock, datetime.combine(day + timedelta(days=7), of_day))
    return at


def _unix(clock: SchoolClock, written: datetime) -> float:
    return (written if written.tzinfo else written.replace(tzinfo=clock.zone)).timestamp()


class Term(NamedTuple):
    """The options of a term, unparsed."""

    from_: str | None
    for_: str | None
    until: str | None
    lesson: bool
    permanent: bool

    def payload(self, clock: SchoolClock, *, may_be_open: bool = False) -> dict[str, Any]:
        """Return the fields of a change.

        Args:
            clock: of the school.
            may_be_open: whether the length may be missing.

        Raises:
            ConfigError: the duration is missing, given twice, or not a time.
        """
        said = [
            option
            for option, is_given in (
                ("--for", self.for_ is not None),
                ("--until", self.until is not None),
                ("--lesson", self.lesson),
                ("--permanent", self.permanent),
            )
            if is_given
        ]
        if len(said) > 1:
            raise ConfigError(
                say("{first} and {second} exclude each other", first=said[0], second=said[1]),
                hint=say("give one of them"),
            )
        if not said and not may_be_open:
            hint = say("give --for 45m, --until 17:00, --lesson or --permanent")
            raise ConfigError(say("the duration is missing"), hint=hint)
        starts_at = None if self.from_ is None else read_time(clock, self.from_)
        payload: dict[str, Any] = {} if starts_at is None else {"starts_at": starts_at}
        if self.lesson:
            return {**payload, "lesson": True}
        if self.for_ is not None:
            return {**payload, "for_s": duration_s(self.for_)}
        if self.until is not None:
            return {**payload, "ends_at": read_time(clock, self.until, ends=True)}
        return payload


def term(
    for_: Annotated[str | None, option("--for", "Length: 45m, 2h, 3d.", "TIME")] = None,
    until: Annotated[
        str | None,
        option("--until", "Until 17:00, 2026-12-01T07:30, or the end of 2026-12-01.", "TIME"),
    ] = None,
    lesson: Annotated[bool, option("--lesson", "Until the present lesson ends.")] = False,
    permanent: Annotated[
        bool, option("--permanent", "Without an end, until it is revoked.")
    ] = False,
    from_: Annotated[str | None, option("--from", "Start (default: now).", "TIME")] = None,
) -> Term:
    """Return the term that the options name."""
    return Term(from_, for_, until, lesson, permanent)


def duration_s(text: str) -> float:
    """Return a length of time in seconds.

    Raises:
        ConfigError: it is none, or nothing at all.
    """
    found = _duration(text.strip().lower())
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    length = days * DAY_S + hours * 3600 + minutes * 60
    if not length:
        raise ConfigError(say("'{text}' is not a length of time", text=text), hint=_HOW_LONG)
    return float(length)


def school_clock(here: Context) -> SchoolClock:
    """Return the clock of the site, that of Vietnam where its file names no known time zone."""
    try:
        zone = ZoneInfo(site_value(here.config, "time_zone", _ZONE))
    except (LookupError, TypeError, ValueError, OSError):
        zone = ZoneInfo(_ZONE)
    return SchoolClock(zone, here.clock.wall())


def day_of(clock: SchoolClock) -> date:
    """Return the day that the school has."""
    return clock.shows(clock.now).date()
