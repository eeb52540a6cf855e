# SPDX-License-Identifier: Apache-2.0
"""Words of timetables: sessions, and names that are none."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import normalize

import pytest

from filterd.config import timetable_words
from filterd.config.timetable_words import SchoolWords, WordError, session_in
from filterd.policy.model import Lesson, SchoolClass
from tests.support.week import timetabled, with_classes

LESSONS = tuple(
    Lesson(one, hour * 3_600, hour * 3_600 + 2_700)
    for one, hour in (("sang-1", 7), ("ra-choi", 8), ("sang-2", 9), ("chieu-1", 13), ("toi", 18))
)


@pytest.fixture
def words() -> SchoolWords:
    policy = replace(with_classes(timetabled("6A", "9B")), lessons=LESSONS)
    return SchoolWords(policy, ("lab", "phong-may-1", "phong-lan", "thu-vien"), ("P. Lý",))


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


@pytest.mark.parametrize(
    "cell", ["Tin - Lan", "Tin - LÀN", "Tin - l\u200ban", "Tin, Lần", "Toán - Máy", "Tin / may"]
)
def test_a_teacher_without_a_title_is_no_room_however_the_name_is_spelt(cell: str) -> None:
    policy = with_classes(timetabled("6A", "9B"))
    classes = (SchoolClass("6A", "6", ("lan", "Nguyễn Văn Máy")), SchoolClass("9B", "9"))
    policy = replace(policy, lessons=LESSONS, classes=classes)
    words = SchoolWords(policy, ("lan", "may"))
    assert words.room_in(cell) is None
    assert words.teacher_in(cell) in {"lan", "Nguyễn Văn Máy"}
    assert words.room_in(f"{cell} - phòng may") == "may"


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


@pytest.mark.parametrize(
    ("cell", "room"),
    [("Tin - cô Lan - P. máy 1", "phong-may-1"), ("Tin-Lan-PM1", "phong-may-1"),
     ("Tin-cô Lan-PM1", "phong-may-1"), ("Phòng máy 01 cô Hoa", "phong-may-1"),
     ("Đọc - Thư viện", "thu-vien"), ("thu-vien", "thu-vien"), ("Vẽ - phòng Lan", "phong-lan"),
     ("Tin\nLAB", "lab"), ("Lý - cô Hoa - P. Lý", None), ("Thư viện", None),
     ("Tin - Lan", None), ("Tin - cô Lab", None), ("Tin - thầy Phong Lan", None),
     ("Tin - thầy Nguyễn P. Lan", None), ("Toán - C. Lan", None), ("Toán - Hà", None)],
)  # fmt: skip
def test_a_room_is_read_only_in_the_part_of_a_cell_that_names_one(
    words: SchoolWords, cell: str, room: str | None
) -> None:
    assert words.room_in(cell) == room


UNSEEN = "\u200b\u200c\u200d\u00ad\ufeff\u2060\u202e\u2066"
"""What a page or a text program leaves in a cell that is copied from it."""


def _misread(words: SchoolWords) -> list[str]:
    """Return the cells in which a character that shows nothing makes another room."""
    cells = ("Tin - thầy Nguyễn P. Lan", "Tin - cô Lab", "Vẽ - phòng Lan", "Tin-cô Lan-PM1")
    return [
        found
        for cell in cells
        for one in UNSEEN
        for at in range(len(cell) + 1)
        if words.room_in(found := cell[:at] + one + cell[at:]) != words.room_in(cell)
    ]


def test_characters_that_show_nothing_make_no_room_of_a_teacher(words: SchoolWords) -> None:
    assert _misread(words) == []


def test_control_with_them_a_teacher_s_name_is_a_room(
    words: SchoolWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetable_words, "_seen", lambda text: normalize("NFC", text))
    assert words.room_in("Tin - th\u200bầy Nguyễn P. Lan") == "phong-lan"


@pytest.mark.parametrize(
    ("cell", "seat"),
    [("6A", "6A"), ("Lớp 9B - cô Hoa", "9B"), ("Tin 6a", "6A"), ("cô Mai - 6A", "6A"), ("7", "7")],
)
def test_a_class_is_read_beside_a_teacher(words: SchoolWords, cell: str, seat: str) -> None:
    assert words.class_in(cell) == seat


def test_a_name_that_may_be_two_rooms_is_refused() -> None:
    both = SchoolWords(with_classes(timetabled("6A", "9B")), ("phong-may-1", "may-1"))
    with pytest.raises(WordError) as refused:
        both.room_in("Tin - P. máy 1")
    assert refused.value.reason == "'P. máy 1' may be phong-may-1, may-1"


def test_a_hostile_cell_costs_little(words: SchoolWords) -> None:
    assert words.room_in("a " * 5_000) is None
    with pytest.raises(WordError):
        words.class_in("- (" * 5_000)
    with pytest.raises(WordError):
        words.room_in("p.1 " * 5_000)
