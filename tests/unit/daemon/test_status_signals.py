# SPDX-License-Identifier: Apache-2.0
"""A status has what alerts need: gap, disk, losses, the history, the pace of lookups."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.daemon.status_signals import StatusSignals
from filterd.errors import StoreError
from filterd.i18n import say
from filterd.policy.model import Holiday, Lesson
from filterd.policy.temporary_rules import LogSetting, Overrides
from filterd.querylog import Batch, CountRow, single_figures
from filterd.querylog.totals_file import TotalsFile
from filterd.resolve.site import Site
from filterd.state_folder import StateFolder
from tests.support.clock import FakeClock
from tests.support.policies import an_index
from tests.support.week import MONDAY, SEVEN, a_school

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.process import Setting
    from filterd.policy.model import Policy

HOUR, WEEK = 3600, 7 * 86_400
LESSONS = (Lesson("tiet-1", 7 * HOUR, 8 * HOUR),)
QUARTER_PAST = SEVEN + HOUR / 4


def _signals(folder: Path, *, at: float = QUARTER_PAST, ran_until: float = 0.0) -> StatusSignals:
    clock = FakeClock(at)
    time = PolicyClock(clock, SharedPage())
    made = SimpleNamespace(
        clock=clock, time=time, started=clock.monotonic() - 60.0, ran_until=ran_until
    )
    made.state = StateFolder(folder)
    return StatusSignals(cast("Setting", made))


def _told(signals: StatusSignals, lost: int = 0, *, known: bool = True) -> dict[str, Any]:
    return asyncio.run(signals.facts(lost, is_time_known=known))


@pytest.mark.parametrize(
    ("ran_until", "known", "gap_s"),
    [(0.0, True, 0.0), (SEVEN, True, 840.0), (SEVEN + 2 * HOUR, True, 0.0), (SEVEN, False, 0.0)],
)
def test_the_gap_is_from_the_last_known_time_to_the_start(
    tmp_path: Path, ran_until: float, *, known: bool, gap_s: float
) -> None:
    signals = _signals(tmp_path, ran_until=ran_until)
    assert _told(signals, known=known)["gap_s"] == gap_s


def test_losses_are_dated_and_the_watchdog_is_asked(tmp_path: Path) -> None:
    signals = _signals(tmp_path)
    assert _told(signals)["log_lost_at"] is None
    assert _told(signals, 7)["log_lost_at"] == QUARTER_PAST
    assert _told(signals, 0)["log_lost_at"] == QUARTER_PAST, "a worker was replaced"
    assert _told(signals)["watchdog_failing"] is False
    signals.is_watchdog_failing = lambda: True
    assert _told(signals)["watchdog_failing"] is True


def test_the_disk_is_that_of_the_state_folder(tmp_path: Path) -> None:
    disk = _told(_signals(tmp_path))["disk"]
    assert 0 < disk["free"] < disk["size"]
    assert _told(_signals(tmp_path / "gone"))["disk"] is None


def test_the_history_is_verified_and_the_result_kept(tmp_path: Path) -> None:
    signals = _signals(tmp_path)

    async def altered() -> dict[str, Any]:
        return {"ok": False}

    async def unreadable() -> dict[str, Any]:
        raise StoreError(say("x"))

    assert _told(signals)["history"] == {"ok": None, "verified_at": None}
    assert asyncio.run(signals.note_history(altered))
    assert not asyncio.run(signals.note_history(unreadable))
    assert _told(signals)["history"] == {"ok": False, "verified_at": QUARTER_PAST}


def _pace(
    folder: Path, policy: Policy, at: float = QUARTER_PAST, overrides: Overrides | None = None
) -> dict[str, int] | None:
    """Return the pace where last week's hour had 4000 answers and this one has 50."""
    signals = _signals(folder, at=at)
    hour = int(at // HOUR) * HOUR
    rows = (CountRow(hour - WEEK, "6", "", "pass", 4000), CountRow(hour, "6", "", "pass", 50))
    database = TotalsFile(StateFolder(folder).query_log, FakeClock(at))
    index = an_index(folder, {})
    site = Site.of(policy, index, (), overrides=overrides or Overrides(), now=at)

    async def work() -> dict[str, int] | None:
        await database.write([Batch("w", 1, rows)])
        await database.close()
        found = await signals.pace(site, at)
        StateFolder(folder).query_log.unlink()
        assert await signals.pace(site, at) == found, "it is read once a minute"
        return found

    return asyncio.run(work())


def test_the_pace_of_a_lesson_is_compared_with_the_same_hour_last_week(tmp_path: Path) -> None:
    assert _pace(tmp_path, a_school(lessons=LESSONS)) == {"now": 50, "last_week": 1000}


def _holiday(at: float) -> Holiday:
    day = "2026-03-02" if at >= MONDAY else "2026-02-23"
    return Holiday(day, day, "Nghỉ", "Off")


OFF = LogSetting(2, "", "off", "hè", "lan", MONDAY)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"lessons": ()}, QUARTER_PAST),
        ({}, QUARTER_PAST + HOUR),
        ({}, SEVEN + 599),
        ({}, SEVEN - 1),
        ({"holidays": (_holiday(SEVEN),)}, QUARTER_PAST),
        ({"holidays": (_holiday(SEVEN - WEEK),)}, QUARTER_PAST),
    ],
    ids=[
        "no lessons",
        "after school",
        "first minutes",
        "before school",
        "holiday",
        "holiday last week",
    ],
)
def test_without_a_lesson_now_and_then_nothing_is_compared(
    tmp_path: Path, changes: dict[str, Any], at: float
) -> None:
    assert _pace(tmp_path, replace(a_school(lessons=LESSONS), **changes), at) is None


def test_a_tier_that_is_switched_off_is_no_fall_of_lookups(tmp_path: Path) -> None:
    off = Overrides(log_settings=(OFF,))
    assert _pace(tmp_path, a_school(lessons=LESSONS), overrides=off) is None


def test_in_the_first_minutes_of_an_hour_the_figures_of_the_hour_before_hold(
    tmp_path: Path,
) -> None:
    signals = _signals(tmp_path)
    signals._pace = {"now": 1, "last_week": 1000}
    lessons = (Lesson("tiet-1", 7 * HOUR, 9 * HOUR),)
    site = Site.of(a_school(lessons=lessons), an_index(tmp_path, {}), (), now=SEVEN)
    told = asyncio.run(signals.pace(site, SEVEN + HOUR + 599))
    assert told == {"now": 1, "last_week": 1000}


def test_ways_around_the_filter_are_counted_with_the_devices_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def devices(_: Path, day: str, category: str) -> int:
        asked.append((day, category))
        return 4

    monkeypatch.setattr(single_figures, "devices_blocked", devices)
    blocked = {"category": "proxy-vpn", "action": "blocked"}
    totals = [
        {**blocked, "n": 300},
        {**blocked, "n": 250},
        {"category": "games", "action": "blocked", "n": 9000},
    ]
    site = Site.of(a_school(), an_index(tmp_path, {}), (), now=SEVEN)
    signals = _signals(tmp_path)
    told = asyncio.run(signals.bypass(site, SEVEN, totals))
    assert told == {"blocks": 550, "devices": 4}
    assert asyncio.run(signals.bypass(site, SEVEN, [])) == {"blocks": 0, "devices": 0}
    assert asked == [("2026-03-02", "proxy-vpn")]
