# SPDX-License-Identifier: Apache-2.0
"""Timetables are read from tables: a row for each lesson, or a grid."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.cli import spreadsheet
from filterd.config.timetable_rows import ReadTimetables, differences, parse
from filterd.policy.model import Lesson, Network, Period, Policy
from filterd.policy.school_week import LESSON_HEADING, lesson_rows
from tests.support.week import timetabled, with_classes

if TYPE_CHECKING:
    from pathlib import Path


LESSONS = tuple(
    Lesson(one, 25_200 + 3_600 * place, 27_900 + 3_600 * place)
    for place, one in enumerate(("tiet-1", "tiet-2", "ra-choi", "tiet-10"))
)
LAB_B = Network("lab-b", "6", room=True)
ROOMS = "lab", "lab-b"


def _school() -> Policy:
    policy = with_classes(timetabled("6A", "9B"))
    return replace(policy, lessons=LESSONS, networks=(*policy.networks, LAB_B))


def _parsed(*lines: str, heading: str = "day,lesson,room,class,teacher") -> dict[str, list[Period]]:
    table = [line.split(",") for line in (heading, *lines)]
    return {
        network.id: list(network.timetable)
        for network in parse(table, "tkb.csv", _school(), ROOMS).networks
    }


@pytest.mark.parametrize(
    ("line", "period"),
    [
        ("t2,tiet-1,lab,6A,lan", Period(0, "tiet-1", "6A", "lan")),
        ("Thứ 2,Tiết 1,LAB,Lớp 6a,Cô Lan", Period(0, "tiet-1", "6A", "Cô Lan")),
        ("Thứ Bảy,10,lab,9b", Period(5, "tiet-10", "9B")),
        ("CN,ra-choi,lab,6", Period(6, "ra-choi", "6")),
        ("Chủ nhật,01,lab,Khối 6,", Period(6, "tiet-1", "6")),
        ("Monday,Tiết 02,lab,9B,", Period(0, "tiet-2", "9B")),
        ("3,2,lab,staff,", Period(1, "tiet-2", "staff")),
    ],
)
def test_a_row_is_understood_as_schools_write_it(line: str, period: Period) -> None:
    assert _parsed(line) == {"lab": [period]}


def test_the_heading_is_found_beneath_a_title_and_in_any_order() -> None:
    table = [["THỜI KHÓA BIỂU"], [], ["Lớp", "GV", "Phòng", "Tiết", "Thứ"]]
    table += [["6A", "lan", "lab", "1", "2"], ["", "", "", "", ""], ["9B", "", "lab-b", "2", ""]]
    (lab, lab_b), _ = parse(table, "tkb.csv", _school(), ROOMS)
    assert lab.timetable == (Period(0, "tiet-1", "6A", "lan"),)
    assert lab_b.timetable == (Period(0, "tiet-2", "9B"),)  # of the day above


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("t9,1,lab,6A,", "tkb.csv:2:1: 't9' is not a day of the week"),
        ("t2,7,lab,6A,", "tkb.csv:2:2: '7' is not a lesson of this site"),
        ("t2,1,labz,6A,", "tkb.csv:2:3: 'labz' is not a room (did you mean 'lab"),
        ("t2,1,lab,6Z,", "tkb.csv:2:4: '6Z' is not a class of this site (known: 6A, 6B, 9B)"),
        ("t2,1,lab,6A,a\x1b[31m", "tkb.csv:2:5: the teacher has the character U+001B"),
        ("t2", "tkb.csv:2:2: '' is not a lesson of this site"),
    ],
)
def test_a_mistake_has_its_row_and_column(line: str, problem: str) -> None:
    with pytest.raises(ConfigErrors) as refused:
        _parsed(line)
    (message,) = str(refused.value).splitlines()
    assert message.startswith(problem)


def test_a_lesson_of_two_classes_is_refused() -> None:
    with pytest.raises(ConfigErrors, match=r"tkb\.csv:3:4: the lesson has 6A already"):
        _parsed("t2,1,lab,6A,", "t2,1,lab,9B,")


def test_all_mistakes_are_reported_at_once_but_not_thousands() -> None:
    with pytest.raises(ConfigErrors) as refused:
        _parsed(*["t9,1,lab,6A,"] * 1_000)
    assert len(refused.value.errors) == 20


def test_a_table_without_a_heading_is_refused() -> None:
    with pytest.raises(ConfigError, match="no row names the columns"):
        _parsed(heading="a,b,c")


def test_what_is_exported_is_read_back_and_differs_in_nothing() -> None:
    policy = _school()
    table = [LESSON_HEADING, *lesson_rows(policy.networks, policy)]
    assert table[1:] == [["t2", "tiet-1", "lab", "6A", ""], ["t2", "tiet-2", "lab", "9B", ""]]
    wanted = parse(table, "tkb.csv", policy, ROOMS).networks
    lab = [network for network in policy.networks if network.id == "lab"]
    assert list(wanted) == lab
    assert list(differences(lab, wanted, policy)) == []
    other = [replace(wanted[0], timetable=(Period(0, "tiet-1", "6B"), Period(1, "tiet-1", "6A")))]
    assert list(differences(lab, other, policy)) == [
        (["t2", "tiet-1", "lab", "6A", ""], ["t2", "tiet-1", "lab", "6B", ""]),
        (["t2", "tiet-2", "lab", "9B", ""], []),
        ([], ["t3", "tiet-1", "lab", "6A", ""]),
    ]


GRID_LESSONS = tuple(
    Lesson(f"tiet-{n}", hour * 3_600, hour * 3_600 + 2_700)
    for n, hour in ((1, 7), (2, 8), (3, 13), (4, 14))
)
_GRID_ROOMS = "lab-a", "phong-may-1", "6b"
GRID_ROOMS = tuple(Network(one, "6", room=True) for one in _GRID_ROOMS)


def _grid_school() -> Policy:
    policy = with_classes(timetabled("6A", "9B"))
    return replace(policy, lessons=GRID_LESSONS, networks=GRID_ROOMS)


def _read(text: str) -> ReadTimetables:
    table = list(csv.reader(io.StringIO(text), delimiter=";"))
    return parse(table, "tkb.csv", _grid_school(), _GRID_ROOMS)


def _lessons(text: str) -> list[str]:
    """Return the lessons that a grid yields, a row each."""
    policy = _grid_school()
    return [" ".join(row).strip() for row in lesson_rows(_read(text).networks, policy)]


BY_CLASS = """\
THỜI KHÓA BIỂU;;;;
Thứ;Buổi;Tiết;6A;Lớp 9B
Thứ 2;Sáng;1;Tin - cô Lan - PM1;Toán - Hà
;;2;Toán;Tin (P. máy 1)
;Chiều;1;"Tin
Phòng máy 1";
3;Sáng;1;Văn;Lab A
"""
BY_ROOM = """\
day,lesson,lab-a,Phòng máy 1
Mon,1,,6A - cô Lan
,2,nghỉ,9B
,3,,Lớp 6A
Tue,1,9B,-
""".replace(",", ";")


def test_a_column_of_a_class_names_the_room_in_its_cells() -> None:
    assert _lessons(BY_CLASS) == [
        "t2 tiet-1 phong-may-1 6A cô Lan",
        "t2 tiet-2 phong-may-1 9B",
        "t2 tiet-3 phong-may-1 6A",  # the afternoon's first
        "t3 tiet-1 lab-a 9B",
    ]
    assert _read(BY_CLASS).left_out == ("Toán - Hà", "Toán", "Văn")


def test_a_column_of_a_room_names_the_class_in_its_cells() -> None:
    assert _lessons(BY_ROOM) == _lessons(BY_CLASS)


@pytest.mark.parametrize("cell", [
    "PM1", "P. máy 1", "Phòng máy 1", "phong-may-1", "Tin/PM1", "Tin - Lan - PM1", "Tin-Lan-PM1",
    "Tin P.máy 1", "TIN: PHÒNG MÁY 01",
])  # fmt: skip
def test_a_room_is_found_however_it_is_spelt(cell: str) -> None:
    [found] = _read(f"Thứ;Tiết;6A\n2;1;{cell}\n").networks
    assert (found.id, found.timetable[0].grade) == ("phong-may-1", "6A")


def test_a_second_grid_beneath_has_its_own_heading_and_its_session_above() -> None:
    text = "Buổi sáng;;\nThứ;Tiết;6A\n2;1;PM1\nBUỔI CHIỀU;;\nThứ;Tiết;9B\n2;2;lab-a\n"
    assert _lessons(text) == ["t2 tiet-1 phong-may-1 6A", "t2 tiet-4 lab-a 9B"]


def test_a_second_line_of_a_lesson_goes_on_and_notes_beneath_are_none() -> None:
    text = "Thứ;Tiết;6A;9B\n2;1;Tin;Văn\n;;PM1;\n;;;\nNgười lập;;;Phòng máy 1\n"
    assert _lessons(text) == ["t2 tiet-1 phong-may-1 6A"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Thứ;Tiết;6A;lab-a\n2;1;;\n", "tkb.csv:1:3: the columns may be classes or rooms: 6A, lab"),
        ("Thứ;Tiết;6B\n2;1;x\n", "the columns may be classes or rooms: 6B (head them such as"),
        ("Thứ;Tiết;6A\n2;1;Toán\n", "no cell names a room of this site: 'Toán' (known: lab-a, ph"),
        ("Tiết;Thứ 2;Thứ 3\n1;Toán;Tin\n", "no row names the columns of a timetable (such as"),
        ("Thứ;Tiết;lab-a\n2;1;6Z\n", "tkb.csv:2:3: '6Z' is not a class of this site"),
        ("Thứ;Tiết;6A;6Z\n2;1;;PM1\n", "tkb.csv:2:4: '6Z' is not a class of this site"),
        ("Thứ;Tiết;lab-a\n2;1;6A 9B\n", "tkb.csv:2:3: the cell names two classes: 6A, 9B"),
        ("Thứ;Tiết;lab-a\n2;1;6A 9Z\n", "tkb.csv:2:3: '9Z' is not a class of this site"),
        ("Thứ;Tiết;6A\n2;1;Tin - PM1 - lab-a\n", "2:3: the cell names two rooms: phong-may-1, l"),
        ("Thứ;Tiết;6A\n2;1;Tin - cô Lan - P. máy\n", "tkb.csv:2:3: 'P. máy' is not a room"),
        ("Thứ;Tiết;6A\n2;1;Tin - cô Lan - lba-a\n", "2:3: 'lba-a' is not a room (did you mean"),
        ("Thứ;Tiết;6A\n2;1;Tin - cô Lan PM1\n", "'cô Lan PM1' names a teacher and a room together"),
        ("Thứ;Tiết;lab-a;PM9\n2;1;6A;9B\n", "tkb.csv:1:4: 'PM9' is not a room"),
        ("Thứ;Tiết;lab-a\n2;9;6A\n", "tkb.csv:2:3: '9' is not a lesson of this site"),
        ("Thứ;Tiết;6A\nThứ;1;PM1\n", "tkb.csv:2:3: 'Thứ' is not a day of the week"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_reported_in_a_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises((ConfigError, ConfigErrors)) as refused:
        _read(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_home_room_that_is_called_like_its_class_makes_no_column_ambiguous() -> None:
    assert _lessons("Thứ;Tiết;6A;6B;9B\n2;1;;PM1;\n") == ["t2 tiet-1 phong-may-1 6B"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("between", [";", ",", "\t"])
def test_files_of_any_spreadsheet_are_read(tmp_path: Path, encoding: str, between: str) -> None:
    path = tmp_path / "tkb.csv"
    path.write_text(BY_ROOM.replace(";", between), encoding=encoding)
    assert parse(spreadsheet.load(path), "tkb.csv", _grid_school(), _GRID_ROOMS) == _read(BY_ROOM)


def test_what_is_read_is_exported_and_read_back_the_same(tmp_path: Path) -> None:
    path, policy = tmp_path / "tkb.xlsx", _grid_school()
    path.write_bytes(spreadsheet.to_xlsx(list(csv.reader(io.StringIO(BY_CLASS), delimiter=";"))))
    found = parse(spreadsheet.load(path), "tkb.xlsx", policy, _GRID_ROOMS)
    path.write_bytes(spreadsheet.to_xlsx([LESSON_HEADING, *lesson_rows(found.networks, policy)]))
    assert parse(spreadsheet.load(path), "tkb.xlsx", policy, _GRID_ROOMS).networks == found.networks
    assert found.networks[0].timetable == (Period(1, "tiet-1", "9B"),)


def test_a_grid_without_end_is_refused_before_it_is_read() -> None:
    with pytest.raises(ConfigError, match="a grid has at most 1000 rows"):
        _read("Thứ;Tiết;6A\n" + "2;1;PM1\n" * 1_000)
