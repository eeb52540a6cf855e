# SPDX-License-Identifier: Apache-2.0
"""Conditions of alerts that are about lookups, and the log of them. Pure.

Their sentences say that something is odd, and never who asked for what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.texts import counted
from filterd.texts.i18n import UNSAID, say

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Row

LEAST_LOOKUPS, PACE_PART = 200, 10
"""Lookups of the lesson last week that allow a comparison, and the part that is too few."""
BYPASS_BLOCKS = 500
"""Blocked ways around the filter of one day, of grades of which several devices ask for some."""
LOST_SHOWN_S = 3600.0
"""How long after the last lost row the loss is shown."""
TUNNEL_SHOWN_S = 3600.0
"""How long after the last question of a tunnel it is shown."""


def rows_lost(status: Row, now: float) -> Sentence:
    """Answers were lost before they were counted."""
    at = status["signals"]["log_lost_at"]
    if at is None or not 0 <= now - at < LOST_SHOWN_S:
        return UNSAID
    return say("answers were lost before they could be counted in the log")


def log_problem(status: Row, _: float) -> Sentence:
    """The log cannot be written."""
    return say("the log cannot be written") if status["log"]["problem"] else UNSAID


def few_lookups(status: Row, _: float) -> Sentence:
    """Far fewer lookups than in the same lesson last week."""
    pace = status["log"]["pace"]
    if pace is None or pace["last_week"] < LEAST_LOOKUPS:
        return UNSAID
    if pace["now"] * PACE_PART >= pace["last_week"]:
        return UNSAID
    return say(
        "{now} lookups in this school hour; {before} in the same one last week",
        now=counted.number(pace["now"]),
        before=counted.number(pace["last_week"]),
    )


def bypass(status: Row, _: float) -> Sentence:
    """Many ways around the filter were blocked today, of several devices."""
    blocks = status["log"]["bypass"]["blocks"]
    if blocks < BYPASS_BLOCKS:
        return UNSAID
    return say(
        "{n} lookups of ways around the filter were blocked today, of several devices",
        n=counted.number(blocks),
    )


def tunnel(status: Row, now: float) -> Sentence:
    """A device asks for very many long names of one domain."""
    found = status["tunnels"]
    if found["at"] is None or not 0 <= now - found["at"] < TUNNEL_SHOWN_S:
        return UNSAID
    return say(
        "a device asks for very many long names of one domain, as a tunnel does:"
        " {n} and more within ten minutes",
        n=counted.number(found["names"]),
    )
