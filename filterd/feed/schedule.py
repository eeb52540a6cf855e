# SPDX-License-Identifier: Apache-2.0
"""Compute when an appliance asks for the feed, and when it takes a version. Pure.

54,000 appliances have one server, and must not load it at once. Each has its **place**, which
follows from its id alone:

* the **night's run** in a slot of its own within six hours, from 21:00,
  after the last evening class; what fails at their end is still tried three times before the
  first lesson;
* a **light check** every ten minutes for urgent versions: one small file, at its own point of
  the ten minutes;
* a night without power is **made up for** after the start, spread over half a school's day;
* the first run of all, after set-up, within a minute;
* public lists that change all day **every four hours** after a run, and after a start within the
  first four, so that schools that are switched on at seven do not come together.

A failed run is tried again by Safe Browsing's formula, ``MIN(2**(N-1) * 15 minutes * (RAND +
1), 24 hours)``, or after a server's Retry-After. Light checks go on meanwhile: they never come
closer together, and an urgent order is not missed because the night went wrong.

Waiting is monotonic. The wall clock shows only which night it is, and is read at every step, so
a clock that is set is noticed within ten minutes.

A version is taken by **rings**: 1 in 100 appliances when it is published, 10 in 100 twelve
hours later, all others after a day, so that harm shows where few have it; each version has
other first ones. Urgent versions do not wait. A publisher that publishes every evening would
keep the last ring from ever taking anything; so no appliance waits longer than until the
second night after the first version that it did not take. The program itself is taken the same
way with longer steps: after two days, and after five.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.clock import doubled_s
from filterd.base.errors import TrustError
from filterd.base.value_class import frozen

if TYPE_CHECKING:
    from filterd.base.errors import FilterdError

CHECK_S = 600.0
FIRST_S = 60.0
"""The first run of all comes within so long."""
MAKE_UP_S = 4 * 3_600.0
RETRY_S = 900.0
FRESH_S = 4 * 3_600.0
LONGEST_S = 86_400.0
"""No wait is longer, whatever a server asks for."""
LONGEST_SILENCE_S = 3_600.0
"""Of light checks: an answer in a server's place must not silence them for longer."""

_HOUR_S, _DAY_S = 3_600, 86_400.0
_NEVER = -math.inf


@frozen
class Night:
    """The nights of runs, by the school's clock; slots spread over ``length_s``."""

    time_zone: str
    begins: time = time(21)
    length_s: float = 6 * 3_600.0


@frozen
class Place:
    """An appliance's place among all others, each part from 0 up to 1.

    Attributes:
        slot: within the night.
        phase: within the ten minutes of light checks.
        start: within the minute of the first run, or the hours of what is made up for. It is not
            the slot's part: after an evening without power all affected slots are alike.
    """

    slot: float
    phase: float
    start: float


class Now(NamedTuple):
    """Both times of ``filterd.base.clock.Clock``, read together."""

    monotonic: float
    wall: float


@frozen
class ScheduleState:
    """How an appliance stands; times are monotonic unless stated otherwise.

    Attributes:
        started: when this process began.
        done_at: Unix time at which a run last ended with an answer; None before the first.
        handled: the newest version that was taken, held or refused.
        urgent: the newest urgent version that was announced, verified; 0 for none.
        failures: failed runs in a row.
        runs_from: no run before that.
        checks_from: no light check before that.
    """

    started: float
    done_at: float | None
    handled: int = 0
    urgent: int = 0
    failures: int = 0
    runs_from: float = _NEVER
    checks_from: float = _NEVER


class Work(Enum):
    """A kind of work."""

    CHECK = "check"
    RUN = "run"


class ScheduledWork(NamedTuple):
    """The next work and its time, monotonic."""

    work: Work
    at: float


class Ending(Enum):
    """The end of a run.

    DONE: with an answer: taken, nothing new, or held. REFUSED: what came must not be trusted; the
    night is over, something urgent is asked for again. FAILED: nothing came, or the disk refused.
    """

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


def place_of(appliance_id: bytes) -> Place:
    """Return the place that follows from an id; the id itself is sent nowhere."""
    return Place(*(_fraction(appliance_id, what) for what in (b"slot", b"phase", b"start")))


