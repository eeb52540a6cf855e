# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import Audience, Client, Period, SchoolClass
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = "classes:\n  6A: {grade: 6, teachers: [lan]}\n  9/3: {grade: 9}\n"
LESSONS = "lessons: {a: 07:00-07:45, b: 08:00-08:45}\n"


def test_a_class_has_the_policy_of_its_grade_under_a_key_of_its_own(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, CLASSES)
    assert policy.classes == (SchoolClass("6A", "6", ("lan",)), SchoolClass("9/3", "9"))
    of_class, of_grade = policy.grades["6A"], policy.grades["6"]
    assert (of_class.key, of_class.class_id, of_class.grade) == ("6A", "6A", "6")
    assert of_class.closed == of_grade.closed
    client = Client(of_class)
    for audience, whom in ((Audience.GRADE, "6"), (Audience.CLASS, "6A")):
        assert client.is_of(audience, whom)
    assert not client.is_of(Audience.CLASS, "6B")
    assert not Client(of_grade).is_of(Audience.CLASS, "6A")


def test_a_network_is_a_home_room_and_a_lesson_is_booked_to_a_class(tmp_path: Path) -> None:
    site = (
        f"{CLASSES}{LESSONS}networks:\n"
        "  p-101: {class: 6A, cidrs: [10.0.1.0/24]}\n"
        "  lab:\n    timetable:\n"
        "      t2: {a: 6A, b: {class: 9/3, teacher: hoa}}\n      t3: {a: 7}\n"
    )
    home, lab = a_policy(tmp_path, site).networks
    assert home.grade == "6A"
    assert lab.grade == "6"  # the strictest that may sit there, of no class
    assert lab.timetable == (
        Period(0, "a", "6A"),
        Period(0, "b", "9/3", "hoa"),
        Period(1, "a", "7"),
    )


def test_a_site_without_classes_has_none(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "")
    assert policy.classes == ()
    assert not any(one.class_id for one in policy.grades.values())


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        ("classes: {6a: {grade: 6}, 6A: {grade: 6}}\n", "'6A' and '6a' are the same class"),
        ("classes: {staff: {grade: 6}}\n", "'staff' is not a class"),
        ("classes: {13: {grade: 6}}\n", "'13' is not a class"),
        ('classes: {"6@A": {grade: 6}}\n', "'6@A' is not a class"),
        ("classes: {6A: {}}\n", "the key 'grade' is missing"),
        ("classes: {6A: {grade: 6B}}\n", "'6B' is not a grade"),
        ("classes: {6A: {grade: 6, teachers: [cô lan]}}\n", "'cô lan' is not a user name"),
        (
            f"{CLASSES}networks: {{a: {{class: 6B, cidrs: [10.0.0.0/8]}}}}\n",
            "'6B' is not a class of this site (known: 6A, 9/3)",
        ),
        (
            f"{CLASSES}networks: {{a: {{class: 6A, grade: 6, cidrs: [10.0.0.0/8]}}}}\n",
            "a class has its own grade (remove grade:)",
        ),
        (
            f"{CLASSES}{LESSONS}networks: {{a: {{timetable: {{t2: {{a: 6B}}}}}}}}\n",
            "'6B' is not a class of this site (known: 6A, 9/3)",
        ),
        (
            f"{CLASSES}{LESSONS}networks: {{a: {{timetable: {{t2: {{a: {{teacher: lan}}}}}}}}}}\n",
            "a lesson has either a class or a grade",
        ),
        (
            f"{CLASSES}exceptions: [{{allow: a.vn, reason: why, for: {{class: 6B}}}}]\n",
            "'6B' is not a class of this site",
        ),
    ],
)
def test_classes_that_cannot_be_are_reported(tmp_path: Path, site: str, problem: str) -> None:
    assert any(problem in one for one in problems(tmp_path, site)), problems(tmp_path, site)
