# SPDX-License-Identifier: Apache-2.0
"""Read the clock of the site, by which commands read and show times."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from filterd.cli.context import Context
from filterd.cli.language import site_value
from filterd.texts.rows import SchoolClock, Wording

_ZONE = "Asia/Ho_Chi_Minh"


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
