# SPDX-License-Identifier: Apache-2.0
"""Decide whether an offered release of filterd is installed now. Pure.

``REASONS`` is the table: the first line that holds is why it is not. An administrator's word
(``filterd update --now``) skips the lines that only concern the time; none skips an exam, a
version that was taken back before, or one that is not newer.

The daemon can only delay: it states whether an exam is in force, for at most ``LONGEST_DELAY_S``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.value_class import frozen
from filterd.policy.calendar import Calendar
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.config.week_schema import TimeSpan

LONGEST_DELAY_S = 14 * 86_400.0
BEFORE_LESSON_S = 1_200
"""An update, with its watch, must be over before a lesson begins."""


class UpdateReason(StrEnum):
    """Why an offered release is not installed now; values are an interface."""

    NOT_NEWER = "not-newer"
    TAKEN_BACK = "taken-back"
    HELD = "held"
    OFF = "off"
    CLOCK = "clock"
    RING = "ring"
    LESSON = "lesson"
    WINDOW = "window"
    EXAM = "exam"


@frozen
class UpdateFacts:
    """What a decision is made of.

    Attributes:
        now: Unix time.
        time_zone: of the school.
        is_newer: whether the offered version is above the serving one.
        is_refused: whether it was taken back here, or could not be put in service.
        is_held: whether an administrator takes none.
        is_automatic: whether the site takes any by itself.
        clock_known: whether ``now`` can be believed.
        ring_at: Unix time from when on this appliance's ring takes it.
        window: when releases are installed.
        lessons: lessons and breaks of the school's day.
        has_exam: whether the daemon states that an exam is in force.
        postponed_since: Unix time when it first delayed an update that was due; None for not yet.
        at_once: whether an administrator asks for it now.
    """

    now: float
    time_zone: str
    is_newer: bool
    ring_at: float
    window: TimeSpan
    lessons: tuple[TimeSpan, ...] = ()
    is_refused: bool = False
    is_held: bool = False
    is_automatic: bool = True
    clock_known: bool = True
    has_exam: bool = False
    postponed_since: float | None = None
    at_once: bool = False

    @property
    def second(self) -> int:
        """Seconds after midnight, by the school's clock."""
        return Calendar(self.time_zone).reading(self.now).second


class UpdateDecision(NamedTuple):
    """Whether a release is installed now.

    Attributes:
        reason: why not; None where it is.
        why: the same for people.
        takes_at: Unix time of the next attempt that can succeed; None where that is unknown.
    """

    reason: UpdateReason | None
    why: Sentence = UNSAID
    takes_at: float | None = None


def _has_exam(facts: UpdateFacts) -> bool:
    since = facts.postponed_since
    is_too_long = since is not None and facts.now - since >= LONGEST_DELAY_S
    return facts.has_exam and (facts.at_once or not is_too_long)


def _in_lesson(facts: UpdateFacts) -> bool:
    return any(
        lesson.starts_s - BEFORE_LESSON_S <= facts.second < lesson.ends_s
        for lesson in facts.lessons
    )


def _out_of_window(facts: UpdateFacts) -> bool:
    return not facts.window.starts_s <= facts.second < facts.window.ends_s


class _Line(NamedTuple):
    """A reason, and whether it yields to an administrator's word."""

    reason: UpdateReason
    holds: Callable[[UpdateFacts], bool]
    why: Sentence
    yields: bool = False


REASONS = (
    _Line(
        UpdateReason.NOT_NEWER,
        lambda facts: not facts.is_newer,
        say("it is not newer than the release that serves"),
    ),
    _Line(
        UpdateReason.TAKEN_BACK,
        lambda facts: facts.is_refused,
        say("this release was taken back here before; wait for a newer one"),
    ),
    _Line(
        UpdateReason.HELD,
        lambda facts: facts.is_held,
        say("updates are held; to take them again: sudo filterd update --release"),
        yields=True,
    ),
    _Line(
        UpdateReason.OFF,
        lambda facts: not facts.is_automatic,
        say("automatic updates are switched off in site.yaml (update: automatic)"),
        yields=True,
    ),
    _Line(
        UpdateReason.CLOCK,
        lambda facts: not facts.clock_known,
        say("the clock of this machine is not known"),
        yields=True,
    ),
    _Line(
        UpdateReason.RING,
        lambda facts: facts.now < facts.ring_at,
        say("other schools take it first"),
        yields=True,
    ),
    _Line(UpdateReason.LESSON, _in_lesson, say("the school's day has begun"), yields=True),
    _Line(UpdateReason.WINDOW, _out_of_window, say("it is taken in the night"), yields=True),
    # The last: only what would be installed now is delayed by the daemon, and the days count.
    _Line(UpdateReason.EXAM, _has_exam, say("an exam is in force; it is taken after it")),
)


def decide(facts: UpdateFacts) -> UpdateDecision:
    """Return whether an offered release is installed now, or the first reason why not."""
    for line in REASONS:
        if not (facts.at_once and line.yields) and line.holds(facts):
            return UpdateDecision(line.reason, line.why, _takes_at(line.reason, facts))
    return UpdateDecision(None)


_BY_ITSELF = (UpdateReason.RING, UpdateReason.LESSON, UpdateReason.WINDOW)


def _takes_at(reason: UpdateReason, facts: UpdateFacts) -> float | None:
    """Return when the ring and the window allow it; None for other reasons."""
    if reason not in _BY_ITSELF:
        return None
    earliest = max(facts.now, facts.ring_at)
    zone = ZoneInfo(facts.time_zone)
    today = datetime.fromtimestamp(earliest, zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    for days in (0, 1, 2):
        day = today + timedelta(days=days)
        opens, closes = (
            day.replace(hour=s // 3600 % 24, minute=s // 60 % 60) + timedelta(days=s // 86_400)
            for s in facts.window
        )
        if earliest < closes.timestamp():
            return max(earliest, opens.timestamp())
    return None
