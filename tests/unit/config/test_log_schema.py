# SPDX-License-Identifier: Apache-2.0
"""The key ``log`` of a site: levels, days, and the least number of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.log_levels import LogLevel, QueryLog
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


def test_a_site_without_the_key_has_totals_only(tmp_path: Path) -> None:
    assert a_policy(tmp_path).log == QueryLog(LogLevel.COUNTS, {}, 30, 400, 5)


def test_a_tier_may_have_another_level_than_the_others(tmp_path: Path) -> None:
    text = "log: {level: off, tiers: {staff: blocked}, keep_days: 7, least_devices: 9}\n"
    assert a_policy(tmp_path, text).log == QueryLog(
        LogLevel.OFF, {"staff": LogLevel.BLOCKED}, 7, 400, 9
    )


@pytest.mark.parametrize("where", ["level: full", "tiers: {primary: full}"])
def test_full_is_refused_with_the_command_that_sets_it(tmp_path: Path, where: str) -> None:
    (problem,) = problems(tmp_path, f"log: {{{where}}}\n")
    assert "filterd log level full --tier TIER --for 3d" in problem


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("level: name", "did you mean 'names'?"),
        ("tiers: {primry: names}", "did you mean 'primary'?"),
        ("tiers: {6A: names}", "6A"),
        ("keep_days: 0", "must be 1 or more"),
        ("keep_days: 91", "must be 90 or less"),
        ("keep_totals_days: 30", "must be 31 or more"),
        ("least_devices: 4", "must be 5 or more"),
    ],
)
def test_another_value_is_refused(tmp_path: Path, where: str, problem: str) -> None:
    assert problem in problems(tmp_path, f"log: {{{where}}}\n")[0]
