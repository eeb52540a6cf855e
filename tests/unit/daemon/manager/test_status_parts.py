# SPDX-License-Identifier: Apache-2.0
"""A status has what alerts need: gap, disk, losses, the history, the pace of lookups."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.status_parts import (
    StatusSignals,
    TodayCounts,
    in_service,
    school_day,
    school_today,
    with_protection,
)
from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.policy.model import Holiday, Lesson
from filterd.policy.temporary_rules import LogSetting, Overrides, TargetKind
from filterd.querylog import Batch, CountRow
from filterd.querylog.disclosure import Threshold
from filterd.querylog.totals_file import TotalsFile
from filterd.querylog.totals_request import TotalsRequest
from filterd.resolve.site import Site
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.policies import a_policy, an_index
from tests.support.week import MONDAY, SEVEN, a_school, an_exam, an_exception, with_classes

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.process import Setting
    from filterd.policy.model import Policy
    from filterd.texts.rows import Row
    from tests.support.policies import ListTexts
    from tests.support.team import School, Team

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


def _facts(signals: StatusSignals, lost: int = 0, *, known: bool = True) -> dict[str, Any]:
    return asyncio.run(signals.facts(lost, is_time_known=known))


@pytest.mark.parametrize(
    ("ran_until", "known", "gap_s"),
    [(0.0, True, 0.0), (SEVEN, True, 840.0), (SEVEN + 2 * HOUR, True, 0.0), (SEVEN, False, 0.0)],
)
def test_the_gap_is_from_the_last_known_time_to_the_start(
    tmp_path: Path, ran_until: float, *, known: bool, gap_s: float
) -> None:
    signals = _signals(tmp_path, ran_until=ran_until)
    assert _facts(signals, known=known)["gap_s"] == gap_s


def test_losses_are_dated_and_the_watchdog_is_asked(tmp_path: Path) -> None:
    signals = _signals(tmp_path)
    assert _facts(signals)["log_lost_at"] is None
    assert _facts(signals, 7)["log_lost_at"] == QUARTER_PAST
    assert _facts(signals, 0)["log_lost_at"] == QUARTER_PAST, "a worker was replaced"
    assert _facts(signals)["watchdog_failing"] is False
    signals.is_watchdog_failing = lambda: True
    assert _facts(signals)["watchdog_failing"] is True


def test_the_disk_is_that_of_the_state_folder(tmp_path: Path) -> None:
    disk = _facts(_signals(tmp_path))["disk"]
    assert 0 < disk["free"] < disk["size"]
    assert _facts(_signals(tmp_path / "gone"))["disk"] is None


def test_the_history_is_verified_and_the_result_kept(tmp_path: Path) -> None:
    signals = _signals(tmp_path)

    async def altered() -> dict[str, Any]:
        return {"ok": False}

    async def unreadable() -> dict[str, Any]:
        raise StoreError(say("x"))

    assert _facts(signals)["history"] == {"ok": None, "verified_at": None}
    assert asyncio.run(signals.note_history(altered))
    assert not asyncio.run(signals.note_history(unreadable))
    assert _facts(signals)["history"] == {"ok": False, "verified_at": QUARTER_PAST}


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
    answer = asyncio.run(signals.pace(site, SEVEN + HOUR + 599))
    assert answer == {"now": 1, "last_week": 1000}


@pytest.mark.parametrize(("blocks", "told"), [((99,), 0), ((60, 40), 100), ((300, 279), 500)])
def test_ways_around_the_filter_are_told_in_whole_hundreds(
    blocks: tuple[int, ...], told: int
) -> None:
    blocked = {"category": "proxy-vpn", "action": "blocked"}
    others = [
        {**blocked, "category": "games", "n": 9_000},
        {**blocked, "action": "pass", "n": 9_000},
    ]
    counts = TodayCounts(wide=[*others, *({**blocked, "n": n} for n in blocks)])
    assert counts.bypass == told


class Blocked:
    """A manager whose totals grow by the hour; a test may let them be unreadable."""

    def __init__(self) -> None:
        self.site = SimpleNamespace(policy=a_school())
        self.rows, self.asked = list[dict[str, Any]](), list[TotalsRequest]()
        self.is_unreadable = False

    async def log_totals(self, request: TotalsRequest) -> list[dict[str, Any]]:
        self.asked.append(request)
        if self.is_unreadable:
            raise StoreError(say("damaged"))
        return self.rows

    def blocks(self, hour: float, category: str, n: int, action: str = "blocked") -> None:
        row = {"hour": int(hour), "tier": "primary", "category": category, "action": action}
        self.rows.append({**row, "n": n})


def test_blocks_by_tier_are_of_hours_that_are_over_each_once(tmp_path: Path) -> None:
    signals, manager = _signals(tmp_path, at=SEVEN + 60), Blocked()
    clock = cast("FakeClock", signals._setting.clock)

    def shown() -> dict[str, dict[str, int]]:
        return asyncio.run(signals.blocks(cast("Any", manager)))

    manager.blocks(SEVEN - HOUR, "games", 5)
    assert shown() == {}, "since the start"
    clock.advance(HOUR)
    manager.is_unreadable = True
    assert shown() == {}
    manager.is_unreadable = False
    manager.blocks(SEVEN, "games", 2)
    manager.blocks(SEVEN, "", 1)
    manager.blocks(SEVEN, "", 9, "pass")
    assert shown() == shown() == {"primary": {"games": 2, "none": 1}}
    clock.advance(2 * HOUR)
    manager.rows = []
    manager.blocks(SEVEN + 2 * HOUR, "", 4)
    assert shown() == {"primary": {"games": 2, "none": 5}}
    assert len(manager.asked) == 3
    assert {one.threshold for one in manager.asked} == {Threshold(5)}
    for seconds in (-40 * HOUR, 100 * HOUR):  # by another clock nothing is counted twice
        clock.advance(seconds)
        assert shown() == {"primary": {"games": 2, "none": 5}}


def test_status_and_totals_show_what_all_workers_have_counted(school: School) -> None:
    async def work(team: Team) -> None:
        for worker in team.workers:
            worker._counts.add("6", "games", "blocked", 2)
            worker._counts.add("6", "", "pass")
        (blocked, passed) = sorted(
            await team.manager.log_totals(TotalsRequest(is_live=True)),
            key=lambda one: one["action"],
        )
        assert (blocked["category"], blocked["n"], passed["n"]) == ("games", 4, 2)
        assert await team.manager.log_totals(TotalsRequest(grade="9")) == []
        outcome = (await team.manager.status())["log"]
        assert outcome["level"] == "counts"
        assert (outcome["today"], outcome["problem"]) == ({"blocked": 4, "pass": 2}, "")
        assert outcome["lost"] == 0

    school.serve(work, workers=2)


def test_a_confidential_block_changes_nothing_of_the_status(school: School) -> None:
    async def work(team: Team) -> None:
        counts = team.workers[0]._counts
        counts.add("6", "games", "blocked", 2, class_id="6A", devices=(3,))
        polls = []
        for number in range(9):  # the first ones write what was counted before
            polls.append(await team.manager.status())
            del polls[-1]["up_s"], polls[-1]["clock"], polls[-1]["signals"]
            if number in (5, 7):
                counts.add("6", "self-harm", "blocked", 3, class_id="6A", devices=(3,))
        assert polls[5] == polls[6] == polls[7] == polls[8]
        assert (await team.manager.log_totals(TotalsRequest(2, is_live=True)))[0]["n"] == 2

    school.serve(work, clock=FakeClock(1_900_000_000))


def test_a_log_that_cannot_be_read_or_written_is_reported_and_stops_no_status(
    school: School,
) -> None:
    async def work(team: Team) -> None:
        school.state.query_log.symlink_to(school.state.query_log)
        team.worker._counts.add("6", "", "pass")
        outcome = (await team.manager.status())["log"]
        assert "cannot be written" in outcome["problem"]
        assert (outcome["today"], outcome["waiting"]) == ({}, 1)

    school.serve(work)


EVE = 1_772_211_600.0
"""Midnight in Vietnam; it is 17:00 of 27 February 2026 by UTC."""


def test_minutes_in_service_have_the_lists_in_force(school: School) -> None:
    async def work(team: Team) -> None:
        manager = team.manager
        await manager.log_keeper.collect()
        _, (day,) = await manager.log_keeper.service("2001-01-01", "2100")
        assert (day.minutes or 0).bit_count() == 1
        assert (day.lists, day.lists_age_s is None) == ("0", False)
        manager.signals.is_watchdog_failing = lambda: True
        assert await in_service(manager) is None

    school.serve(work)


def manager(now: float | None, build: dict[str, Any], verified_at: float | None = None) -> Any:
    signals = SimpleNamespace(
        is_watchdog_failing=lambda: False, lists_verified_at=lambda: verified_at
    )
    site = SimpleNamespace(policy=a_policy(), index=SimpleNamespace(build=build))
    clock = {"policy_time": now}
    return cast("Any", SimpleNamespace(clock=lambda: clock, signals=signals, site=site))


@pytest.mark.parametrize(
    ("verified_at", "age_s"), [(None, 500), (EVE - 900, 500), (EVE - 100, 100)]
)
def test_lists_are_as_old_as_their_compilation_or_the_last_answer_of_their_source(
    verified_at: float | None, age_s: int
) -> None:
    found = asyncio.run(in_service(manager(EVE, {"when": EVE - 500, "feed": "412"}, verified_at)))
    assert found is not None
    assert (found.lists, found.lists_age_s) == ("412", age_s)


def test_lists_without_a_date_have_no_age() -> None:
    found = asyncio.run(in_service(manager(EVE, {})))
    assert found is not None
    assert (found.lists, found.lists_age_s) == ("0", None)


def test_a_day_begins_at_midnight_of_the_school_and_an_unknown_time_has_none() -> None:
    days = [school_today(manager(now, {})) for now in (EVE - 1, EVE, None)]
    assert days == ["2026-02-27", "2026-02-28", None]
    assert asyncio.run(in_service(manager(None, {}))) is None


BLOCKED = {"action": "blocked", "category": "games", "grade": "6"}
TOTALS = [
    {**BLOCKED, "class": "6A", "n": 3},
    {**BLOCKED, "class": "", "n": 2},
    {**BLOCKED, "class": "6B", "n": 4, "category": ""},
    {**BLOCKED, "class": "6A", "n": 5},
    {**BLOCKED, "action": "pass", "class": "6A", "n": 100},
    {**BLOCKED, "action": "pass", "grade": "7", "class": "", "n": 7},
]


def test_a_schools_moment_is_summed_up(tmp_path: Path) -> None:
    later = an_exam(id=10, starts_at=SEVEN + 5 * HOUR, ends_at=SEVEN + 6 * HOUR)
    overrides = Overrides(
        exceptions=(
            an_exception("a.example", id=1),
            an_exception("", id=2, kind=TargetKind.PAUSE),
            an_exception("coming.example", id=3, starts_at=SEVEN + HOUR, ends_at=SEVEN + 2 * HOUR),
            an_exception("past.example", id=4, starts_at=SEVEN - HOUR, ends_at=SEVEN - 1),
        ),
        exams=(replace(later, id=8, starts_at=SEVEN - HOUR, ends_at=SEVEN), later),
    )
    policy = with_classes(a_school())
    site = Site.of(policy, an_index(tmp_path, {}), (), overrides=overrides, now=SEVEN)
    day = school_day(site, SEVEN, TodayCounts(TOTALS, TOTALS))
    assert list(day["blocked_today"].items()) == [("6A", 8), ("6B", 4), ("6", 2)]
    assert list(day["blocked_categories"].items()) == [("games", 10), ("", 4)]
    assert [one["target"] for one in day["exceptions"]] == ["a.example"]
    assert [one["id"] for one in day["exams"]] == [10]
    assert [(one["room"], one["grade"]) for one in day["rooms"]] == [("lab", "6")]
    assert day["loans"] == []


FEED: dict[str, Any] = {"address": "", "freshness": "fresh", "followed": ("a", "b")}
FEED |= {"missing": ("b",), "beside": None}


def _protection(folder: Path, lists: ListTexts, feed: Row = FEED, links: Row | None = None) -> Row:
    site = Site.of(a_school(), an_index(folder, lists), (), now=SEVEN)
    status = {"signals": {"links": links}}
    found: Row = with_protection(site, status, feed, {})["protection"]
    return found


def test_a_closed_category_whose_lists_are_starter_lists_stands_on_its_starter_list(
    tmp_path: Path,
) -> None:
    starter: ListTexts = {
        "starter-porn": ("porn", "domains", True, ["porn.example"]),
        "starter-malware": ("malware", "domains", True, ["malware.example"]),
        "feed-malware": ("malware", "domains", False, ["other.example"]),
        "service:play": ("porn", "domains", True, ["play.example"]),
    }
    found = _protection(tmp_path, starter)
    assert (found["level"], found["starter"]) == ("partly", ["games", "porn", "social-media"])
    emptied: ListTexts = {**starter, "feed-malware": ("malware", "domains", False, [])}
    assert _protection(tmp_path, emptied)["starter"] == [
        *("games", "malware", "porn", "social-media")
    ]


def test_lists_of_a_feed_and_beside_it_count_and_a_feed_that_never_came(tmp_path: Path) -> None:
    beside = {"followed": ("c",), "missing": (), "freshness": "fresh", "address": ""}
    feed = {"address": "https://feed.example", "freshness": "never", "beside": beside}
    found = _protection(tmp_path, {}, feed)
    assert (found["followed"], found["missing"], found["never"]) == (["c"], [], True)
    assert not _protection(tmp_path, {})["never"]


def test_what_root_has_read_of_the_links_is_judged(tmp_path: Path) -> None:
    links = {"read_at": 0.0, "passages": {"lan0": "open"}}
    assert _protection(tmp_path, {}, FEED, links)["links"] == {"lan0": "open"}


def test_classes_that_a_caller_may_not_read_are_counted_in_their_grade(tmp_path: Path) -> None:
    site = Site.of(with_classes(a_school()), an_index(tmp_path, {}), (), now=SEVEN)
    shown = {
        classes: school_day(site, SEVEN, TodayCounts(TOTALS), set(classes))["blocked_today"]
        for classes in (("6A",), ())
    }
    assert shown == {("6A",): {"6A": 8, "6": 6}, (): {"6": 14}}
