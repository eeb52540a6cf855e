# SPDX-License-Identifier: Apache-2.0
"""Schedules: results, and those that never open or contradict each other."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.config.compile import warnings
from filterd.config.site_reader import load_site
from filterd.policy import effective_policy, policy_file
from filterd.policy.model import Audience, Schedule, Scheduled, Window
from filterd.policy.temporary_rules import Overrides
from tests.support.policies import NOW
from tests.support.site import WITH_SERVICES, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy

EVERY_DAY = frozenset(range(7))
LISTS = "networks:\n  lab: {cidrs: [10.0.0.0/24], grade: 6}\n"


def _policy(folder: Path, windows: str, *scheduled: str) -> Policy:
    return a_policy(folder, _site(windows, *scheduled), WITH_SERVICES)


def _problems(folder: Path, windows: str, *scheduled: str) -> list[str]:
    return problems(folder, _site(windows, *scheduled), WITH_SERVICES)


def _site(windows: str, *scheduled: str) -> str:
    entries = "".join(f"  - {{schedule: s, {one}}}\n" for one in scheduled)
    return f"{LISTS}schedules:\n  s: [{windows}]\n" + (entries and f"scheduled:\n{entries}")


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("{from: 07:00, to: 11:30}", Window(EVERY_DAY, 25200, 41400)),
        ("{from: 22:00, to: 05:30}", Window(EVERY_DAY, 79200, 86400 + 19800)),
        ("{from: 00:00, to: 24:00}", Window(EVERY_DAY, 0, 86400)),
        ("{from: 22:00, to: 00:00}", Window(EVERY_DAY, 79200, 86400)),
        ("{days: [t2, sun], from: 7:00, to: 8:00}", Window(frozenset((0, 6)), 25200, 28800)),
        (
            "{from: 07:00, to: 08:00, first: 2026-09-05, last: 2027-05-31, holidays: off}",
            Window(EVERY_DAY, 25200, 28800, "2026-09-05", "2027-05-31", holidays=False),
        ),
        (
            "{from: 07:00, to: 08:00, holidays: on}",
            Window(EVERY_DAY, 25200, 28800, holidays=True),
        ),
    ],
)
def test_a_window_is_read_as_it_is_written(tmp_path: Path, text: str, window: Window) -> None:
    assert _policy(tmp_path, text).schedules == (Schedule("s", (window,)),)


@pytest.mark.parametrize(
    ("window", "problem"),
    [
        ("{from: 07:00, to: 07:00}", "it never opens: it begins when it ends (a whole day is"),
        ("{from: 24:00, to: 07:00}", "24:00 is the end of a day"),
        ("{from: 07:00}", "the key 'to' is missing"),
        ("{from: 7, to: 08:00}", "from: '7' is not a time of day (such as 07:00 or 16:30)"),
        ("{days: [], from: 07:00, to: 08:00}", "days: it needs at least 1"),
        ("{days: [t8], from: 07:00, to: 08:00}", "'t8' is not a day of the week"),
        ("{from: 07:00, to: 08:00, holidays: no}", "holidays: 'no' is not known"),
        (
            "{from: 07:00, to: 08:00, first: 2026-09-05, last: 2026-09-04}",
            "it never opens: it ends",
        ),
        # 2026-09-05 is a Saturday, 2026-09-02 a Wednesday and the only holiday.
        (
            "{days: [t2], from: 07:00, to: 08:00, first: 2026-09-05, last: 2026-09-06}",
            "it never opens: no day fits days, first, last and holidays (leave one of them out)",
        ),
        ("{days: [t2], from: 07:00, to: 08:00, holidays: on}", "it never opens"),
        ("{from: 07:00, to: 08:00, first: 2026-09-03, holidays: on}", "it never opens"),
        (
            "{from: 07:00, to: 08:00, first: 2026-09-02, last: 2026-09-02, holidays: off}",
            "it never opens",
        ),
        ("", "s: it needs at least 1"),
    ],
)
def test_a_window_that_never_opens_is_reported(tmp_path: Path, window: str, problem: str) -> None:
    (found,) = _problems(tmp_path, window)
    assert found.startswith("site.yaml:5:")
    assert problem in found


@pytest.mark.parametrize(
    "window",
    [
        "{days: [t4], from: 07:00, to: 08:00, holidays: on}",
        "{days: [t7], from: 07:00, to: 08:00, first: 2026-09-05, last: 2026-09-06}",
        "{days: [cn], from: 07:00, to: 08:00, first: 2029-01-01}",
        "{from: 07:00, to: 08:00, last: 2000-01-01}",
    ],
)
def test_a_window_that_opens_if_seldom_is_right(tmp_path: Path, window: str) -> None:
    assert len(_policy(tmp_path, window).schedules) == 1


DAY = "{from: 07:00, to: 08:00}"


@pytest.mark.parametrize(
    ("entry", "scheduled"),
    [
        ("close: {category: games}", Scheduled("s", False, "category", "games")),
        (
            "open: {service: youtube}, for: {grade: 7}",
            Scheduled("s", True, "service", "youtube", Audience.GRADE, "7"),
        ),
        (
            "open: {list: many-games}, for: {network: lab}",
            Scheduled("s", True, "list", "many-games", Audience.NETWORK, "lab"),
        ),
        ("close: {tier: primary}", Scheduled("s", False, "tier", "primary")),
        (
            "close: {tier: primary}, for: {grade: 3}",
            Scheduled("s", False, "tier", "primary", Audience.GRADE, "3"),
        ),
        ("close: {category: porn}", Scheduled("s", False, "category", "porn")),
    ],
)
def test_what_a_schedule_does_is_read_as_it_is_written(
    tmp_path: Path, entry: str, scheduled: Scheduled
) -> None:
    assert _policy(tmp_path, DAY, entry).scheduled == (scheduled,)


KEPT = "keep_closed: {categories: [social-media], services: [bigo]}\n"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("close: {category: game}", "7:27: 'game' is not a category (did you mean 'games'?)"),
        ("close: {service: tok}", "'tok' is not a service"),
        ("close: {list: other}", "'other' is not a list (known: many-games)"),
        ("close: {tier: prim}", "'prim' is not a tier"),
        ("close: {tier: primary}, for: {grade: 6}", "'for' has no grade of 'primary'"),
        ("close: {tier: primary}, for: {tier: guest}", "'for' has no grade of 'primary'"),
        ("close: {category: games}, for: {network: lib}", "'lib' is not a network of this site"),
        ("close: {category: games}, for: {grade: 13}", "'13' is not a grade"),
        (
            "close: {category: games}, open: {category: games}",
            "it either opens or closes something",
        ),
        ("for: {grade: 6}", "it either opens or closes something"),
        ("close: {}", "it can have only one of these"),
        ("close: {category: games, service: youtube}", "it can have only one of these"),
        ("open: {category: porn}", "'porn' is locked: it is closed to everybody (remove it)"),
        ("open: {service: bet}", "'bet' is locked"),
        ("open: {category: social-media}", "'social-media' is kept closed by the school"),
        ("open: {service: tiktok}", "'tiktok' is kept closed by the school"),
        ("open: {service: bigo}", "'bigo' is kept closed by the school"),
    ],
)
def test_what_a_schedule_cannot_do_is_reported(tmp_path: Path, entry: str, problem: str) -> None:
    (found,) = problems(tmp_path, _site(DAY, entry) + KEPT, WITH_SERVICES)
    assert found.startswith("site.yaml:7:")
    assert problem in found


def test_a_schedule_must_exist(tmp_path: Path) -> None:
    site = "scheduled:\n  - {schedule: day, close: {category: games}}\n"
    (found,) = problems(tmp_path, site, WITH_SERVICES)
    assert found == "site.yaml:3:6: 'day' is not a schedule of this site (name it under schedules)"


def _two(one: str, other: str, *, whom: str = "") -> str:
    return (
        f"schedules:\n  one: [{one}]\n  other: [{other}]\n"
        "scheduled:\n  - {schedule: one, close: {category: games}}\n"
        f"  - {{schedule: other, open: {{category: games}}{whom}}}\n"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{from: 07:00, to: 08:00}", "{from: 07:59, to: 09:00}"),
        ("{from: 22:00, to: 05:00}", "{from: 04:00, to: 06:00}"),
        ("{days: [t2], from: 22:00, to: 05:00}", "{days: [t3], from: 04:00, to: 06:00}"),
        ("{days: [cn], from: 22:00, to: 05:00}", "{days: [t2], from: 04:00, to: 06:00}"),
        (
            "{from: 07:00, to: 08:00, holidays: on}",
            "{from: 07:00, to: 08:00, first: 2026-09-01, last: 2026-09-03}",
        ),
        ("{from: 07:00, to: 08:00, holidays: off}", "{days: [t5], from: 07:00, to: 08:00}"),
    ],
)
def test_two_that_say_the_opposite_at_once_are_reported(
    tmp_path: Path, one: str, other: str
) -> None:
    (found,) = problems(tmp_path, _two(one, other), WITH_SERVICES)
    assert found == (
        "site.yaml:7:5: 'games' would be both open and closed"
        " (line 6 has the opposite for a part of that time)"
    )


@pytest.mark.parametrize(
    ("one", "other", "whom"),
    [
        ("{from: 07:00, to: 08:00}", "{from: 08:00, to: 09:00}", ""),
        ("{days: [t2], from: 22:00, to: 05:00}", "{days: [t2], from: 04:00, to: 06:00}", ""),
        ("{days: [t2], from: 07:00, to: 08:00}", "{days: [t3], from: 07:00, to: 08:00}", ""),
        ("{from: 07:00, to: 08:00, holidays: on}", "{from: 07:00, to: 08:00, holidays: off}", ""),
        (
            "{from: 07:00, to: 08:00, last: 2027-05-31}",
            "{from: 07:00, to: 08:00, first: 2027-06-01}",
            "",
        ),
        ("{from: 07:00, to: 08:00}", "{from: 07:00, to: 08:00}", ", for: {grade: 9}"),
    ],
)
def test_two_that_never_meet_or_are_for_others_are_right(
    tmp_path: Path, one: str, other: str, whom: str
) -> None:
    assert len(a_policy(tmp_path, _two(one, other, whom=whom), WITH_SERVICES).scheduled) == 2


def test_the_same_twice_is_reported(tmp_path: Path) -> None:
    (found,) = _problems(tmp_path, DAY, "close: {category: games}", "close: {category: games}")
    assert found == "site.yaml:8:5: this occurs twice (first in line 7)"


def test_what_is_compiled_is_what_holds_at_its_edges(tmp_path: Path) -> None:
    windows = "{days: [t2], from: 07:00, to: 07:45, holidays: off}"
    policy = _policy(tmp_path, windows, "close: {category: education}, for: {grade: 9}")
    assert policy_file.parse(policy_file.dump(policy), "policy") == policy
    monday = datetime(2026, 9, 7, 7, tzinfo=ZoneInfo(policy.time_zone)).timestamp()

    def is_closed(at: float) -> bool:
        return "education" in effective_policy.at(policy, Overrides(), at).policy.grades["9"].closed

    lesson_s = 45 * 60
    assert [is_closed(monday + s) for s in (-1, 0, lesson_s - 1, lesson_s)] == [0, 1, 1, 0]


def test_a_schedule_that_does_nothing_is_warned_of(tmp_path: Path) -> None:
    policy = _policy(tmp_path, DAY)
    (found,) = warnings(load_site(tmp_path), policy, NOW)
    assert "the schedule 's' opens and closes nothing" in str(found)
    policy = _policy(tmp_path, DAY, "close: {category: games}")
    assert warnings(load_site(tmp_path), policy, NOW) == ()


@pytest.mark.parametrize(
    ("window", "at", "warned"),
    [
        ("{from: 07:00, to: 08:00, last: 2026-05-31}", "2026-06-01T00:00+07:00", True),
        ("{from: 07:00, to: 08:00, last: 2026-05-31}", "2026-05-31T23:59+07:00", False),
        ("{from: 22:00, to: 05:00, last: 2026-05-31}", "2026-06-01T04:00+07:00", False),
        ("{from: 22:00, to: 05:00, last: 2026-05-31}", "2026-06-02T00:00+07:00", True),
        ("{from: 07:00, to: 08:00}", "2099-01-01T00:00+07:00", False),
    ],
)
def test_a_window_whose_last_day_is_past_is_warned_of(
    tmp_path: Path, window: str, at: str, *, warned: bool
) -> None:
    policy = _policy(tmp_path, f"{DAY}, {window}", "close: {category: games}")
    warned_of = warnings(load_site(tmp_path), policy, datetime.fromisoformat(at).timestamp())
    found = [str(one).removeprefix(f"{tmp_path}/") for one in warned_of]
    assert [one.split(": ", 1)[1] for one in found] == [
        "its last day is past: it never opens (remove it, or name a later day)"
    ] * warned
    column = f"  s: [{DAY}, {window}]".find("last:") + 1
    assert all(one.split(":")[2] == str(column) for one in found)
