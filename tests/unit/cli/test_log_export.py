# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

ROWS: list[dict[str, Any]] = [
    {"period": "2026-10-01", "tier": "", "grade": "", "category": "self-harm", "action": "blocked"},
    {"period": "2026-10", "tier": "primary", "grade": "5", "category": "=cmd", "action": "pass"},
]
TOLD = {"rows": [{**row, "n": 12} for row in ROWS], "left_out": 3, "least_devices": 5}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []

    def ask(_: Path, command: str, **arguments: Any) -> dict[str, Any]:
        assert command == "log export"
        asked.append(arguments)
        return TOLD

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
    assert "3" in done.err


def test_json_lines_have_a_row_each_and_what_is_left_out(
    tmp_path: Path, asked: list[dict[str, Any]]
) -> None:
    out = tmp_path / "totals.jsonl"
    options = "--format", "jsonl", "--days", "7", "--out", out, "--lang", "en"
    done = call("log", "export", *options, "--state", tmp_path)
    assert asked == [{"days": 7}]
    assert (done.code, done.out) == (0, "")
    assert "3 numbers are left out: of fewer than 5 devices" in " ".join(done.err.split())
    *rows, last = map(json.loads, out.read_text().splitlines())
    assert rows == TOLD["rows"]
    assert last == {"left_out": 3, "least_devices": 5}


def test_a_folder_that_is_not_there_is_told_before_anything_is_recorded(
    tmp_path: Path, asked: list[dict[str, Any]]
) -> None:
    done = call("log", "export", "--out", tmp_path / "no" / "x.csv", "--state", tmp_path)
    assert (done.code, asked) == (2, [])
