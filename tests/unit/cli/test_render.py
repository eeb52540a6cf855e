# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from filterd.cli.render import details, facts, grid, table, titled
from filterd.texts.counted import number
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import Column, Details, SchoolClock, Wording


def _drawn(table: Any, width: int = 80) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, width=width, markup=False, emoji=False, highlight=False)
    console.print(table)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_facts_leave_out_what_has_no_value() -> None:
    assert _drawn(facts([("a", "1"), ("b", None), ("c", ""), ("d", 0)])) == ["a  1", "d  0"]


def test_details_are_drawn_below_their_title_without_empty_values() -> None:
    wording = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))
    columns = (Column(say("Name"), "a"), Column(say("Why"), "b"), Column(say("Set"), "a", each="c"))
    row = {"a": "x", "b": None, "c": [{"a": 1}, {"a": 2}]}
    assert _drawn(details(wording, Details(columns), row)) == ["Name  x", "Set   1", "Set   2"]
    titled_ = Details(columns[:1], lambda row, _: f"Of {row['a']}")
    assert _drawn(details(wording, titled_, row)) == ["Of x", "Name  x"]


def test_a_title_is_not_broken_by_a_narrow_table() -> None:
    drawn = titled("A title that is longer", facts([("a", "1")]))
    assert _drawn(drawn) == ["A title that is longer", "a  1"]


@pytest.mark.parametrize("width", [80, 60, 50])
def test_a_narrow_table_keeps_ids_and_numbers_and_breaks_no_word(width: int) -> None:
    columns = [("List", False), ("Category", False), ("Kept", True), ("Redundant", True)]
    drawn = grid(columns)
    drawn.add_row("a-list-with-a-long-name", "alcohol-tobacco", "1000000", "1000000")
    lines = _drawn(drawn, width)
    assert len(lines) == 5, lines
    assert max(map(len, lines)) <= width
    row = lines[3].split()
    assert (row[0], row[-2:]) == ("a-list-with-a-long-name", ["1000000", "1000000"])
    assert row[1] == "alcohol-tobacco" or row[1].endswith("…")


def test_long_values_are_broken_over_lines_rather_than_cut() -> None:
    name = "www.a-very-long-name-of-a-school.edu.example"
    for whole in (True, False):
        drawn = grid([("No.", True), ("What", False), ("Reason", False)], whole=whole)
        drawn.add_row("12", name, "Because of a lesson")
        lines = _drawn(drawn, 50)
        names = "".join(line[5:].split("  ")[0] for line in lines[3:])
        assert (name in names.replace(" ", "")) == whole


NAME = "bai-giang-dien-tu.sach-giao-khoa.example.edu.vn"
REASON = "Bài giảng môn Khoa học tự nhiên lớp 7, cô Hoa"
WHOLE = f" allow {NAME} grade 7 {REASON} "


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_words_stay_whole_and_long_names_go_on_behind_a_dot(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    columns = [Column(say("What"), "what"), Column(say("For"), "for"), Column(say("Reason"), "why")]
    wording = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))
    row = {"what": f"allow {NAME}", "for": "grade 7", "why": REASON}
    lines = _drawn(table(wording, columns, [row]), width)
    assert max(map(len, lines)) <= width
    for word in " ".join(lines[3:]).split():
        assert re.search(rf"[ .]{re.escape(word)}( |(?<=\.))", WHOLE), word


def test_a_long_id_is_cut_before_a_number_is() -> None:
    drawn = grid([("List", False), ("Category", False), *[("Not taken", True)] * 4])
    drawn.add_row("publisher-" * 6, "alcohol-tobacco", *["1000000"] * 4)
    row = _drawn(drawn, 80)[3].split()
    assert row[0].endswith("…")
    assert row[-4:] == ["1000000"] * 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1\u202f000"), (5_000_000, "5\u202f000\u202f000")],
)
def test_numbers_are_grouped_as_both_languages_read_them(value: int, text: str) -> None:
    assert number(value) == text
