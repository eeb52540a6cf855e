# SPDX-License-Identifier: Apache-2.0
"""A teacher has own classes, lent ones, and rooms while these sit there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from filterd.errors import FilterdError
from filterd.overrides.change_kinds import parse
from filterd.overrides.permissions import Classroom, check_change, check_listening
from filterd.overrides.roles import Author, Rank
from filterd.overrides.teaching import Teaching
from filterd.policy.model import Network, Period, Policy
from filterd.policy.temporary_rules import ClassLoan, Overrides, RoomSetting
from tests.support.changes import an_exam, an_exception
from tests.support.week import MONDAY, SEVEN, timetabled, with_classes

FIRST_ENDS, SECOND_BEGINS, SECOND_ENDS = SEVEN + 2_700, SEVEN + 3_000, SEVEN + 5_700
EVENING = MONDAY + 24 * 3600
HOME = Network("p-101", "6A", ("203.0.113.0/25",))
BARE = Network("lab-b", "6", ("203.0.113.128/25",), room=True)
ADDRESSES = {"192.0.2.7": "lab", "203.0.113.7": "p-101"}


def _school(first: str = "6A", second: str = "9B") -> Policy:
    policy = with_classes(timetabled(first, second))
    return replace(policy, networks=(*policy.networks, HOME, BARE))


def _loan(to: str = "minh", class_id: str = "6A", **how: float) -> Overrides:
    times = {"starts_at": SEVEN - 60, "ends_at": EVENING} | how
    return Overrides(loans=(ClassLoan(7, class_id, to, "ốm", "root", **times),))


def _try(
    teacher: str,
    kind: str,
    payload: dict[str, Any],
    *,
    policy: Policy | None = None,
    overrides: Overrides | None = None,
    now: float | None = SEVEN + 60,
) -> str:
    """Return the refusal of a change, "" for none."""
    school = Classroom(policy or _school(), overrides or Overrides(), now, EVENING, ADDRESSES.get)
    try:
        check_change(Author(teacher, Rank.TEACHER), parse(kind, payload), school)
    except FilterdError as error:
        return str(error)
    return ""


def _allow(audience: str, whom: str, ends_at: float = FIRST_ENDS) -> dict[str, Any]:
    return an_exception(audience=audience, whom=whom, ends_at=ends_at)


@pytest.mark.parametrize(
    ("teacher", "kind", "payload"),
    [
        ("lan", "exception", _allow("class", "6A", EVENING)),
        ("lan", "exception", _allow("network", "p-101", EVENING)),
        ("lan", "exception", _allow("client", "203.0.113.7")),
        ("lan", "pause", {"audience": "class", "whom": "6A", "ends_at": SEVEN + 600}),
        ("lan", "exception", _allow("network", "lab")),
        ("lan", "exception", _allow("network", "lab", SECOND_BEGINS)),  # the break after it
        ("lan", "exception", _allow("client", "192.0.2.7")),
        ("hoa", "exception", _allow("grade", "9")),  # she has all classes of grade 9
        ("hoa", "exception", _allow("grade", "7")),  # there is no class of it
        ("hoa", "exception", _allow("client", "198.18.0.1")),  # of no network
        ("lan", "room", {"room": "lab", "grade": "6A", "ends_at": FIRST_ENDS}),
        ("lan", "room", {"room": "lab-b", "grade": "6A", "ends_at": EVENING}),
        ("lan", "exam", an_exam(room="lab", ends_at=FIRST_ENDS)),
        ("hoa", "exam", an_exam(room="lab", starts_at=SECOND_BEGINS, ends_at=SECOND_ENDS)),
        ("lan", "exam", an_exam(room="p-101", ends_at=FIRST_ENDS)),
        ("lan", "class-lend", {"class_id": "6A", "to": "minh", "ends_at": EVENING}),
    ],
)
def test_a_teacher_may_change_what_own_classes_see(
    teacher: str, kind: str, payload: dict[str, Any]
) -> None:
    assert _try(teacher, kind, payload) == ""


@pytest.mark.parametrize(
    ("teacher", "kind", "payload", "refusal"),
    [
        ("minh", "exception", _allow("class", "6A"), "may not change what class 6A may see"),
        ("minh", "pause", {"audience": "class", "whom": "6A", "ends_at": SEVEN + 600}, "class 6A"),
        ("lan", "exception", _allow("grade", "6"), "other classes of grade 6"),
        ("minh", "exception", _allow("network", "p-101"), "6A has p-101 from 07:01 on"),
        ("minh", "exception", _allow("client", "203.0.113.7"), "6A has p-101"),
        ("hoa", "exception", _allow("network", "lab"), "6A has lab from 07:01 on"),
        ("hoa", "exception", _allow("client", "192.0.2.7"), "6A has lab"),
        (
            "lan",
            "exception",
            _allow("network", "lab", SECOND_BEGINS + 1),
            "9B has lab from 07:50 on (end it by --until 07:50;",
        ),
        ("minh", "room", {"room": "lab", "grade": "6B", "ends_at": FIRST_ENDS}, "6A has lab"),
        ("minh", "room", {"room": "lab-b", "grade": "6A", "ends_at": FIRST_ENDS}, "bring 6A"),
        ("minh", "room", {"room": "lab-b", "grade": "9", "ends_at": FIRST_ENDS}, "bring 9"),
        ("hoa", "exam", an_exam(room="lab", ends_at=FIRST_ENDS), "6A has lab"),
        ("minh", "exam", an_exam(room="p-101", ends_at=FIRST_ENDS), "which is not a room"),
        ("minh", "class-lend", {"class_id": "6A", "to": "minh", "ends_at": EVENING}, "lend class"),
        (
            "lan",
            "class-lend",
            {"class_id": "6A", "to": "minh", "ends_at": SEVEN + 15 * 86_400},
            "14 days at most",
        ),
    ],
)
def test_and_not_what_other_classes_see(
    teacher: str, kind: str, payload: dict[str, Any], refusal: str
) -> None:
    assert refusal in _try(teacher, kind, payload)


@pytest.mark.parametrize("audience", [("grade", "6"), ("network", "p-101"), ("network", "lab")])
def test_control_without_classes_every_teacher_may(audience: tuple[str, str]) -> None:
    grades = replace(timetabled(), networks=(*timetabled().networks, replace(HOME, grade="6")))
    assert _try("minh", "exception", _allow(*audience), policy=grades) == ""


def test_a_substitute_has_a_lent_class_until_the_loan_ends() -> None:
    change = _allow("class", "6A")
    assert _try("minh", "exception", change) != ""
    assert _try("minh", "exception", change, overrides=_loan()) == ""
    in_the_room = _allow("network", "lab")
    assert _try("minh", "exception", in_the_room, overrides=_loan()) == ""
    short = _loan(ends_at=FIRST_ENDS - 1)
    assert "class 6A" in _try("minh", "exception", change, overrides=short)
    later = _loan(starts_at=SEVEN + 3600)
    assert "class 6A" in _try("minh", "exception", change, overrides=later)
    lend_on = {"class_id": "6A", "to": "hoa", "ends_at": EVENING}
    assert "lend class 6A" in _try("minh", "class-lend", lend_on, overrides=_loan())


def test_the_teacher_of_a_lesson_has_the_room_in_it() -> None:
    policy = _school()
    first = Period(0, "tiet-1", "6A", "minh")
    networks = tuple(
        replace(one, timetable=(first, *one.timetable[1:])) if one.id == "lab" else one
        for one in policy.networks
    )
    policy = replace(policy, networks=networks)
    assert _try("minh", "exception", _allow("network", "lab"), policy=policy) == ""
    assert "9B has lab" in _try(
        "minh", "exception", _allow("network", "lab", EVENING), policy=policy
    )
    assert "class 6A" in _try("minh", "exception", _allow("class", "6A"), policy=policy)


def test_a_class_that_a_command_brought_has_the_room() -> None:
    brought = Overrides(rooms=(RoomSetting(3, "lab", "6B", "", "minh", SEVEN, FIRST_ENDS),))
    change = _allow("network", "lab")
    assert _try("minh", "exception", change, overrides=brought) == ""
    assert "6B has lab" in _try("lan", "exception", change, overrides=brought)


def test_between_lessons_a_room_is_free_for_one_s_own_class_only() -> None:
    evening = SECOND_ENDS + 60
    bring = {"room": "lab", "grade": "6B", "ends_at": evening + 600}
    assert _try("minh", "room", bring, now=evening) == ""
    change = _allow("network", "lab", evening + 600)
    assert "no lesson in lab" in _try("minh", "exception", change, now=evening)


def test_while_the_time_is_not_known_a_room_of_one_s_classes_may_be_changed() -> None:
    change = _allow("network", "lab")
    assert _try("hoa", "exception", change, now=None) == ""
    assert "may not change what lab may see" in _try("minh", "exception", change, now=None)


@pytest.mark.parametrize(("teacher", "may"), [("lan", True), ("hoa", False)])
def test_of_teachers_only_the_one_in_the_room_may_read_its_lookups(teacher: str, may: bool) -> None:
    school = Classroom(_school(), Overrides(), SEVEN + 60, EVENING, ADDRESSES.get)
    author = Author(teacher, Rank.TEACHER)
    if may:
        check_listening(author, "lab", school)
    else:
        with pytest.raises(FilterdError, match="6A has lab"):
            check_listening(author, "lab", school)
    check_listening(Author("root", Rank.ADMIN), "lab", school)


def test_classes_are_those_of_the_whole_time() -> None:
    loan = _loan(ends_at=FIRST_ENDS)
    assert Teaching(_school(), loan, "minh", SEVEN, FIRST_ENDS).classes == {"6A", "6B"}
    assert Teaching(_school(), loan, "minh", SEVEN, None).classes == {"6B"}