def next_step(place: Place, night: Night, standing: ScheduleState, now: Now) -> ScheduledWork:
    """Return the next step, in at most ten minutes, unless a server asks for silence.

    Call it at the start and after each step; a run that is due comes first.
    """
    run = max(_run_due(place, night, standing, now), now.monotonic)
    check = _check_due(place, standing, now.monotonic)
    return ScheduledWork(Work.RUN, run) if run <= check else ScheduledWork(Work.CHECK, check)


def fresh_due(place: Place, started: float, last: float | None) -> float:
    """Return when lists that change all day are asked for next, monotonic.

    Args:
        place: of the appliance.
        started: when this process began.
        last: when they were last asked for, by a night or between; None for not yet.
    """
    return started + place.start * FRESH_S if last is None else last + FRESH_S


def after_check(standing: ScheduleState, urgent: int, now: Now) -> ScheduleState:
    """Return the standing after a light check that was answered.

    Args:
        standing: before it.
        urgent: the last urgent version; a merely newer one waits for its slot.
        now: when the answer had come.
    """
    if urgent <= standing.urgent:
        return standing
    if urgent <= standing.handled:
        return replace(standing, urgent=urgent)
    return replace(standing, urgent=urgent, failures=0, runs_from=now.monotonic)


def after_failed_check(
    standing: ScheduleState, now: Now, *, retry_after_s: float = 0.0, random: float
) -> ScheduleState:
    """Return the standing after a failed light check: silent if asked to be.

    Args:
        standing: before it.
        now: when it had failed.
        retry_after_s: as the server asks.
        random: from 0 up to 1, drawn for this check.
    """
    if retry_after_s <= 0:
        return standing
    checks_from = _silent_until(now, retry_after_s)
    # The slots that passed meanwhile must not all be made up for in ten minutes.
    runs_from = checks_from + LONGEST_SILENCE_S * random
    return replace(standing, checks_from=checks_from, runs_from=max(standing.runs_from, runs_from))


def after_run(
    standing: ScheduleState,
    ending: Ending,
    now: Now,
    *,
    version: int = 0,
    random: float,
    retry_after_s: float = 0.0,
) -> ScheduleState:
    """Return the standing after a run.

    Args:
        standing: before it.
        ending: of the run.
        now: when it ended.
        version: the offered version, where it is known.
        random: from 0 up to 1, drawn for this run.
        retry_after_s: as the server asks.
    """
    if ending is Ending.DONE:
        # What was announced as urgent counts as handled even where the publisher
        # numbered it beyond what is published: once is enough.
        handled = max(standing.handled, standing.urgent, version)
        return ScheduleState(standing.started, now.wall, handled, standing.urgent)
    failures = standing.failures + 1
    wait_s, checks_from = back_off_s(failures, random), standing.checks_from
    if retry_after_s > 0:
        checks_from = _silent_until(now, retry_after_s)
        wait_s = max(wait_s, min(retry_after_s + RETRY_S * random, LONGEST_S))
    return replace(
        standing,
        done_at=now.wall if ending is Ending.REFUSED else standing.done_at,
        failures=failures,
        runs_from=now.monotonic + wait_s,
        checks_from=checks_from,
    )


def back_off_s(failures: int, random: float) -> float:
    """Return the wait after ``failures`` in a row; ``random`` is from 0 up to 1."""
    return doubled_s(RETRY_S * (random + 1), failures - 1, LONGEST_S)


def ending_of(error: FilterdError | None) -> Ending:
    """Return the ending of a run that raised ``error``; a held version is none."""
    if error is None:
        return Ending.DONE
    return Ending.REFUSED if isinstance(error, TrustError) else Ending.FAILED


def _fraction(appliance_id: bytes, what: bytes) -> float:
    digest = hashlib.sha256(what + b"\0" + appliance_id).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _check_due(place: Place, standing: ScheduleState, now: float) -> float:
    """Return the next of an appliance's own points in time, ten minutes apart."""
    first = standing.started + place.phase * CHECK_S
    after = max(now, standing.checks_from)
    if after < first:
        return first
    due = first + (math.floor((after - first) / CHECK_S) + 1) * CHECK_S
    # Where rounding would give the point itself again, the same check would come twice.
    return due if due > after else due + CHECK_S


