# SPDX-License-Identifier: Apache-2.0
"""Words of timetables: sessions, and names that are none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.cli.timetable_words import SchoolWords, WordError, session_in
from filterd.policy.model import Lesson
from tests.support.week import timetabled, with_classes

LESSONS = tuple(
    Lesson(one, hour * 3_600, hour * 3_600 + 2_700)
    for one, hour in (("sang-1", 7), ("ra-choi", 8), ("sang-2", 9), ("chieu-1", 13), ("toi", 18))
)


@pytest.fixture
def words() -> SchoolWords:
    return SchoolWords(replace(with_classes(timetabled("6A", "9B")), lessons=LESSONS))


@pytest.mark.parametrize(
    ("text", "session", "lesson"),
    [("1", "Sáng", "sang-1"), ("Tiết 1", "CHIỀU", "chieu-1"), ("2", "s", "sang-2"),
     ("2", "", "sang-2"), ("ra-choi", "chiều", "ra-choi")],
)  # fmt: skip
def test_a_session_distinguishes_two_lessons_of_the_same_number(
    words: SchoolWords, text: str, session: str, lesson: str
) -> None:
    assert words.lesson(text, session) == lesson


def test_without_a_session_a_number_of_two_lessons_is_refused(words: SchoolWords) -> None:
    with pytest.raises(WordError) as refused:
        words.lesson("1")
    assert refused.value.reason == "'1' may be sang-1, chieu-1"


@pytest.mark.parametrize("text", ["0", "2", "x", ""])
def test_a_lesson_that_the_session_lacks_is_none(words: SchoolWords, text: str) -> None:
    with pytest.raises(WordError, match="lesson"):
        words.lesson(text, "chiều")


def test_a_session_is_a_word_and_not_a_part_of_one() -> None:
    assert (session_in("BUỔI  CHIỀU"), session_in("sángtạo")) == ("chiều", "")


def test_a_teacher_is_found_by_the_address_or_by_the_class(words: SchoolWords) -> None:
    assert words.teacher_in("Tin - Thầy Minh - PM1") == "Thầy Minh"
    assert words.teacher_in("Tin / Lan / PM1") == "lan"
    assert words.teacher_in("Tin, Không") == ""


def test_a_hostile_cell_costs_little(words: SchoolWords) -> None:
    assert words.rooms_in("a " * 5_000) == []
    assert words.classes_in("- (" * 5_000) == []
