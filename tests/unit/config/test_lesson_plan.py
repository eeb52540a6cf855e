# SPDX-License-Identifier: Apache-2.0
"""Lessons, timetables and days off: results, errors and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import warnings
from filterd.config.site_reader import load_site
from filterd.policy.model import Holiday, Lesson, Network, Period
from tests.support.policies import NOW
from tests.support.site import WITH_SERVICES, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

LESSONS = "lessons: {b: 08:00-08:45, a: 07:00-07:45, c: 09:00-09:45, break: 08:45-09:00}\n"


def _lab(timetable: str, more: str = "") -> str:
    return (
        f"{LESSONS}networks:\n  lab: {{{more}cidrs: [10.1.0.0/24], timetable: {{{timetable}}}}}\n"
    )


def _warnings(folder: Path, site: str) -> list[str]:
    a_policy(folder, site)
    return [str(one).removeprefix(f"{folder}/") for one in warnings(load_site(folder), NOW)]


def test_lessons_are_in_the_order_of_the_day(tmp_path: Path) -> None:
    lessons = a_policy(tmp_path, LESSONS).lessons
    assert [lesson.id for lesson in lessons] == ["a", "b", "break", "c"]
    assert lessons[0] == Lesson("a", 7 * 3600, 7 * 3600 + 45 * 60)


@pytest.mark.parametrize(
    ("lessons", "problem"),
    [
        (
            "{a: 07:00-07:45, b: 07:44-08:30}",
            "2:27: 'b' begins before 'a' ends ('a' ends at 07:45)",
        ),
        ("{a: 07:00-09:00, b: 07:10-07:20, c: 08:00-08:30}", "2:27: 'b' begins before 'a' ends"),
        ("{a: 07:45-07:00}", "2:11: a: the lesson ends before it begins"),
        ("{a: 07:00}", "2:11: a: '07:00' is not a part of a day (such as 07:00-07:45)"),
        ("{a: 07:00-25:00}", "2:11: a: '25:00' is not a time of day"),
        ("{a: 24:00-24:01}", "2:11: a: '24:01' is not a time of day"),
        ("{A: 07:00-08:00}", "2:11: A: 'A' does not have the right form"),
    ],
)
def test_lessons_that_cannot_be_are_told(tmp_path: Path, lessons: str, problem: str) -> None:
    found = problems(tmp_path, f"lessons: {lessons}\n")
    assert found[0].startswith(f"site.yaml:{problem}")


def test_lessons_may_follow_each_other_at_once(tmp_path: Path) -> None:
    assert len(a_policy(tmp_path, "lessons: {a: 07:00-07:45, b: 07:45-08:30}\n").lessons) == 2


def test_a_timetable_makes_a_room(tmp_path: Path) -> None:
    (lab,) = a_policy(tmp_path, _lab("t2: {a: 6, b: 9}, sun: {c: 12}")).networks
    periods = (Period(0, "a", "6"), Period(0, "b", "9"), Period(6, "c", "12"))
    assert lab == Network("lab", "6", ("10.1.0.0/24",), timetable=periods, room=True)


def test_a_room_may_have_a_grade_of_its_own_too(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, _lab("t2: {a: 11}", "grade: 2, "))
    assert policy.networks[0].grade == "2"


def test_who_is_unknown_is_as_strict_as_any_timetable(tmp_path: Path) -> None:
    assert a_policy(tmp_path, _lab("t2: {a: 9, b: 3}")).unknown_grade == "3"


def test_a_room_needs_no_devices_and_no_timetable(tmp_path: Path) -> None:
    (lab,) = a_policy(tmp_path, "networks:\n  lab: {room: true, grade: 6}\n").networks
    assert lab == Network("lab", "6", room=True)


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        (_lab("t2: {d: 6}"), "4:48: 'd' is not a lesson of this site (known: b, a, c, break)"),
        (_lab("t9: {a: 6}"), "t9: 't9' is not a day of the week (known: t2, t3"),
        (_lab("t2: {a: 13}"), "a: '13' is not a grade"),
        (_lab("t2: {a: 6}, mon: {b: 6}"), "'mon' and 't2' are the same day"),
        ("networks:\n  lab: {timetable: {}, cidrs: [10.0.0.0/8]}\n", "the key 'grade' is missing"),
        (
            "networks:\n  lab: {timetable: {t2: {a: 6}}}\n",
            "'a' is not a lesson of this site (name it",
        ),
        ("networks:\n  lab: {room: false, grade: 6}\n", "nothing tells this network"),
        ("networks:\n  lab: {room: true, grade: 6, on_holidays: true}\n", "there is no timetable"),
    ],
)
def test_timetables_that_cannot_be_are_told(tmp_path: Path, site: str, problem: str) -> None:
    (found,) = problems(tmp_path, site)
    assert problem in found


@pytest.mark.parametrize(
    ("timetable", "warned"),
    [
        ("t2: {a: 6, b: 6, c: 6}", []),
        ("t2: {a: 6, b: 6}, t3: {b: 6, c: 6}", []),  # ends earlier, begins later
        ("t2: {a: 6, c: 6}, t3: {b: 6}", ["t2"]),
        ("t2: {a: 6, c: 6}", []),  # nobody ever has b: it is a break
        ("t2: {a: 6, c: 6}, t3: {b: 6}, t4: {}, t5: {a: 7, c: 7}", ["t2", "t5"]),
    ],
)
def test_a_hole_is_warned_of_where_it_is(tmp_path: Path, timetable: str, warned: list[str]) -> None:
    found = _warnings(tmp_path, _lab(timetable))
    assert [one.split(" (")[0].rpartition(" ")[2] for one in found] == warned
    assert all(one.startswith("site.yaml:4:") and "has no grade in b of" in one for one in found)


def test_days_off_are_public_ones_and_the_schools_in_order(tmp_path: Path) -> None:
    site = "holidays:\n  - 2026-11-20\n  - {first: 2026-06-01, last: 2026-08-31, name: Nghỉ hè}\n"
    assert a_policy(tmp_path, site, WITH_SERVICES).holidays == (
        Holiday("2026-06-01", "2026-08-31", "Nghỉ hè", "Nghỉ hè"),
        Holiday("2026-09-02", "2026-09-02", "Quốc khánh", "National Day"),
        Holiday("2026-11-20", "2026-11-20", "", ""),
    )


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        ("2026-13-01", "'2026-13-01' is not a date (such as 2026-09-02)"),
        ("'20261120'", "'20261120' is not a date"),
        ("0001-01-01", "'0001-01-01' is not a date"),
        ("{first: 2026-09-02, last: 2026-09-01}", "the holiday ends before it begins"),
    ],
)
def test_days_that_cannot_be_are_told(tmp_path: Path, day: str, problem: str) -> None:
    (found,) = problems(tmp_path, f"holidays: [2026-01-02, {day}]\n")
    assert problem in found
