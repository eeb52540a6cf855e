# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.errors import ChangeError
from filterd.overrides.effects import ChangeEffect
from filterd.overrides.history_chain import GENESIS, RESTORED, HistoryRow
from tests.support.changes import LESSON_S, Book, a_grade_setting, a_table, an_exam, an_exception
from tests.support.policies import NOW


def test_what_is_undone_is_as_before() -> None:
    book = Book()
    book.make("grade", **a_grade_setting())
    before = book.overrides.grades
    book.make("grade", **a_grade_setting(opens=False))
    book.make("undo", number=2)
    assert book.overrides.grades == before


def test_an_undo_is_undone() -> None:
    book = Book()
    book.make("exception", **an_exception())
    there = book.overrides.exceptions
    book.make("undo", number=1)
    assert book.overrides.exceptions == ()
    book.make("undo", number=2)
    assert book.overrides.exceptions == there
    book.make("undo", number=3)
    assert book.overrides.exceptions == ()


def test_a_revoked_exception_comes_back() -> None:
    book = Book()
    book.make("exception", **an_exception())
    there = book.overrides.exceptions
    book.make("revoke", id=1)
    book.make("undo", number=2)
    assert book.overrides.exceptions == there


def test_undoing_without_a_number_walks_back() -> None:
    book = Book()
    for name in ("a.example", "b.example", "c.example"):
        book.make("exception", **an_exception(target=name))
    assert [book.make("undo").undone() for _ in range(3)] == [3, 2, 1]
    with pytest.raises(ChangeError, match="there is no change of lan to take back"):
        book.make("undo")


def test_undoing_without_a_number_leaves_what_others_have_changed() -> None:
    book = Book()
    for name, author in (("a.example", "lan"), ("b.example", "minh"), ("c.example", "root")):
        book.make("exception", **an_exception(target=name), author=author)
    assert book.make("undo", author="lan").undone() == 1
    with pytest.raises(ChangeError, match=r"no change of lan to take back \(`filterd history list"):
        book.make("undo", author="lan")
    assert [book.make("undo", author=one).undone() for one in ("root", "minh")] == [3, 2]
    assert book.make("undo", author="lan", number=5).undone() == 5


def test_what_has_been_taken_back_is_not_taken_back_again() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("undo", number=1)
    with pytest.raises(ChangeError, match=r"taken back already, by 2 \(to have it again, undo"):
        book.make("undo", number=1)


def test_an_undo_that_was_undone_is_not_undone_again() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("undo", number=1)
    book.make("undo", number=2)
    book.make("undo", number=1)
    with pytest.raises(ChangeError, match="change 2 has been taken back already, by 3"):
        book.make("undo", number=2)
    with pytest.raises(ChangeError, match=r"change 4 has replaced .* change 3 set \(undo change 4"):
        book.make("undo", number=3)


def test_what_has_ended_by_itself_is_not_undone() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + LESSON_S))
    book.make("exception", **an_exception(target="b.example", ends_at=NOW + LESSON_S))
    book.make("revoke", id=2)
    book.now += LESSON_S
    for number in (1, 3):
        with pytest.raises(ChangeError, match=f"what change {number} was about has ended already"):
            book.make("undo", number=number)


def test_what_another_change_has_replaced_is_not_undone() -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=["02:00:5e:10:00:01"])
    book.make("room-devices", room="lab-a", macs=["02:00:5e:10:00:02"])
    with pytest.raises(ChangeError, match=r"change 2 has replaced .* change 1 set \(undo change 2"):
        book.make("undo", number=1)
    book.make("undo", number=2)
    book.make("undo", number=1)
    assert book.overrides.devices == ()


def test_a_table_of_devices_is_taken_back_whole() -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=["02:00:5e:10:00:01"])
    before = book.overrides.devices
    rooms = a_table(lab_a=["02:00:5e:10:00:02"], lab_b=["02:00:5e:10:00:01"], lab_c=[])
    book.make("device-table", rooms=rooms)
    book.make("undo")
    assert book.overrides.devices == before


def test_what_has_been_revoked_is_not_undone() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("revoke", id=1)
    with pytest.raises(ChangeError, match="change 2 has replaced"):
        book.make("undo", number=1)


def test_what_was_taken_away_comes_back_only_to_a_place_that_is_free() -> None:
    book = Book()
    book.make("grade", **a_grade_setting())
    book.make("revoke", id=1)
    book.make("grade", **a_grade_setting(opens=False))
    book.make("room-devices", room="lab-a", macs=["02:00:5e:10:00:01"])
    book.make("room-devices", room="lab-a", macs=[])
    book.make("room-devices", room="lab-b", macs=["02:00:5e:10:00:01"])
    book.make("exam", **an_exam())
    book.make("exam-stop", id=7)
    book.make("exam", **an_exam())
    for number, told in ((2, "change 3 has"), (5, "change 6 has"), (8, "has the exam 9 then")):
        with pytest.raises(ChangeError, match=told):
            book.make("undo", number=number)


def test_a_change_that_is_none_cannot_be_undone() -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=[])
    with pytest.raises(ChangeError, match="change 1 has changed nothing"):
        book.make("undo", number=1)
    with pytest.raises(ChangeError, match="there is no change 2 to take back"):
        book.make("undo", number=2)
    book.rows = [HistoryRow.of(1, NOW, "filterd", RESTORED, {}, "", ChangeEffect(), GENESIS)]
    with pytest.raises(ChangeError, match="there is no change 1 to take back"):
        book.make("undo", number=1)
