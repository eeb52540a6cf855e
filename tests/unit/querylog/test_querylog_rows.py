# SPDX-License-Identifier: Apache-2.0
"""Totals are summed up by day, by grade, and the blocks by category."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from filterd.policy.log_levels import LogLevel
from filterd.querylog.querylog_rows import KNOWN, SHOWN, known, levels_shown, summaries
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.looked_log import ZONE

WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


def _row(date: str, grade: str, category: str, action: str, n: int) -> dict[str, Any]:
    return {"date": date, "grade": grade, "category": category, "action": action, "n": n}


ROWS = [
    _row("2026-11-24", "10", "games", "blocked", 7),
    _row("2026-11-24", "6", "", "pass", 12_345),
    _row("2026-11-23", "staff", "", "blocked", 1),
    _row("2026-11-23", "6", "games", "blocked", 3),
]


def _cells(rows: list[dict[str, Any]]) -> list[list[list[str]]]:
    return [
        [[column.cell(row, WORDING)[0] for column in listing.columns] for row in found]
        for listing, found in summaries(rows, 2)
    ]


def test_sums_are_by_day_by_grade_and_blocks_by_category() -> None:
    assert _cells(ROWS) == [
        [["2026-11-23", "0", "4"], ["2026-11-24", "12\u202f345", "7"]],
        [["6", "12\u202f345", "3"], ["10", "0", "7"], ["staff", "0", "1"]],
        [["games", "10"], ["(other blocks)", "1"]],
    ]


def test_the_title_has_the_days_and_headings_are_of_what_occurred() -> None:
    (by_day, _), *_ = summaries(ROWS, 2)
    assert by_day.title == "Answers of 2 days"
    assert [column.heading for column in by_day.columns] == ["Day", "passed", "blocked"]


def test_classes_are_shown_where_they_were_counted() -> None:
    rows = [{**row, "class": "10A1" if row["grade"] == "10" else ""} for row in ROWS]
    assert _cells(rows)[2] == [["10A1", "7"]]


def test_hours_and_networks_are_shown_where_they_were_counted_and_the_whole_school() -> None:
    rows = [{**row, "hour": 1_764_550_800, "network": "lab"} for row in ROWS]
    rows[0] |= {"grade": "", "category": "self-harm"}
    cells = _cells(rows)
    assert cells[1] == [["08:00 01/12", "12\u202f345", "11"]]
    assert ["(whole school)", "0", "7"] in cells[2]
    assert cells[3] == [["lab", "12\u202f345", "11"]]


def test_without_blocks_there_is_no_table_of_them() -> None:
    assert len(_cells(ROWS[1:2])) == 2


CLOCK = SchoolClock(ZONE, 0.0)


def test_each_level_has_a_sentence_in_the_order_of_levels() -> None:
    assert list(KNOWN) == [level.value for level in LogLevel]


def test_tiers_of_one_level_share_a_sentence() -> None:
    levels = {"primary": "counts", "staff": "off", "guest": "counts"}
    cells = list(known(levels, 5, Wording(Texts("en"), CLOCK)))
    assert cells == [
        "staff: nothing is recorded (level off)",
        "primary, guest: numbers only, no names (level counts)",
    ]
    vietnamese = " ".join(known(levels, 5, Wording(Texts("vi"), CLOCK)))
    assert "tiểu học" in vietnamese
    assert "chỉ có con số" in vietnamese


BY = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))


def test_each_level_has_a_sentence_in_both_languages() -> None:
    assert list(SHOWN) == [one.value for one in LogLevel]
    assert all(Texts("vi")(one) != Texts("en")(one) for one in SHOWN.values())


def test_tiers_are_named_where_they_differ() -> None:
    same = levels_shown({"primary": "counts", "staff": "counts"}, BY, shows_rows=True)
    differ = levels_shown({"primary": "counts", "staff": "full"}, BY, shows_rows=True)

    assert list(same) == ["log level counts: numbers by hour; names are not kept at this level"]
    assert [one.rpartition(" (")[2] for one in differ] == ["primary)", "staff)"]


def test_without_the_right_to_read_lookups_the_page_explains_so() -> None:
    (line,) = levels_shown({"primary": "full"}, BY, shows_rows=False)

    assert "administrators only" in line
