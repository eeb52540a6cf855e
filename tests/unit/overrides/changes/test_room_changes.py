# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError
from filterd.base.state_folder import StateFolder
from filterd.overrides.changes import room_changes
from filterd.overrides.changes.change_kinds import parse
from filterd.overrides.changes.room_changes import LONGEST_EXAM_S, SetDevices, check_exams
from filterd.overrides.history.store import Store
from filterd.policy.temporary_rules import ClassLoan, Exam, RoomDevices, RoomSetting
from tests.support.changes import LESSON_S, Book, a_table, an_exam
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

MACS = ["02:00:5e:10:00:01", "02-00-5E-10-00-02"]
MAC = "02:00:5e:10:00:09"


def many(room: int, count: int) -> list[str]:
    """Return MACs that no other room has."""
    return [f"02:00:00:00:{room:02x}:{number:02x}" for number in range(count)]


def test_a_room_is_given_a_grade() -> None:
    book = Book()
    book.make("room", reason="", room="lab-a", grade=8, ends_at=NOW + LESSON_S)
    setting = RoomSetting(1, "lab-a", "8", "", "lan", NOW, NOW + LESSON_S)
    assert book.overrides.rooms == (setting,)


def test_a_setting_takes_away_what_it_leaves_no_room_for() -> None:
    book = Book()
    book.make("room", room="lab-a", grade="6")
    book.make("room", room="lab-b", grade="6")
    book.make("room", room="lab-a", grade="7", ends_at=NOW + 100)
    book.make("room", room="lab-a", grade="8", ends_at=NOW + 200)
    assert [room.id for room in book.overrides.rooms] == [1, 2, 4]
    book.make("room", room="lab-a", grade="9")
    assert [room.id for room in book.overrides.rooms] == [2, 5]


def test_a_setting_that_begins_later_leaves_what_holds_until_then() -> None:
    book = Book()
    book.make("room", room="lab-a", grade="6")
    book.make("room", room="lab-a", grade="9", starts_at=NOW + 50)
    assert [room.id for room in book.overrides.rooms] == [1, 2]


def test_a_room_has_its_devices_until_others_are_named() -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=MACS)
    assert book.overrides.devices == (
        RoomDevices("lab-a", ("02:00:5e:10:00:01", "02:00:5e:10:00:02")),
    )
    book.make("room-devices", room="lab-a", macs=MACS[:1])
    assert book.overrides.devices == (RoomDevices("lab-a", ("02:00:5e:10:00:01",)),)
    book.make("room-devices", room="lab-a", macs=[])
    assert not book.overrides.devices


def test_a_device_stands_in_one_room() -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=MACS)
    with pytest.raises(ChangeError, match="02:00:5e:10:00:02 is in room lab-a"):
        book.make("room-devices", room="lab-b", macs=MACS[1:])


def test_a_table_puts_the_devices_of_several_rooms_at_once() -> None:
    book = Book()
    first, second = (mac.lower().replace("-", ":") for mac in MACS)
    book.make("room-devices", room="lab-c", macs=[MAC])
    book.make("device-table", rooms=a_table(lab_b=[first], lab_a=[second]))
    book.make("device-table", rooms=a_table(lab_b=[second], lab_a=[first]))
    assert book.overrides.devices == (
        RoomDevices("lab-a", (first,)),
        RoomDevices("lab-b", (second,)),
        RoomDevices("lab-c", (MAC,)),
    )
    book.make("device-table", rooms=a_table(lab_c=[], lab_b=[MAC]))
    assert [device.room for device in book.overrides.devices] == ["lab-a", "lab-b"]


@pytest.mark.parametrize(
    ("rooms", "message"),
    [
        (a_table(lab_a=[MAC], lab_b=[MAC]), f"{MAC} is in room lab-a"),
        (a_table(lab_b=[MAC]), f"{MAC} is in room lab-c"),
        ([*a_table(lab_b=[]), *a_table(lab_b=[])], "lab-b occurs twice"),
        (a_table(lab_b=["no mac"]), "is not a MAC address"),
        ([{"room": "Phòng", "macs": []}], "is not an identifier"),
        ([{"room": "lab-b", "macs": [], "more": 1}], "unknown: 'more'"),
        ([["lab-b", MAC]], "a room and its devices expected"),
        ([{"room": "lab-b", "macs": MAC}], "a list expected"),
        ({"lab-b": [MAC]}, "a list expected"),
        (a_table(**{f"r{n}": many(n, 255) for n in range(20)}), "at most 5000"),
    ],
)
def test_a_table_that_cannot_be_is_refused(rooms: Any, message: str) -> None:
    book = Book()
    book.make("room-devices", room="lab-c", macs=[MAC])
    with pytest.raises(ChangeError, match=message):
        book.make("device-table", rooms=rooms)


