# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.appliance.setup import school_answers as answers
from filterd.base.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("typed", "classes"),
    [
        ("6A 6B 7A", ["6A", "6B", "7A"]),
        ("6A-6D", ["6A", "6B", "6C", "6D"]),
        ("6a-c, 7A", ["6A", "6B", "6C", "7A"]),
        ("10A1 - 10A3; 9/1-9/2", ["10A1", "10A2", "10A3", "9/1", "9/2"]),
        ("1A-3B", ["1A", "1B", "2A", "2B", "3A", "3B"]),
        ("10a1-11a2", ["10a1", "10a2", "11a1", "11a2"]),
        ("1/1 \N{EN DASH} 2/2", ["1/1", "1/2", "2/1", "2/2"]),
        ("10A-CLC 10A-1", ["10A-CLC", "10A-1"]),
        ("12 Toán, 12 Tin", ["12 Toán", "12 Tin"]),
        ("9-3 6A 6a", ["9-3", "6A"]),
        ("Lá=preschool Mầm=mầm non".replace(" M", ", M"), ["Lá=preschool", "Mầm=preschool"]),
        ("", []),
    ],
)
def test_classes_are_read_as_people_type_them(typed: str, classes: list[str]) -> None:
    read = answers.classes_of(typed)
    assert [str(one) for one in read] == classes
    assert answers.classes_of(", ".join(map(str, read))) == read


GRADE, LETTER = st.integers(1, 12), st.sampled_from("ABCDEGH")
NUMBER, BETWEEN = st.integers(1, 15), st.sampled_from(["-", " - ", "\N{EN DASH}"])


@given(GRADE, LETTER, GRADE, LETTER, BETWEEN)
def test_a_range_of_classes_is_never_one_class(
    first: int, one: str, last: int, other: str, between: str
) -> None:
    typed = f"{first}{one}{between}{last}{other}"
    wanted = {
        f"{grade}{letter}"
        for grade in range(first, last + 1)
        for letter in "ABCDEFGH"
        if one <= letter <= other
    }
    if not wanted:
        with pytest.raises(ConfigError):
            answers.classes_of(typed)
        return
    assert {str(each) for each in answers.classes_of(typed)} == wanted


@given(GRADE, LETTER, NUMBER, GRADE, LETTER, NUMBER)
def test_a_range_of_numbered_classes_is_never_one_class(
    first: int, one: str, n: int, last: int, other: str, m: int
) -> None:
    typed = f"{first}{one}{n}-{last}{other}{m}"
    try:
        found = answers.classes_of(typed)
    except ConfigError:
        assert one != other or n > m or first > last
        return
    assert len(found) == (last - first + 1) * (m - n + 1)


def test_the_grade_of_a_class_is_in_its_name() -> None:
    assert [one.grade for one in answers.classes_of("6A 10A1 12/3")] == ["6", "10", "12"]


@pytest.mark.parametrize(
    "typed",
    [
        "5C-1A",
        "1C-5A",
        "10A1-12B5",
        "1A-5C1",
        "10A5-12A1",
        "6",
        "13A",
        "Lá",
        "Lá=13",
        "6D-6A",
        "6A; :",
        "staff",
        "GV=staff",
    ],
)
def test_what_is_no_class_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"\(such as: "):
        answers.classes_of(typed)


def test_classes_are_taken_from_a_table() -> None:
    table = [["STT", "Lớp", "Khối"], ["1", "6A", ""], ["", "", ""], ["2", "Lá", "mầm non"]]
    assert answers.classes_in(table) == "6A, Lá=mầm non"
    assert answers.classes_in([["6A"], ["6B"]]) == "6A, 6B"
    with pytest.raises(ConfigError, match="empty"):
        answers.classes_in([[]])


@pytest.mark.parametrize(
    ("typed", "seat"),
    [
        ("6a", "6A"),
        ("lớp 6A", "6A"),
        ("6", "6"),
        ("gv", "staff"),
        ("Giáo viên", "staff"),
        ("khách", "guest"),
        ("pm", "room phong-may"),
        ("phòng máy 2", "room phong-may-2"),
        ("room Phòng Đa năng", "room phong-da-nang"),
        ("-", "-"),
    ],
)
def test_a_seat_is_a_class_a_grade_or_a_room(typed: str, seat: str) -> None:
    read = answers.seat_of(typed, {"6A": "6"})
    assert read == seat
    assert answers.seat_of(read, {"6A": "6"}) == seat


@pytest.mark.parametrize("typed", ["", "6B", "13", "teachers room"])
def test_a_seat_that_the_school_does_not_have_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"not a class or grade .* \(such as: 6A"):
        answers.seat_of(typed, {"6A": "6"})


def test_the_youngest_are_of_the_lowest_grade_and_staff_do_not_count() -> None:
    assert answers.youngest(["9", "10", "staff"]) == "9"
    assert answers.youngest(["6", "preschool"]) == "preschool"
    assert answers.youngest(["staff"]) == "1"


def test_addresses_are_read_in_their_usual_form() -> None:
    assert answers.networks_of("192.168.6.9/24 fd00::/64") == ("192.168.6.0/24", "fd00::/64")
    assert answers.macs_of("02-00-5E-10-00-01") == ("02:00:5e:10:00:01",)
    assert answers.upstreams_of("System, TLS:9.9.9.9 1.1.1.1".replace(" 1", ", 1")) == (
        "system",
        "tls:9.9.9.9",
        "1.1.1.1",
    )
    assert answers.users_of("lan minh lan", ["minh", "lan"]) == ("lan", "minh")


@pytest.mark.parametrize(
    ("read", "typed"),
    [
        (answers.networks_of, "0.0.0.0/0"),
        (answers.networks_of, "192.168.6"),
        (answers.macs_of, "02:00"),
        (answers.upstreams_of, "dns.example"),
        (answers.upstreams_of, ""),
        (lambda text: answers.users_of(text, ["lan"]), "lam"),
    ],
)
def test_what_is_none_is_refused_with_an_example(read: Callable[[str], object], typed: str) -> None:
    with pytest.raises(ConfigError, match=r"\("):
        read(typed)


@given(st.text(max_size=40))
def test_any_text_is_an_answer_or_an_error(typed: str) -> None:
    for read in (answers.classes_of, answers.networks_of, answers.macs_of, answers.upstreams_of):
        with contextlib.suppress(ConfigError):
            read(typed)


@given(st.text(max_size=60))
def test_any_text_makes_an_id_or_none(text: str) -> None:
    made = answers.slug(text)
    assert answers.slug(made) == made
    assert not made or re.fullmatch(r"[a-z0-9][a-z0-9-]*", made)
