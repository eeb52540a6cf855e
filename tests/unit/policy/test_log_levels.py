# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from filterd.policy.log_levels import (
    LONGEST_FULL_S,
    LogLevel,
    QueryLog,
    at_unknown_time,
    highest,
    level_of,
    levels,
)
from filterd.policy.temporary_rules import LogSetting, Overrides
from tests.support.policies import a_policy

NAMES = QueryLog(tiers={"staff": LogLevel.OFF, "upper-secondary": LogLevel.NAMES})
FULL = LogSetting(2, "primary", "full", "điều tra", "lan", 100.0, 200.0, "minh")


def test_the_files_set_a_level_for_a_tier_and_for_all_others() -> None:
    found = levels(replace(a_policy(), log=NAMES), Overrides(), 0.0)
    assert {tier: one.level.value for tier, one in found.items() if one.level != "counts"} == {
        "staff": "off",
        "upper-secondary": "names",
    }


@pytest.mark.parametrize(
    ("now", "level"), [(99.0, "counts"), (100.0, "full"), (199.0, "full"), (200.0, "counts")]
)
def test_a_setting_holds_from_its_begin_to_its_end(now: float, level: str) -> None:
    found = level_of(a_policy(), Overrides(log_settings=(FULL,)), "primary", now)
    assert found.level.value == level


def test_full_does_not_hold_before_a_second_person_confirms_it() -> None:
    wish = Overrides(log_settings=(replace(FULL, confirmed_by=""),))
    assert level_of(a_policy(), wish, "primary", 150.0).level is LogLevel.COUNTS


@pytest.mark.parametrize("ends_at", [None, 101.0 + LONGEST_FULL_S])
def test_full_holds_for_a_week_at_most_whatever_the_file_contains(ends_at: float | None) -> None:
    long = Overrides(log_settings=(replace(FULL, ends_at=ends_at),))
    assert level_of(a_policy(), long, "primary", 150.0).level is LogLevel.COUNTS
    week = Overrides(log_settings=(replace(FULL, ends_at=100.0 + LONGEST_FULL_S),))
    assert level_of(a_policy(), week, "primary", 150.0).level is LogLevel.FULL


def test_the_newest_setting_counts_and_one_without_a_tier_is_for_all() -> None:
    off = LogSetting(3, "", "off", "hè", "lan", 120.0)
    set_now = Overrides(log_settings=(off, FULL))
    assert level_of(a_policy(), set_now, "primary", 150.0) == (LogLevel.OFF, off)
    assert level_of(a_policy(), set_now, "staff", 150.0).level is LogLevel.OFF


def test_the_highest_level_of_some_tiers() -> None:
    assert highest([LogLevel.OFF, LogLevel.COUNTS]) is LogLevel.COUNTS


def test_a_setting_without_an_end_never_raises_the_level() -> None:
    policy, names = a_policy(), LogSetting(1, "", "names", "thử", "lan", 0.0)
    overrides = Overrides(log_settings=(names,))
    assert level_of(policy, overrides, "primary", 150.0) == (LogLevel.COUNTS, None)
    ends = Overrides(log_settings=(replace(names, ends_at=200.0),))
    assert level_of(policy, ends, "primary", 150.0).level is LogLevel.NAMES


def test_each_level_includes_those_before_it() -> None:
    assert LogLevel.BLOCKED.includes(LogLevel.NAMES)
    assert LogLevel.NAMES.includes(LogLevel.NAMES)
    assert not LogLevel.NAMES.includes(LogLevel.BLOCKED)


@pytest.mark.parametrize(
    ("ends_at", "floor", "level"),
    [(None, 0.0, "off"), (50.0, 49.0, "off"), (50.0, 50.0, "names")],
)
def test_at_an_unknown_time_a_tier_has_the_least_level_that_it_may_have(
    ends_at: float | None, floor: float, level: str
) -> None:
    off = LogSetting(1, "upper-secondary", "off", "hè", "lan", 10.0, ends_at)
    set_now = Overrides(log_settings=(off, FULL))
    found = at_unknown_time(replace(a_policy(), log=NAMES), set_now, floor)
    assert found.level_of("upper-secondary").value == level
    assert found.level_of("primary").value == "counts"  # and not full
