# SPDX-License-Identifier: Apache-2.0
"""Rows of a table become timetables; each mistake has its row and column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.cli.timetable_rows import differences, parse
from filterd.errors import ConfigError, ConfigErrors
from filterd.policy.model import Lesson, Network, Period, Policy
from filterd.policy.school_week import LESSON_HEADING, lesson_rows
from tests.support.week import timetabled, with_classes

LESSONS = tuple(
    Lesson(one, 25_200 + 3_600 * place, 27_900 + 3_600 * place)
    for place, one in enumerate(("tiet-1", "tiet-2", "ra-choi", "tiet-10"))
)
LAB_B = Network("lab-b", "6", room=True)


def _school() -> Policy:
    policy = with_classes(timetabled("6A", "9B"))
    return replace(policy, lessons=LESSONS, networks=(*policy.networks, LAB_B))


def _parsed(*lines: str, heading: str = "day,lesson,room,class,teacher") -> dict[str, list[Period]]:
    table = [line.split(",") for line in (heading, *lines)]
    return {one.id: list(one.timetable) for one in parse(table, "tkb.csv", _school()).networks}


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
    (lab, lab_b), _ = parse(table, "tkb.csv", _school())
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
    (told,) = str(refused.value).splitlines()
    assert told.startswith(problem)


def test_a_lesson_of_two_classes_is_refused() -> None:
    with pytest.raises(ConfigErrors, match=r"tkb\.csv:3:4: the lesson has 6A already"):
        _parsed("t2,1,lab,6A,", "t2,1,lab,9B,")


def test_all_mistakes_are_told_at_once_but_not_thousands() -> None:
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
    wanted = parse(table, "tkb.csv", policy).networks
    lab = [one for one in policy.networks if one.id == "lab"]
    assert list(wanted) == lab
    assert list(differences(lab, wanted, policy)) == []
    other = [replace(wanted[0], timetable=(Period(0, "tiet-1", "6B"), Period(1, "tiet-1", "6A")))]
    assert list(differences(lab, other, policy)) == [
        (["t2", "tiet-1", "lab", "6A", ""], ["t2", "tiet-1", "lab", "6B", ""]),
        (["t2", "tiet-2", "lab", "9B", ""], []),
        ([], ["t3", "tiet-1", "lab", "6A", ""]),
    ]
