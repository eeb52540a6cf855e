# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import unicodedata
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from filterd.cli.render import explanation_table, facts, grid, number, titled
from filterd.cli.time_options import SchoolClock
from filterd.i18n import Texts

BLOCKED: dict[str, Any] = {
    "qname": "www.tiktok.com",
    "qtype": "A",
    "client": "10.0.3.7",
    "mac": "00:00:5e:00:53:02",
    "network": "lop-3",
    "grade": "3",
    "tier": "primary",
    "action": "nxdomain",
    "reason": "category",
    "matched": "tiktok.com",
    "category": "social-media",
    "list": "starter-social-media",
    "entry": "tiktok.com",
    "line": 43,
    "note": None,
    "valid_until": None,
    "rewritten_to": None,
    "next_match": None,
    "source": "daemon",
}

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 1_796_120_000)


def _drawn(table: Any, width: int = 80) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, width=width, markup=False, emoji=False, highlight=False)
    console.print(table)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_a_decision_is_told_from_the_name_to_the_source() -> None:
    lines = _drawn(explanation_table(Texts("en"), BLOCKED, CLOCK))
    headings = [line.split("  ")[0] for line in lines]
    assert headings[:4] == ["Question", "Answer", "Because", "Category"]
    assert headings[-1] == "Asked"


def test_vietnamese_headings_are_aligned() -> None:
    lines = _drawn(explanation_table(Texts("vi"), BLOCKED, CLOCK))
    assert "Danh sách             starter-social-media, dòng 43" in lines
    assert "Trả lời               BỊ CHẶN (nxdomain)" in lines
    starts = {len(line) - len(line[20:].lstrip()) for line in lines}
    assert starts == {22}
    assert all(unicodedata.is_normalized("NFC", line) for line in lines)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"action": "pass", "reason": "not-listed", "entry": None}, "PASSES (pass)"),
        ({"action": "rewrite", "reason": "rewritten"}, "PASSES (rewrite)"),
        ({"rewritten_to": "forcesafesearch.google.com"}, "forcesafesearch.google.com"),
        ({"network": None}, "unknown"),
        ({}, "00:00:5e:00:53:02"),
        ({"mac": "02:00:5e:10:00:01"}, "02:00:5e:10:00:01 (of the device's own making"),
        ({}, "no other rule: passes"),
        (
            {"next_match": {"reason": "local", "blocks": True, "category": None, "list": None}},
            "still blocked: the school's own rule",
        ),
        (
            {"next_match": {"reason": "open", "blocks": False, "category": "games", "list": "g"}},
            "passes: a category open to this grade, games, g",
        ),
        ({"note": "[vì thế]"}, "[vì thế]"),
        ({"valid_until": "2026-12-01T12:30:00+00:00"}, "19:30"),
    ],
)
def test_what_there_is_to_say_is_said(change: dict[str, Any], words: str) -> None:
    lines = _drawn(explanation_table(Texts("en"), {**BLOCKED, **change}, CLOCK))
    assert any(line.endswith(words) or words in line for line in lines)


def test_what_there_is_not_is_left_out() -> None:
    told = {
        **BLOCKED,
        "client": None,
        "mac": None,
        "network": None,
        "category": None,
        "list": None,
        "entry": None,
        "matched": None,
    }
    text = "\n".join(_drawn(explanation_table(Texts("en"), told, CLOCK)))
    assert "unknown" not in text  # it is about a grade, and no device asked
    for heading in (
        "MAC",
        "Network",
        "Category",
        "List",
        "Entry",
        "Matched",
        "Note",
        "Valid until",
        "Without it",
    ):
        assert heading not in text


def test_facts_leave_out_what_has_no_value() -> None:
    assert _drawn(facts([("a", "1"), ("b", None), ("c", ""), ("d", 0)])) == ["a  1", "d  0"]


def test_a_title_is_not_broken_by_a_narrow_table() -> None:
    table = titled("A title that is longer", facts([("a", "1")]))
    assert _drawn(table) == ["A title that is longer", "a  1"]


@pytest.mark.parametrize("width", [80, 60, 50])
def test_a_narrow_table_keeps_ids_and_numbers_and_breaks_no_word(width: int) -> None:
    columns = [("List", False), ("Category", False), ("Kept", True), ("Redundant", True)]
    table = grid(columns)
    table.add_row("a-list-with-a-long-name", "alcohol-tobacco", "1000000", "1000000")
    lines = _drawn(table, width)
    assert len(lines) == 5, lines
    assert max(map(len, lines)) <= width
    row = lines[3].split()
    assert (row[0], row[-2:]) == ("a-list-with-a-long-name", ["1000000", "1000000"])
    assert row[1] == "alcohol-tobacco" or row[1].endswith("…")


def test_what_somebody_set_is_broken_over_lines_rather_than_cut() -> None:
    name = "www.a-very-long-name-of-a-school.edu.example"
    for whole in (True, False):
        table = grid([("No.", True), ("What", False), ("Reason", False)], whole=whole)
        table.add_row("12", name, "Because of a lesson")
        lines = _drawn(table, 50)
        told = "".join(line[5:].split("  ")[0] for line in lines[3:])
        assert (name in told.replace(" ", "")) == whole


def test_a_long_id_is_cut_before_a_number_is() -> None:
    table = grid([("List", False), ("Category", False), *[("Not taken", True)] * 4])
    table.add_row("publisher-" * 6, "alcohol-tobacco", *["1000000"] * 4)
    row = _drawn(table, 80)[3].split()
    assert row[0].endswith("…")
    assert row[-4:] == ["1000000"] * 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1\u202f000"), (5_000_000, "5\u202f000\u202f000")],
)
def test_numbers_are_grouped_as_both_languages_read_them(value: int, text: str) -> None:
    assert number(value) == text