def test_an_exam_is_set_and_stopped() -> None:
    book = Book()
    book.make("exam", **an_exam(services=["azota"]))
    exam = Exam(1, "lab-a", ("thi.example",), ("azota",), "bài học", "lan", NOW, NOW + LESSON_S)
    assert book.overrides.exams == (exam,)
    book.make("exam-stop", id=1)
    assert not book.overrides.exams


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"ends_at": None}, "'ends_at' is missing"),
        ({"ends_at": NOW}, "its end is past"),
        ({"room": None}, "'room' is missing"),
        ({"names": ["a"] * 2001}, "2001 are too many"),
        ({"names": ["*.thi.example"], "ends_at": None}, "names: a name needs no"),
        ({"ends_at": NOW + LONGEST_EXAM_S + 1}, "at most 12 hours .for 90 minutes write"),
    ],
)
def test_an_exam_that_is_none_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        Book().make("exam", **an_exam(**more))


def test_two_exams_in_a_room_may_follow_each_other_only() -> None:
    book = Book()
    book.make("exam", **an_exam())
    with pytest.raises(ChangeError, match="room lab-a has exam 1 at that time"):
        book.make("exam", **an_exam(starts_at=NOW + 60, ends_at=NOW + 2 * LESSON_S))
    book.make("exam", **an_exam(starts_at=NOW + LESSON_S, ends_at=NOW + 2 * LESSON_S))
    book.make("exam", **an_exam(room="lab-b"))


def test_an_exam_that_is_over_is_not_stopped() -> None:
    book = Book()
    book.make("exam", **an_exam())
    book.now += LESSON_S
    with pytest.raises(ChangeError, match="1 has already ended"):
        book.make("exam-stop", id=1)
    with pytest.raises(ChangeError, match="there is no exam 7"):
        book.make("exam-stop", id=7)


def test_a_device_has_one_name_and_none_after_an_empty_one() -> None:
    book = Book()
    book.make("device-name", mac=MACS[0].upper(), name="Máy 1")
    book.make("device-name", mac=MACS[1], name="Máy 2")
    book.make("device-name", mac=MACS[0], name="Máy cũ")
    assert [name.name for name in book.overrides.device_names] == ["Máy cũ", "Máy 2"]
    book.make("device-name", mac=MACS[0], name=" ")
    assert [name.name for name in book.overrides.device_names] == ["Máy 2"]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"mac": "x", "name": "a"}, "MAC: 'x' is not a MAC address"),
        ({"mac": MAC, "name": "a\x1bb"}, "U\\+001B"),
        ({"mac": MAC, "name": "a" * 101}, "at most 100 characters"),
        ({"mac": MAC}, "'name' is missing"),
    ],
)
def test_what_is_no_name_of_a_device_is_refused(wrong: dict[str, str], problem: str) -> None:
    with pytest.raises(ChangeError) as error:
        Book().make("device-name", **wrong)
    assert re.search(problem, f"{error.value} {error.value.hint}")


LENT = {"class_id": "6A", "to": "minh", "ends_at": NOW + 3600}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(StateFolder(tmp_path), FakeClock(wall=NOW))
    store.start()
    return store


