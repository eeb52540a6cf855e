# SPDX-License-Identifier: Apache-2.0
"""Columns word the values of plain rows; what a spreadsheet takes from CSV is text."""

from __future__ import annotations

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.texts.i18n import Texts, say
from filterd.texts.rows import Column, Listing, SchoolClock, Wording, guarded, to_csv, when
from filterd.texts.words import ACCESS
from tests.support.fake_daemon import MONDAY_AT_8

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8)
HEADING = say("State")


@pytest.mark.parametrize(
    ("column", "row", "english", "vietnamese"),
    [
        (Column(HEADING, "a"), {"a": 5}, "5", "5"),
        (Column(HEADING, "a"), {"a": None}, "", ""),
        (Column(HEADING, "a"), {"a": "category"}, "category", "category"),
        (Column(HEADING, "a"), {"a": say("category")}, "category", "nhóm"),
        (Column(HEADING, "a", ACCESS), {"a": "locked"}, "locked", "khóa"),
        (Column(HEADING, "a", ACCESS), {"a": "of a later release"}, *["of a later release"] * 2),
        (Column(HEADING, "a", when), {"a": MONDAY_AT_8 + 60}, "08:01", "08:01"),
        (Column(HEADING, worded=lambda row, _: row["a"] + row["b"]), {"a": 1, "b": 2}, "3", "3"),
    ],
)
def test_a_value_is_worded(
    column: Column, row: dict[str, Any], english: str, vietnamese: str
) -> None:
    assert column.cell(row, Wording(Texts("en"), CLOCK)) == (english, "")
    assert column.cell(row, Wording(Texts("vi"), CLOCK)) == (vietnamese, "")


@pytest.mark.parametrize(("value", "style"), [("open", "green"), ("closed", "")])
def test_a_value_may_have_a_style_of_its_own(value: str, style: str) -> None:
    column = Column(HEADING, "a", ACCESS, style={"open": "green"})
    assert column.cell({"a": value}, Wording(Texts("en"), CLOCK)) == (value, style)


def test_a_style_may_follow_from_the_value() -> None:
    column = Column(HEADING, "a", style=lambda value: "red" if value else "")
    assert column.cell({"a": 1}, Wording(Texts("en"), CLOCK)) == ("1", "red")


def test_rows_within_a_row_have_a_line_each() -> None:
    wording, row = Wording(Texts("en"), CLOCK), {"a": "x", "b": [{"a": 1}, {"a": 2}]}
    assert Column(HEADING, "a").cells(row, wording) == [("x", "")]
    assert Column(HEADING, "a", each="b").cells(row, wording) == [("1", ""), ("2", "")]


def test_a_column_can_be_left_out() -> None:
    listing = Listing(HEADING, HEADING, (Column(HEADING, "a"), Column(HEADING, "b")))
    assert [column.key for column in listing.without("a").columns] == ["b"]


def test_lines_end_and_cells_are_quoted_as_in_rfc_4180() -> None:
    assert to_csv([["a", 'Phòng "1"'], ["x\ny", 2]]) == 'a,"Phòng ""1"""\r\n"x\ny",2\r\n'.encode()


BEFORE = ("", "\t", "\r", "\n", " ", "\xa0", "\ufeff", "\u200b", "\u3000", "\u2060", "\x00",
          "\u2800", "\ufe0f", "\xad", " \u200b\n")  # fmt: skip
"""What is not seen before a formula: LF, space, NBSP, BOM, ZWSP and others."""
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""Usual, wide and small ones."""


def test_a_guarded_cell_is_no_formula_and_different_cells_stay_different() -> None:
    formulas = [f"{before}{sign}1" for before in BEFORE for sign in SIGNS]
    others = ["1", "", "'=1", "''=1", "'", "6A", "a=1", "Trường =1", " 6A", "\u200b"]
    shown = [guarded(one) for one in (*formulas, *others)]
    assert len(set(shown)) == len(shown)
    assert all(one.startswith("'") for one in shown[: len(formulas)])
    untouched = [one for one in others if not one.startswith("'")]
    assert [guarded(one) for one in untouched] == untouched


def test_control_a_cell_that_is_not_guarded_is_a_formula() -> None:
    (row,) = csv.reader(io.StringIO(to_csv([["=1+1"]]).decode()))
    assert row == ["=1+1"]
