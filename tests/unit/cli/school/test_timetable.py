# SPDX-License-Identifier: Apache-2.0
"""A timetable is imported from a table, written as one, and compared with one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.config.week_schema import TIMETABLE_FILE
from tests.support.commands import call
from tests.support.daemon import write_site
from tests.support.fake_daemon import ROOM

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

CLASSES = "classes: {6A: {grade: 6, teachers: [lan]}, 9B: {grade: 9}}\n"
TABLE = "Thứ,Tiết,Phòng,Lớp,Giáo viên\nThứ 2,1,lab-a,6A,lan\n,2,lab-a,9B,\nThứ 3,1,lab-a,9B,\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", port=5353, more=ROOM + CLASSES)


@pytest.fixture
def options(site: Path, quiet: StateFolder) -> list[str]:
    return ["--config", str(site), "--state", str(quiet.folder), "--lang", "en"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_is_compared_imported_and_written(
    site: Path, options: list[str], tmp_path: Path, kind: str
) -> None:
    table = tmp_path / "tkb.csv"
    table.write_text(TABLE, encoding="utf-8")
    compared = call("timetable", "diff", str(table), *options)
    assert compared.code == 1
    assert "t2 tiet-1 lab-a 6A lan" in " ".join(compared.out.split())
    done = call("timetable", "import", str(table), "--yes", *options)
    assert done.code == 0, done.err
    assert "3 lessons, 1 room." in done.out
    assert call("timetable", "diff", str(table), *options).code == 0
    assert call("policy", "validate", *options).code == 0
    out = tmp_path / f"out.{kind}"
    assert call("timetable", "export", str(out), *options).code == 0
    assert call("timetable", "diff", str(out), "--json", *options).out.strip() == "[]"
    rows = json.loads(call("timetable", "export", "--json", *options).out)
    assert rows[0] == {
        "day": "t2",
        "lesson": "tiet-1",
        "room": "lab-a",
        "class": "6A",
        "teacher": "lan",
    }
    assert (site / TIMETABLE_FILE).read_text(encoding="utf-8").startswith("# Written by")


def test_a_table_with_mistakes_changes_nothing(
    site: Path, options: list[str], tmp_path: Path
) -> None:
    table = tmp_path / "tkb.csv"
    table.write_text(TABLE + "Thứ 4,1,lab-z,6A,\nThứ 4,9,lab-a,6A,\n", encoding="utf-8")
    done = call("timetable", "import", str(table), *options)
    assert done.code == 2
    assert done.error_lines == [
        f"filterd: {table}:5:3: 'lab-z' is not a room (did you mean 'lab-a'?)",
        f"filterd: {table}:6:2: '9' is not a lesson of this site (known: tiet-1, tiet-2, tiet-3)",
    ]
    assert not (site / TIMETABLE_FILE).exists()


def test_a_file_that_is_not_there_is_reported(options: list[str], tmp_path: Path) -> None:
    done = call("timetable", "import", str(tmp_path / "no.xlsx"), *options)
    assert (done.code, len(done.error_lines)) == (2, 1)


def test_cells_that_are_left_out_are_reported_without_what_moves_the_cursor(
    options: list[str], tmp_path: Path
) -> None:
    table = tmp_path / "tkb.csv"
    table.write_text("Thứ;Tiết;6A;9B\n2;1;To\x1b[31mán;lab-a\n", encoding="utf-8")
    done = call("timetable", "import", str(table), "--yes", *options)
    assert done.code == 0, done.err
    assert "left out: 1, such as" in done.err
    assert "\x1b" not in done.err


def test_what_each_network_will_have_is_shown_before_anything_is_written(
    site: Path, options: list[str], tmp_path: Path
) -> None:
    table = tmp_path / "tkb.csv"
    table.write_text("Thứ,Tiết,Phòng,Lớp\n2,1,lab-a,9B\n", encoding="utf-8")
    asked = call("timetable", "import", str(table), *options)
    assert (asked.code, asked.error_lines) == (
        2,
        ["filterd: this is not a terminal, so no question can be asked (give --yes)"],
    )
    shown = " ".join(asked.out.split())
    assert "lab-a 9B 6 (age 11) 9 (age 14) opens for older pupils" in shown
    assert not (site / TIMETABLE_FILE).exists()


def test_an_import_that_is_not_wanted_writes_nothing(
    site: Path, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "tkb.csv"
    table.write_text(TABLE, encoding="utf-8")
    monkeypatch.setattr("filterd.cli.school.timetable.agreed", lambda *_, **__: False)
    assert call("timetable", "import", str(table), *options).code == 1
    assert not (site / TIMETABLE_FILE).exists()


def test_a_room_of_the_import_before_has_again_what_the_site_says(
    site: Path, options: list[str], tmp_path: Path
) -> None:
    (site / TIMETABLE_FILE).write_text("library: {t2: {tiet-1: 9B}}\n", encoding="utf-8")
    warned = call("policy", "validate", *options)
    assert "timetable.yaml:1:1: 'library' is not declared as a room" in warned.out + warned.err
    table = tmp_path / "tkb.csv"
    table.write_text(TABLE, encoding="utf-8")
    done = call("timetable", "import", str(table), "--yes", "--json", *options)
    changes = {one["network"]: one for one in json.loads(done.out)["changes"]}
    assert changes["library"]["classes"] == ["8"]
    assert changes["library"]["youngest_before"] == "9"


def test_a_room_that_no_filter_concerns_is_left_out_if_it_is_named(
    options: list[str], tmp_path: Path
) -> None:
    table = tmp_path / "tkb.csv"
    table.write_text("Thứ;Tiết;6A;9B\n2;1;Lý - P. Lý;lab-a\n", encoding="utf-8")
    refused = call("timetable", "import", str(table), "--yes", *options)
    assert refused.error_lines == [f"filterd: {table}:2:3: 'P. Lý' is not a room (known: lab-a)"]
    left = "--other-room", "P. Lý"
    assert call("timetable", "import", str(table), "--yes", *left, *options).code == 0
    assert call("timetable", "diff", str(table), *left, *options).code == 0