def test_a_loan_is_set_taken_back_and_in_a_history_that_verifies(store: Store) -> None:
    done = store.change("class-lend", LENT, author="lan", reason="ốm")
    assert done.overrides.loans == (ClassLoan(1, "6A", "minh", "ốm", "lan", NOW, NOW + 3600),)
    assert store.change("undo", {}, author="lan", reason="").overrides.loans == ()
    store.change("class-lend", LENT, author="lan", reason="")
    assert store.change("revoke", {"id": 3}, author="lan", reason="").overrides.loans == ()
    assert store.verify().is_sound


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"class_id": "6"}, "class: '6' is not a class"),
        ({"to": "cô lan"}, "the substitute: 'cô lan' is not a user name"),
        ({"ends_at": NOW - 1}, "its end is past"),
        ({"ends_at": None}, "'ends_at' is missing"),
    ],
)
def test_a_loan_that_cannot_be_is_refused(
    store: Store, wrong: dict[str, object], problem: str
) -> None:
    with pytest.raises(ChangeError, match=problem):
        store.change("class-lend", LENT | wrong, author="lan", reason="")


def test_an_exam_may_last_to_the_second_that_is_allowed() -> None:
    book = Book()
    book.make("exam", **an_exam(ends_at=NOW + LONGEST_EXAM_S))
    with pytest.raises(ChangeError, match=f"at most {LONGEST_EXAM_S / 3600:.0f} hours"):
        book.make("exam", **an_exam(room="lab-b", ends_at=NOW + LONGEST_EXAM_S + 1))


def test_an_exam_may_end_where_another_begins() -> None:
    book = Book()
    book.make("exam", **an_exam(starts_at=NOW + LESSON_S, ends_at=NOW + 2 * LESSON_S))
    book.make("exam", **an_exam())
    with pytest.raises(ChangeError, match="room lab-a has exam 1 at that time"):
        book.make("exam", **an_exam(ends_at=NOW + LESSON_S + 1, starts_at=NOW + LESSON_S - 1))
    assert [exam.id for exam in book.overrides.exams] == [1, 2]


def test_an_exam_does_not_stand_in_its_own_way() -> None:
    book = Book()
    book.make("exam", **an_exam())
    (exam,) = book.overrides.exams
    check_exams((exam,), exam)
    with pytest.raises(ChangeError, match="has exam 1 at that time"):
        check_exams((exam,), replace(exam, id=2))


@pytest.mark.parametrize(
    ("before", "after", "rooms"),
    [
        ({"ends_at": NOW + 60}, {"ends_at": NOW + 60}, [2]),
        ({"ends_at": NOW + 61}, {"ends_at": NOW + 60}, [1, 2]),
        ({"ends_at": NOW + 59}, {"ends_at": NOW + 60}, [2]),
        ({}, {"ends_at": NOW + 60}, [1, 2]),
        ({"ends_at": NOW + 60}, {}, [2]),
        ({"ends_at": NOW + 90}, {"starts_at": NOW + 30, "ends_at": NOW + 90}, [1, 2]),
        ({"starts_at": NOW + 30, "ends_at": NOW + 90}, {"ends_at": NOW + 90}, [2]),
        (
            {"starts_at": NOW + 30, "ends_at": NOW + 90},
            {"starts_at": NOW + 30, "ends_at": NOW + 90},
            [2],
        ),
    ],
)
def test_a_setting_takes_the_place_of_those_that_never_apply_again(
    before: dict[str, Any], after: dict[str, Any], rooms: list[int]
) -> None:
    book = Book()
    book.make("room", room="lab-a", grade="8", **before)
    book.make("room", room="lab-a", grade="7", **after)
    assert [room.id for room in book.overrides.rooms] == rooms


def test_what_was_set_long_ago_is_replaced_by_what_begins_now() -> None:
    book = Book()
    book.make("room", room="lab-a", grade="8", ends_at=NOW + 3600)
    book.now += 60
    book.make("room", room="lab-a", grade="7", starts_at=NOW + 60, ends_at=NOW + 3600)
    assert [room.id for room in book.overrides.rooms] == [2]


def test_a_table_has_so_many_devices_and_its_rooms_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room_changes, "MAX_TABLE", 2)
    macs = [MAC, "02:00:5e:10:00:07"]
    change = parse("device-table", {"rooms": a_table(lab_b=[macs[0]], lab_a=[macs[1]])})
    assert isinstance(change, SetDevices)
    assert [room.room for room in change.rooms] == ["lab-a", "lab-b"]
    with pytest.raises(ChangeError, match="3 are too many"):
        parse("device-table", {"rooms": a_table(lab_a=[*macs, "02:00:5e:10:00:08"])})
