# SPDX-License-Identifier: Apache-2.0
"""A teacher has own classes, lent ones, and rooms while these sit there."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from filterd.base.errors import FilterdError
from filterd.overrides.rights.permissions import Classroom, check_listening
from filterd.overrides.rights.roles import Author, Rank
from filterd.overrides.rights.teaching import OccupiedRoom, Teaching
from filterd.policy.model import Holiday, Network, Period, Policy
from filterd.policy.temporary_rules import ClassLoan, Overrides, RoomSetting
from tests.support.changes import an_exam, an_exception, check_permission
from tests.support.week import MONDAY, SEVEN, timetabled, with_classes

FIRST_ENDS, SECOND_BEGINS, SECOND_ENDS = SEVEN + 2_700, SEVEN + 3_000, SEVEN + 5_700
EVENING = MONDAY + 24 * 3600
HOME = Network("p-101", "6A", ("203.0.113.0/25",))
BARE = Network("lab-b", "6", ("203.0.113.128/25",), room=True)
WIFI = Network("wifi-9", "8", ("198.51.100.128/25",))
"""All of a grade are there, of whatever class; it is no room."""
ADDRESSES = {"192.0.2.7": "lab", "203.0.113.7": "p-101", "192.0.2.200": "office"}


def _school(first: str = "6A", second: str = "9B") -> Policy:
    policy = with_classes(timetabled(first, second))
    return replace(policy, networks=(*policy.networks, HOME, BARE, WIFI))


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
        check_permission(Author(teacher, Rank.TEACHER), kind, payload, school)
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
        ("hoa", "exception", _allow("grade", "7"), "other classes of grade 7"),  # it has none
        ("hoa", "exception", _allow("client", "198.18.0.1"), "198.18.0.1 may see, in no room"),
        ("hoa", "exception", _allow("grade", "staff"), "change what staff may see"),
        ("hoa", "pause", {"audience": "grade", "whom": "guest", "ends_at": SEVEN + 600}, "guest"),
        ("hoa", "exception", _allow("network", "office"), "change what office may see"),
        ("hoa", "exception", _allow("client", "192.0.2.200"), "change what office may see"),
        ("hoa", "exception", _allow("network", "wifi-9"), "8 has wifi-9"),
        ("hoa", "room", {"room": "lab-b", "grade": "staff", "ends_at": FIRST_ENDS}, "bring staff"),
        ("hoa", "room", {"room": "lab-b", "grade": "guest", "ends_at": FIRST_ENDS}, "bring guest"),
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
        replace(network, timetable=(first, *network.timetable[1:]))
        if network.id == "lab"
        else network
        for network in policy.networks
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


def _of(teacher: str, policy: Policy, overrides: Overrides | None = None) -> Teaching:
    """Return the teaching in the first minutes of the first lesson."""
    return Teaching(policy, overrides or Overrides(), teacher, SEVEN + 60, SEVEN + 600)


def _with_lab(policy: Policy, **changes: Any) -> Policy:
    networks = (
        replace(network, **changes) if network.id == "lab" else network
        for network in policy.networks
    )
    return replace(policy, networks=tuple(networks))


def test_a_loan_is_of_a_class_to_one_teacher() -> None:
    assert _of("minh", _school(), _loan()).classes == {"6A", "6B"}
    assert _of("hoa", _school(), _loan()).classes == {"9B"}
    exact = _loan(starts_at=SEVEN + 60, ends_at=SEVEN + 600)
    assert _of("minh", _school(), exact).classes == {"6A", "6B"}


@pytest.mark.parametrize(
    ("seat", "has"),
    [
        ("6A", True),
        ("6B", False),
        ("9B", False),
        ("6", True),  # at least one class of the grade
        ("9", False),
        ("7", False),  # there is no class of it
        ("staff", False),
    ],
)
def test_a_seat_is_a_teacher_s_by_a_class_or_by_a_grade_with_one(seat: str, has: bool) -> None:
    assert _of("lan", _school()).has_seat(seat) is has


@pytest.mark.parametrize(
    ("grade", "has"), [("6", False), ("9", True), ("7", False), ("staff", False)]
)
def test_a_grade_is_a_teacher_s_if_every_class_of_it_is(grade: str, has: bool) -> None:
    assert _of("hoa", _school()).has_grade(grade) is has


def test_the_pupils_of_a_school_without_classes_are_every_teacher_s() -> None:
    unheard, without = _of("minh", _school()), _of("minh", timetabled())
    assert unheard.occupied("no-such-room") is None
    assert without.occupied("lab") is None
    assert not unheard.may_sit("no-such-room")
    assert without.may_sit("lab")
    between = Teaching(timetabled(), Overrides(), "minh", SEVEN - 600, SEVEN)
    assert between.occupied("lab") is None


def test_one_s_own_lesson_makes_the_break_before_and_after_it_free() -> None:
    policy = _school()
    before = Teaching(policy, Overrides(), "lan", SEVEN - 600, SEVEN + 600)
    assert before.occupied("lab") is None
    after = Teaching(policy, Overrides(), "lan", FIRST_ENDS - 60, SECOND_BEGINS)
    assert after.occupied("lab") is None


def test_between_lessons_the_first_time_of_a_room_is_what_is_shown() -> None:
    policy = _school()
    between = Teaching(policy, Overrides(), "minh", SEVEN - 600, SEVEN)
    assert between.occupied("lab") == OccupiedRoom("", SEVEN - 600, SEVEN)
    assert between.occupied("lab", is_free=True) is None
    bare = Teaching(policy, Overrides(), "hoa", SEVEN, SEVEN + 60)
    assert bare.occupied("lab-b", is_free=True) is None
    assert bare.occupied("lab-b") == OccupiedRoom("", SEVEN, inf)
    twice = Teaching(policy, Overrides(), "hoa", SEVEN - 600, SEVEN)
    assert twice.occupied("lab") == OccupiedRoom("", SEVEN - 600, SEVEN)


def test_what_another_class_has_is_shown_from_the_time_that_was_asked_for() -> None:
    policy = _school()
    in_it = Teaching(policy, Overrides(), "hoa", SEVEN + 60, FIRST_ENDS)
    assert in_it.occupied("lab") == OccupiedRoom("6A", SEVEN + 60, FIRST_ENDS)
    later = Teaching(policy, Overrides(), "lan", FIRST_ENDS - 60, EVENING)
    assert later.occupied("lab") == OccupiedRoom("9B", SECOND_BEGINS, SECOND_ENDS)


@pytest.mark.parametrize(
    ("network", "seat"),
    [
        (BARE, None),
        (replace(BARE, room=False), "6"),  # no command brings a class there
        (replace(BARE, grade="6B"), "6B"),
    ],
)
def test_a_room_where_no_class_is_at_home_is_free_for_one_that_is_brought(
    network: Network, seat: str | None
) -> None:
    policy = _school()
    networks = tuple(network if one.id == "lab-b" else one for one in policy.networks)
    asked = Teaching(replace(policy, networks=networks), Overrides(), "hoa", SEVEN, SEVEN + 60)
    found = asked.occupied("lab-b", is_free=True)
    assert (found and found.seat) == seat


@pytest.mark.parametrize(
    ("weekday", "lesson", "teacher", "may"),
    [
        (0, "tiet-1", "minh", True),
        (0, "tiet-2", "minh", False),  # another lesson
        (1, "tiet-1", "minh", False),  # another day
        (0, "tiet-1", "", False),
        (0, "tiet-9", "minh", False),  # the school has no such lesson
    ],
)
def test_the_timetable_names_a_teacher_for_one_lesson_of_one_day(
    weekday: int, lesson: str, teacher: str, may: bool
) -> None:
    named = Period(weekday, lesson, "9B", teacher)
    plain = Period(0, "tiet-1", "9B")
    cells = (named,) if (weekday, lesson) == (0, "tiet-1") else (named, plain)
    policy = _with_lab(_school(), timetable=cells)
    assert (_of("minh", policy).occupied("lab") is None) is may


@pytest.mark.parametrize(("at", "may"), [(SEVEN, True), (FIRST_ENDS - 1, True)])
def test_a_lesson_is_a_teacher_s_from_its_first_second_to_its_last(at: float, may: bool) -> None:
    policy = _with_lab(_school(), timetable=(Period(0, "tiet-1", "9B", "minh"),))
    assert (Teaching(policy, Overrides(), "minh", at, at + 1).occupied("lab") is None) is may


@pytest.mark.parametrize(
    ("teacher", "room", "overrides", "may"),
    [
        ("lan", "lab", None, True),  # a class of hers has a lesson there
        ("minh", "lab", None, False),
        ("hoa", "lab", None, True),
        ("lan", "p-101", None, True),  # at home there
        ("minh", "p-101", None, False),
        ("minh", "lab-b", None, True),  # grade 6 is at home there, and 6B is his
        ("hoa", "lab-b", None, False),
        ("hoa", "lab-b", "9B", True),  # a command brings her class
        ("minh", "lab", "6B", True),
    ],
)
def test_a_class_may_sit_where_the_timetable_a_command_or_its_home_says(
    teacher: str, room: str, overrides: str | None, may: bool
) -> None:
    brought = (RoomSetting(3, room, overrides or "", "", "root", EVENING, None),)
    set_so = Overrides(rooms=brought if overrides else ())
    assert _of(teacher, _school(), set_so).may_sit(room) is may


def test_a_command_for_another_room_and_the_lesson_of_another_teacher_bring_nobody() -> None:
    elsewhere = Overrides(rooms=(RoomSetting(3, "lab", "9B", "", "root", EVENING, None),))
    assert not _of("hoa", _school(), elsewhere).may_sit("lab-b")
    named = _with_lab(_school("9B", "9B"), timetable=(Period(0, "tiet-1", "9B", "minh"),))
    assert _of("minh", named).may_sit("lab")
    assert not _of("lan", named).may_sit("lab")


def test_the_teacher_of_a_lesson_has_not_the_class_that_a_command_brought_into_it() -> None:
    policy = _with_lab(_school(), timetable=(Period(0, "tiet-1", "6A", "hoa"),))
    brought = Overrides(rooms=(RoomSetting(3, "lab", "6B", "", "minh", SEVEN, FIRST_ENDS),))
    assert _of("hoa", policy).occupied("lab") is None
    found = _of("hoa", policy, brought).occupied("lab")
    assert found is not None
    assert found.seat == "6B"


def test_of_two_lessons_that_touch_each_has_its_own_teacher() -> None:
    cells = (Period(0, "tiet-1", "9B", "lan"), Period(0, "tiet-2", "6B", "lan"))
    policy = _with_lab(_school(), timetable=(cells[0], replace(cells[1], teacher="hoa")))
    lessons = (policy.lessons[0], replace(policy.lessons[1], starts_s=policy.lessons[0].ends_s))
    policy = replace(policy, lessons=lessons)
    second = Teaching(policy, Overrides(), "hoa", FIRST_ENDS, FIRST_ENDS + 60)
    assert second.occupied("lab") is None


def test_of_a_long_time_without_lessons_the_begin_is_shown() -> None:
    """A calendar looks forty days ahead: then the same time between lessons begins anew."""
    holidays = (Holiday("2026-03-01", "2026-09-30", "Hè", "Summer"),)
    policy = replace(_school(), holidays=holidays)
    asked = Teaching(policy, Overrides(), "minh", SEVEN, SEVEN + 90 * 86_400)
    assert len([*asked._seats(policy.networks[0])]) > 1
    found = asked.occupied("lab")
    assert found is not None
    assert (found.seat, found.since) == ("", SEVEN)
    assert SEVEN + 30 * 86_400 < found.until < SEVEN + 50 * 86_400


@pytest.mark.parametrize(("before_s", "may"), [(1.5, True), (1.0, True), (0.5, False)])
def test_a_teacher_listens_to_a_room_to_the_second_before_the_next_lesson(
    before_s: float, may: bool
) -> None:
    policy = _school()
    second = replace(policy.lessons[1], starts_s=policy.lessons[0].ends_s)
    policy = replace(policy, lessons=(policy.lessons[0], second))
    school = Classroom(policy, Overrides(), FIRST_ENDS - before_s, EVENING, ADDRESSES.get)
    refused = pytest.raises(FilterdError, match="9B has lab")
    with nullcontext() if may else refused:
        check_listening(Author("lan", Rank.TEACHER), "lab", school)


@pytest.mark.parametrize("now", [SEVEN, SEVEN + 60])
def test_a_room_that_another_class_has_already_is_not_ended_before_it(now: float) -> None:
    refusal = _try("hoa", "exception", _allow("network", "lab"), now=now)
    assert "(--class, for a class of yours;" in refusal


@pytest.mark.parametrize(
    ("seat", "is_of_pupils"),
    [("6A", True), ("6", True), ("staff", False), ("GV", False), ("gone", True), ("guest", False)],
)
def test_a_class_is_of_pupils_by_its_grade(seat: str, is_of_pupils: bool) -> None:
    policy = _school()
    grades = {key: grade for key, grade in policy.grades.items() if key != "guest"}
    grades["GV"] = replace(policy.grades["staff"], class_id="GV")
    policy = replace(policy, grades=grades)
    teaching = Teaching(policy, Overrides(), "lan", SEVEN, None)
    assert teaching.is_of_pupils(seat) is is_of_pupils
