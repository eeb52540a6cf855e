# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from filterd.i18n import Texts
from filterd.overrides.log_rows import (
    level_rows,
    levels_style,
    levels_told,
    named_rows,
    waiting_rows,
)
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.temporary_rules import LogSetting, Overrides
from filterd.policy.unknown_time import UNKNOWN_LEAD_S
from filterd.rows import SchoolClock, Wording
from tests.support.policies import NOW, a_policy

FULL = LogSetting(7, "primary", "full", "điều tra", "lan", NOW, NOW + 3600, "minh")
WAITING = replace(FULL, id=8, confirmed_by="")
CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), NOW)
WORDING = Wording(Texts("en"), CLOCK)


def _state(now: float = NOW) -> EffectiveState:
    policy = replace(a_policy(), log=QueryLog(tiers={"staff": LogLevel.NAMES}))
    overrides = Overrides(log_settings=(FULL, WAITING))
    return EffectiveState(policy, overrides, at(policy, overrides, now), CLOCK)


def test_each_tier_has_its_level_that_of_the_files_and_the_setting() -> None:
    rows = {one["tier"]: one for one in level_rows(_state())}
    assert (rows["primary"]["level"], rows["primary"]["files"]) == ("full", "counts")
    assert rows["primary"]["setting"]["confirmed_by"] == "minh"
    assert (rows["staff"]["level"], rows["staff"]["setting"]) == ("names", None)
    assert [one["tier"] for one in named_rows(list(rows.values()))] == ["primary", "staff"]
    assert [one["id"] for one in waiting_rows(_state())] == [8]


def test_a_status_has_full_with_its_end_and_both_people_and_what_waits() -> None:
    day = {"log_levels": named_rows(level_rows(_state())), "log_waiting": waiting_rows(_state())}
    full, staff, waits = levels_told(day, WORDING).splitlines()
    assert full.startswith("primary: full until ")
    assert full.endswith("(set by lan, confirmed by minh)")
    assert staff == "staff: names"
    assert waits.endswith("to confirm it: filterd log confirm 8")
    assert "(set by lan)" in waits
    assert levels_style(day) == "yellow"


def test_a_status_of_totals_only_has_no_line_and_names_no_colour() -> None:
    assert (levels_told({}, WORDING), levels_style({})) == ("", "")
    names = {"log_levels": [one for one in level_rows(_state()) if one["tier"] == "staff"]}
    assert levels_style(names) == ""


def test_at_an_unknown_time_a_setting_that_does_not_hold_is_not_shown_as_holding() -> None:
    rows = {one["tier"]: one for one in level_rows(_state(UNKNOWN_LEAD_S))}
    assert (rows["primary"]["level"], rows["primary"]["setting"]) == ("counts", None)
