# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.overrides.history import snapshot
from filterd.overrides.history.snapshot import FORMAT, KEPT_AFTER_END_S, Exported, lasting, newest
from filterd.policy.temporary_rules import Overrides, RoomSetting
from tests.support.changes import Book, a_grade_setting, an_exam, an_exception
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path


def something_of_each() -> Overrides:
    book = Book()
    book.make("exception", **an_exception())
    book.make("room", room="lab-a", grade="8")
    book.make("room-devices", room="lab-a", macs=["02:00:5e:10:00:01"])
    book.make("exam", **an_exam())
    book.make("grade", **a_grade_setting())
    return book.overrides


def test_what_is_set_comes_back_equal(tmp_path: Path) -> None:
    FORMAT.save(tmp_path / "copy", Exported(something_of_each(), "ab" * 32))
    assert FORMAT.load(tmp_path / "copy") == Exported(something_of_each(), "ab" * 32)


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert newest([tmp_path / "copy"]) is None


def test_a_flip_of_any_bit_is_noticed() -> None:
    content = bytearray(FORMAT.dump(Exported(something_of_each(), "")))
    for position in range(len(content) - 1):
        content[position] ^= 0x04
        with pytest.raises(StoreError, match="restart filterd, which writes it again"):
            FORMAT.parse(bytes(content), "copy")
        content[position] ^= 0x04


def test_what_ended_long_ago_is_left_out_but_for_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "KEPT_AT_LEAST", 2)
    rooms = tuple(RoomSetting(n, "lab-a", "8", "", "lan", 0.0, 10.0 * n) for n in range(1, 6))
    last = RoomSetting(6, "lab-a", "8", "", "lan", 0.0)
    overrides = Overrides(rooms=(*rooms, last), number=6)
    kept = lasting(overrides, 40.0 + KEPT_AFTER_END_S)
    assert [room.id for room in kept.rooms] == [3, 4, 5, 6]
    assert kept.number == 6
    assert lasting(overrides, 15.0 + KEPT_AFTER_END_S) == overrides
    assert lasting(something_of_each(), NOW * 2).exams


def test_the_newest_sound_copy_counts_wherever_it_stands(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copies = [tmp_path / name for name in "abcd"]
    for path, number in zip(copies[1:], (2, 3, 1), strict=True):
        FORMAT.save(path, Exported(Overrides(number=number), "ab" * 32))
    found = newest(copies)
    assert found is not None
    assert found.overrides.number == 3
    assert caplog.messages == [], "a copy that is not there is no damage"
    copies[0].write_bytes(b"nonsense")
    assert newest(copies) == found
    assert len(caplog.messages) == 1
    assert str(copies[0]) in caplog.text


def test_of_two_copies_of_the_same_change_the_first_counts(tmp_path: Path) -> None:
    copies = [tmp_path / name for name in "ab"]
    for path, digest in zip(copies, ("ab", "cd"), strict=True):
        FORMAT.save(path, Exported(Overrides(number=1), digest * 32))
    found = newest(copies)
    assert found is not None
    assert found.hash == "ab" * 32


def test_the_copy_is_an_interface_and_one_of_before_has_no_time() -> None:
    content = FORMAT.dump(Exported(Overrides(number=1), "ab" * 32, 5.0))
    assert content.startswith(b"filterd overrides ")
    assert FORMAT.parse(content, "copy").at == 5.0
    assert Exported(Overrides(), "").at == 0.0
    assert (KEPT_AFTER_END_S, snapshot.KEPT_AT_LEAST) == (86_400, 200)
    assert snapshot._logger.name == "filterd.overrides"


def test_a_copy_that_is_none_is_called_by_its_name() -> None:
    with pytest.raises(StoreError, match="copy of the settings made by commands"):
        FORMAT.parse(b"nonsense", "copy")