def _run_due(place: Place, night: Night, standing: ScheduleState, now: Now) -> float:
    if standing.urgent > standing.handled:
        return standing.runs_from
    return max(standing.runs_from, _night_due(place, night, standing, now))


def _night_due(place: Place, night: Night, standing: ScheduleState, now: Now) -> float:
    """Return when the night's run is due, monotonic; in the past if it waits."""
    done_at = standing.done_at
    if done_at is None:
        return standing.started + place.start * FIRST_S
    slots = _slots_about(place, night, now.wall)
    last = max(slot for slot in slots if slot <= now.wall)
    # A run in the far future was made by a clock that was wrong: it counts for nothing. One
    # just ahead was made before the clock was set back a little: its slot is over.
    known = done_at < now.wall + _DAY_S
    passed = max(now.wall, done_at) if known else now.wall
    next_slot = now.monotonic + min(slot for slot in slots if slot > passed) - now.wall
    if known and last <= done_at:
        return next_slot
    last_slot = now.monotonic - (now.wall - last)
    if last_slot >= standing.started:
        return last_slot
    return min(next_slot, standing.started + place.start * MAKE_UP_S)


def _silent_until(now: Now, retry_after_s: float) -> float:
    return now.monotonic + min(retry_after_s, LONGEST_SILENCE_S)


def _slots_about(place: Place, night: Night, wall: float) -> tuple[float, ...]:
    """Return an appliance's slots, a whole day after a time at least; Unix times."""
    offset = place.slot * night.length_s
    return tuple(begins + offset for begins in _nights_about(night, int(wall // _HOUR_S)))


@lru_cache(maxsize=64)
def _nights_about(night: Night, hour: int) -> tuple[float, ...]:
    """Return when the nights about an hour since 1970 begin; Unix times.

    By the calendar, as a day is not always 24 hours. One night more on each side, as a slot may
    be the day after.
    """
    zone = ZoneInfo(night.time_zone)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    today = moment.astimezone(zone).date()
    return tuple(
        datetime.combine(today + timedelta(days=days), night.begins, zone).timestamp()
        for days in (-2, -1, 0, 1, 2, 3)
    )


@frozen
class Rings:
    """The steps by which appliances take a version.

    Attributes:
        steps: of each ring the part of all appliances that has a version once the ring has
            taken it, and from when on it takes it, in seconds after the publication.
        longest_wait_s: from the first version that was not taken, whichever is the newest then.
    """

    steps: tuple[tuple[float, float], ...]
    longest_wait_s: float


LISTS = Rings(
    ((0.01, 0.0), (0.10, _DAY_S / 2), (1.0, _DAY_S)),
    # Two nights, and an hour less: no two runs come to the second at the same time.
    longest_wait_s=2 * _DAY_S - 3_600.0,
)
PROGRAMS = Rings(((0.01, 0.0), (0.10, 2 * _DAY_S), (1.0, 5 * _DAY_S)), longest_wait_s=10 * _DAY_S)


def ring_of(appliance_id: bytes, version: str, rings: Rings = LISTS) -> int:
    """Return the ring of an appliance for a version: 0 for the first."""
    place = _fraction(appliance_id, b"ring\0%s" % version.encode())
    return next(ring for ring, (part, _) in enumerate(rings.steps) if place < part)


def may_take_at(
    appliance_id: bytes,
    version: str,
    published_at: float,
    waiting_since: float | None,
    rings: Rings = LISTS,
) -> float:
    """Return from when on an appliance takes a version; Unix time.

    Args:
        appliance_id: its id.
        version: the version.
        published_at: when it was signed, Unix time.
        waiting_since: when it first saw a version that it did not take; None for now.
        rings: of lists, or of programs.
    """
    at = published_at + rings.steps[ring_of(appliance_id, version, rings)][1]
    return at if waiting_since is None else min(at, waiting_since + rings.longest_wait_s)
