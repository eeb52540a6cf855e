# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.cli.log import log_export
from filterd.texts.i18n import say, to_plain
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

ROWS: list[dict[str, Any]] = [
    {"period": "2026-10-01", "tier": "", "grade": "", "category": "self-harm", "action": "blocked"},
    {"period": "2026-10", "tier": "primary", "grade": "5", "category": "=cmd", "action": "pass"},
]
EXPORTED = {"rows": [{**row, "n": 12} for row in ROWS], "left_out": True, "least_devices": 5}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []

    def ask(_: Path, command: str, **arguments: Any) -> dict[str, Any]:
        assert command == "log export"
        asked.append(arguments)
        return EXPORTED

    monkeypatch.setattr(control, "ask", ask)
    return asked


@pytest.mark.parametrize(("lang", "heading"), [("vi", "Cấp tuổi"), ("en", "Tier")])
def test_csv_has_headings_in_the_language_and_no_formula(
    tmp_path: Path, asked: list[dict[str, Any]], lang: str, heading: str
) -> None:
    done = call("log", "export", "--month", "2026-10", "--lang", lang, "--state", tmp_path)
    head, school, grade = csv.reader(done.out.splitlines())
    assert asked == [{"month": "2026-10"}]
    assert (head[1], len(head)) == (heading, 6)
    assert school[2:] == ["", "self-harm", "blocked", "12"]
    assert school[1].startswith("(")
    assert grade == ["2026-10", "primary", "5", "'=cmd", "pass", "12"]
    assert done.err.strip()


def test_json_lines_have_a_row_each_and_what_is_left_out(
    tmp_path: Path, asked: list[dict[str, Any]]
) -> None:
    out = tmp_path / "totals.jsonl"
    options = "--format", "jsonl", "--days", "7", "--out", out, "--lang", "en"
    done = call("log", "export", *options, "--state", tmp_path)
    assert asked == [{"days": 7}]
    assert (done.code, done.out) == (0, "")
    assert "Numbers are left out: of fewer than 5 devices" in " ".join(done.err.split())
    *rows, last = map(json.loads, out.read_text().splitlines())
    assert rows == EXPORTED["rows"]
    assert last == {"left_out": True, "least_devices": 5}


NAME = {"day": "2026-11-28", "name": "-a.vn", "tier": "primary", "category": "", "devices": 5}
LOOKUP = {"at": 0, "name": "b.vn", "grade": "5", "class": "5A", "network": "lab", "n": 1}
LOOKUP |= {"category": "", "blocker": "", "device": 7}


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand for a daemon with two pages of names and of rows."""
    asked: list[dict[str, Any]] = []

    def ask(_: Path, command: str, **arguments: Any) -> dict[str, Any]:
        if command not in {"log names", "log search"}:
            raise ControlError(say("the daemon is not running"))
        asked.append(arguments)
        is_first = len(asked) == 1
        row = {**(NAME if command == "log names" else LOOKUP), "action": "pass"}
        why = {"day": "2026-11-27", "sentence": to_plain(say("it is damaged"))}
        pages = {"more": is_first, "cursor": "c1" if is_first else ""}
        return {"rows": [row], "skipped": [why] if is_first else [], **pages}

    monkeypatch.setattr(control, "ask", ask)
    return asked


def test_names_come_page_by_page_and_the_first_line_keeps_them_in_the_school(
    tmp_path: Path, inside: list[dict[str, Any]]
) -> None:
    out = tmp_path / "names.csv"
    options = "--what", "names", "--out", out, "--lang", "en"
    done = call("log", "export", *options, "--state", tmp_path)
    assert (done.code, done.err) == (0, f"2026-11-27: it is damaged\n{out}: 2 rows\n")
    assert [one["page"] for one in inside] == [1, 2]
    notice, head, *rows = csv.reader(out.read_text().splitlines())
    assert "must not leave the school" in notice[0]
    assert head[:3] == ["Day", "Name", "Tier"]
    assert rows == [["2026-11-28", "'-a.vn", "primary", "", "pass", "5"]] * 2
    assert out.stat().st_mode & 0o777 == 0o600


def test_rows_follow_the_cursor(tmp_path: Path, inside: list[dict[str, Any]]) -> None:
    options = "--what", "rows", "--days", "2", "--format", "jsonl", "--lang", "en"
    done = call("log", "export", *options, "--state", tmp_path)
    assert [one.get("after") for one in inside] == [None, "c1"]
    notice, *rows = map(json.loads, done.out.splitlines())
    assert "must not leave the school" in notice["notice"]
    assert [row["name"] for row in rows] == ["b.vn"] * 2


def test_rows_are_bounded_and_only_totals_have_months(
    tmp_path: Path, inside: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_export, "MOST_ROWS", 1)
    for options in (("--days", "2"), ("--month", "2026-10")):
        done = call("log", "export", "--what", "rows", *options, "--state", tmp_path)
        assert (done.code, done.out) == (2, "")
    assert len(inside) == 2


def test_a_folder_that_is_not_there_is_reported_before_anything_is_recorded(
    tmp_path: Path, asked: list[dict[str, Any]]
) -> None:
    done = call("log", "export", "--out", tmp_path / "no" / "x.csv", "--state", tmp_path)
    assert (done.code, asked) == (2, [])
