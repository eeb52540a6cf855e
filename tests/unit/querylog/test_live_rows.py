# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.querylog.live_rows."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from filterd.i18n import Texts
from filterd.policy.log_levels import LogLevel
from filterd.querylog.live_rows import SHOWN, levels_shown
from filterd.rows import SchoolClock, Wording

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))


def test_each_level_has_a_sentence_in_both_languages() -> None:
    assert list(SHOWN) == [one.value for one in LogLevel]
    assert all(Texts("vi")(one) != Texts("en")(one) for one in SHOWN.values())


def test_tiers_are_named_where_they_differ() -> None:
    same = levels_shown({"primary": "counts", "staff": "counts"}, BY, shows_rows=True)
    differ = levels_shown({"primary": "counts", "staff": "full"}, BY, shows_rows=True)

    assert list(same) == ["log level counts: numbers by grade; names are not kept at this level"]
    assert [one.rpartition(" (")[2] for one in differ] == ["primary)", "staff)"]


def test_who_may_not_read_lookups_is_told_so() -> None:
    (line,) = levels_shown({"primary": "full"}, BY, shows_rows=False)

    assert "administrators only" in line
