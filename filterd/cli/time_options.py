# SPDX-License-Identifier: Apache-2.0
"""Options for terms, and the clock of the site that commands read times by."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from filterd.cli.context import Context, option
from filterd.cli.language import site_value
from filterd.operations.parameters.term import TermWords
from filterd.rows import SchoolClock, Wording

_ZONE = "Asia/Ho_Chi_Minh"


def term(
    for_: Annotated[str | None, option("--for", "Length: 45m, 1h30, 2 days.", "TIME")] = None,
    until: Annotated[
        str | None,
        option("--until", "Until 17h, thu 07:30, or the end of 20/12/2026.", "TIME"),
    ] = None,
    lesson: Annotated[bool, option("--lesson", "Until the present lesson ends.")] = False,
    permanent: Annotated[
        bool, option("--permanent", "Without an end, until it is revoked.")
    ] = False,
    from_: Annotated[str | None, option("--from", "Start (default: now).", "TIME")] = None,
) -> TermWords:
    """Return the term that the options name."""
    return TermWords(from_, for_, until, lesson, permanent)


def school_clock(here: Context) -> SchoolClock:
    """Return the clock of the site, that of Vietnam where its file names no known time zone."""
    try:
        zone = ZoneInfo(site_value(here.config, "time_zone", _ZONE))
    except (LookupError, TypeError, ValueError, OSError):
        zone = ZoneInfo(_ZONE)
    return SchoolClock(zone, here.clock.wall())


def wording_of(here: Context) -> Wording:
    """Return the language of the command and the clock of the site."""
    return Wording(here.texts, school_clock(here))
