# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.errors import ChangeError
from filterd.base.state_file import to_plain
from filterd.overrides.changes import change_kinds
from filterd.overrides.changes.change_kinds import KINDS, ChangeRequest, as_it_is, is_undated, parse
from filterd.overrides.changes.effects import THINGS as FIELDS
from filterd.overrides.changes.effects import ChangeEffect, key_of, things_of
from filterd.overrides.history.history_chain import GENESIS, RESTORED, UNDO, HistoryRow, replay
from filterd.policy.temporary_rules import DeviceName
from tests.support.changes import (
    LESSON_S,
    Book,
    a_grade_setting,
    a_table,
    an_exam,
    an_exception,
    some_exceptions,
)
from tests.support.policies import NOW

if TYPE_CHECKING:
    from filterd.policy.temporary_rules import LocalException

numbers = st.integers(1, 12)
rooms = st.sampled_from(["lab-a", "lab-b"])
ends = st.none() | st.sampled_from([NOW + 100, NOW + LESSON_S])
macs = st.lists(st.sampled_from([f"02:00:5e:10:00:0{n}" for n in range(4)]), max_size=3)
kinds = st.sampled_from(["name", "entry"])
requests = st.one_of(
    st.builds(
        lambda kind, end: ("exception", an_exception(target_kind=kind, ends_at=end)), kinds, ends
    ),
    st.builds(lambda end: ("exceptions", some_exceptions(ends_at=end)), ends),
    st.builds(lambda number: ("revoke", {"id": number}), numbers),
    st.builds(
        lambda room, end: ("room", {"room": room, "grade": "8", "ends_at": end}), rooms, ends
    ),
    st.builds(lambda room, found: ("room-devices", {"room": room, "macs": found}), rooms, macs),
    st.builds(
        lambda room, found: ("device-table", {"rooms": [{"room": room, "macs": found}]}),
        rooms,
        macs,
    ),
    st.builds(
        lambda name: ("device-name", {"mac": "02:00:5e:10:00:01", "name": name}),
        st.sampled_from(["", "one", "two"]),
    ),
    st.builds(lambda room: ("exam", an_exam(room=room)), rooms),
    st.builds(lambda number: ("exam-stop", {"id": number}), numbers),
    st.builds(lambda opens: ("grade", a_grade_setting(opens=opens)), st.booleans()),
    st.builds(lambda number: (UNDO, {"number": number}), st.none() | numbers),
    st.just(("report-mistake", {"name": "uni.example"})),
)
steps = st.lists(st.tuples(requests, st.sampled_from([0.0, 60.0, -30.0, LESSON_S])), max_size=25)


def played(script: list[tuple[tuple[str, dict[str, Any]], float]]) -> Book:
    """Return the book after all changes of a script that can be made."""
    book = Book()
    for (kind, payload), passes_s in script:
        book.now += passes_s
        try:
            book.make(kind, **payload)
        except ChangeError:
            continue
    return book


@settings(max_examples=150, deadline=None)
@given(steps)
def test_nothing_is_ever_there_twice(script: list[Any]) -> None:
    book = played(script)
    for kind in FIELDS:
        keys = [key_of(thing) for thing in getattr(book.overrides, kind)]
        assert sorted(set(keys)) == keys
    settings = [(grade.grade, grade.target) for grade in book.overrides.grades]
    assert len(set(settings)) == len(settings)
    devices = [mac for room in book.overrides.devices for mac in room.macs]
    assert len(set(devices)) == len(devices)
    made = [one.id for one in things_of(book.overrides) if hasattr(one, "id")]
    assert all(0 < number <= book.overrides.number for number in made)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_each_prefix_of_a_history_folds_to_what_was_set_then(script: list[Any]) -> None:
    book, then = Book(), []
    for (kind, payload), passes_s in script:
        book.now += passes_s
        try:
            book.make(kind, **payload)
        except ChangeError:
            continue
        then.append(book.overrides)
    for length, overrides in enumerate(then, 1):
        assert replay(book.rows[:length]).overrides == overrides


@settings(max_examples=150, deadline=None)
@given(steps)
def test_taking_back_the_last_change_leaves_what_was_before(script: list[Any]) -> None:
    book = played(script)
    if not book.rows:
        return
    before = replay(book.rows[:-1]).overrides
    try:
        book.make(UNDO, number=book.rows[-1].number)
    except ChangeError as error:
        refused = str(error)
        assert "ended" in refused or "nothing" in refused
        return
    assert list(things_of(book.overrides)) == list(things_of(before))
    book.make(UNDO, number=book.rows[-1].number)
    assert list(things_of(book.overrides)) == list(things_of(replay(book.rows[:-2]).overrides))


@settings(max_examples=150, deadline=None)
@given(requests)
def test_a_payload_can_be_read_again(request: tuple[str, dict[str, Any]]) -> None:
    kind, payload = request
    change = parse(kind, payload)
    assert parse(kind, to_plain(change)) == change


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(ChangeError, match=r"'exeption' is not a kind .*did you mean 'exception'"):
        parse("exeption", {})
    with pytest.raises(ChangeError, match="known: exception, exceptions, pause"):
        parse("restored", {})
    assert len(KINDS) == 26


def test_author_and_reason_are_checked_before_anything_is_done() -> None:
    with pytest.raises(ChangeError, match="a reason is missing"):
        ChangeRequest.of("exception", an_exception(), "lan", " ")
    with pytest.raises(ChangeError, match="not a user name"):
        ChangeRequest.of("exception", an_exception(), "", "bài học")
    assert ChangeRequest.of("exam-stop", {"id": 1}, "lan", "").reason == ""


def test_there_is_an_end_to_what_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_kinds, "MAX_THINGS", 2)
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + 5))
    book.make("exception", **an_exception())
    with pytest.raises(ChangeError, match="there are already 2 settings"):
        book.make("exception", **an_exception())
    book.now += 5  # one of them ends
    book.make("exception", **an_exception())
    book.make("revoke", id=2)


HOUR = 3600.0


def the_exception(book: Book) -> LocalException:
    (one,) = book.overrides.exceptions
    return one


LOW = NOW - 500 * HOUR


@pytest.mark.parametrize(
    ("allow", "lag_h", "since", "began_h", "lasts_h"),
    [
        (False, None, 0, 0, 1),  # how long ago it was set is not known: it lasts from now on
        (True, None, 0, 0, 0),
        (False, 590, 0, -10, 1),
        (True, 590, 0, -10, 1),  # it was open for an hour, ten hours ago
        (True, 590, 1, -10, 10),  # of another boot: open no longer
        (False, 590, 1, -10, 1),
        (False, 900, 0, 0, 1),  # no later than now
    ],
)
def test_what_was_set_for_a_length_gets_the_dates_that_it_had(
    allow: bool, lag_h: float | None, since: int, began_h: float, lasts_h: float
) -> None:
    book = Book()
    request = ChangeRequest.of(
        "exception", an_exception(allow=allow, ends_at=NOW + HOUR, for_s=HOUR), "lan", "thi"
    )
    row = request.row(NOW, book.overrides, book, book.replay.last_hash, NOW, LOW)
    book.replay = replay((row,), book.replay)
    book.rows.append(row)
    assert the_exception(book).starts_at == LOW, "so that it has begun whatever the time is"
    book.now += 100 * HOUR
    how: dict[str, Any] = {} if lag_h is None else {"lag_s": lag_h * HOUR}
    book.make("clock", reason="", author="filterd", **how, **({"since": since} if since else {}))
    one = the_exception(book)
    assert one.for_s is None
    assert one.starts_at == book.now + began_h * HOUR
    assert one.ends_at == one.starts_at + lasts_h * HOUR


def test_what_was_set_for_a_length_is_dated_once_the_time_is_known() -> None:
    book = Book()
    book.make("exception", **an_exception(allow=False, ends_at=book.now + HOUR, for_s=HOUR))
    undated = the_exception(book)
    assert is_undated(book.overrides)
    book.now += 100 * HOUR
    book.make("clock", reason="", author="filterd")
    one = the_exception(book)
    assert (one.starts_at, one.ends_at, one.for_s) == (book.now, book.now + HOUR, None)
    assert not is_undated(book.overrides)
    assert as_it_is(undated, book.overrides, "exceptions") == one


@pytest.mark.parametrize("kind", ["clock", "clock-accept"])
def test_no_undo_takes_its_dates_from_what_was_set(kind: str) -> None:
    """It would begin anew, as often as its author likes, beyond the end of the day."""
    book = Book()
    book.make("exception", **an_exception(allow=False, ends_at=book.now + HOUR, for_s=HOUR))
    book.now += 100 * HOUR
    book.make(kind)
    with pytest.raises(ChangeError, match="change 2 has dated what was set; it stays"):
        book.make("undo", number=2)
    book.make("undo")  # the last that can be undone is the exception
    assert not book.overrides.exceptions


@pytest.mark.parametrize("dates", [{}, {"ends_at": HOUR}])
def test_what_was_set_by_a_clock_ahead_is_moved_back(dates: dict[str, float]) -> None:
    book = Book()
    ends = {key: book.now + value for key, value in dates.items()}
    payload: dict[str, Any] = an_exception(allow=False) | ends
    book.make("exception", **payload)
    before = the_exception(book)
    book.now -= 100 * HOUR
    book.make("clock-accept", ahead_s=100 * HOUR)
    one = the_exception(book)
    assert one.starts_at == before.starts_at - 100 * HOUR
    assert (one.ends_at is None) == (before.ends_at is None)
    if one.ends_at is not None:
        assert one.ends_at - one.starts_at == HOUR


def test_what_was_planned_by_a_clock_that_was_right_stays() -> None:
    book = Book()
    book.make("exception", **an_exception(starts_at=book.now + HOUR, ends_at=book.now + 2 * HOUR))
    before = the_exception(book)
    book.make("clock-accept", ahead_s=5 * HOUR)
    assert the_exception(book) == before


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
    with pytest.raises(ChangeError, match="there is no change of lan to undo"):
        book.make("undo")


def test_undoing_without_a_number_leaves_what_others_have_changed() -> None:
    book = Book()
    for name, author in (("a.example", "lan"), ("b.example", "minh"), ("c.example", "root")):
        book.make("exception", **an_exception(target=name), author=author)
    assert book.make("undo", author="lan").undone() == 1
    with pytest.raises(ChangeError, match=r"no change of lan to undo \(`filterd history list"):
        book.make("undo", author="lan")
    assert [book.make("undo", author=one).undone() for one in ("root", "minh")] == [3, 2]
    assert book.make("undo", author="lan", number=5).undone() == 5


def test_what_has_been_taken_back_is_not_taken_back_again() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("undo", number=1)
    with pytest.raises(ChangeError, match=r"already been undone, by 2 \(to restore it, undo"):
        book.make("undo", number=1)


def test_an_undo_that_was_undone_is_not_undone_again() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("undo", number=1)
    book.make("undo", number=2)
    book.make("undo", number=1)
    with pytest.raises(ChangeError, match="change 2 has already been undone, by 3"):
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
        with pytest.raises(ChangeError, match=f"what change {number} set has already ended"):
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
    for number, text in ((2, "change 3 has"), (5, "change 6 has"), (8, "has exam 9 at that time")):
        with pytest.raises(ChangeError, match=text):
            book.make("undo", number=number)


def test_a_name_comes_back_only_where_the_device_has_no_other() -> None:
    book, mac = Book(), "02:00:5e:10:00:01"
    for name in ("one", "", "two"):
        book.make("device-name", mac=mac, name=name)
    for number, by in ((1, 2), (2, 3)):
        with pytest.raises(ChangeError, match=f"change {by} has replaced"):
            book.make("undo", number=number)
    book.make("undo", number=3)
    book.make("undo", number=2)
    assert book.overrides.device_names == (DeviceName(mac, "one"),)


def test_a_change_that_is_none_cannot_be_undone() -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=[])
    with pytest.raises(ChangeError, match="change 1 has changed nothing"):
        book.make("undo", number=1)
    with pytest.raises(ChangeError, match="there is no change 2 to undo"):
        book.make("undo", number=2)
    book.rows = [HistoryRow.of(1, NOW, "filterd", RESTORED, {}, "", ChangeEffect(), GENESIS)]
    with pytest.raises(ChangeError, match="there is no change 1 to undo"):
        book.make("undo", number=1)


@pytest.mark.parametrize(
    ("tier", "first", "second", "is_let"),
    [
        # Of two levels without an end for the same tiers one takes the place of the other.
        ("primary", None, None, False),
        ("staff", None, None, True),
        ("primary", None, NOW + 60, True),
        ("primary", NOW + 60, None, True),
    ],
)
def test_a_level_is_not_taken_back_where_another_has_its_place(
    tier: str, first: float | None, second: float | None, is_let: bool
) -> None:
    book, off = Book(), {"level": "off"}
    levels: list[dict[str, Any]] = [
        {**off, "tier": of, **({} if ends_at is None else {"ends_at": ends_at})}
        for of, ends_at in (("primary", first), (tier, second))
    ]
    book.make("log-level", **levels[0])
    book.make("revoke", id=1)
    book.make("log-level", **levels[1])
    if is_let:
        book.make("undo", number=2)
        assert len(book.overrides.log_settings) == 2
    else:
        with pytest.raises(ChangeError, match="change 3 has replaced what change 2 set"):
            book.make("undo", number=2)


def test_what_has_dates_of_its_own_stays_when_the_time_is_known() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=book.now + HOUR))
    before = the_exception(book)
    assert not is_undated(book.overrides)
    book.now -= 10.0
    book.make("clock", reason="", author="filterd")
    assert the_exception(book) == before


def test_one_thing_that_waits_for_the_time_is_enough() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=book.now + HOUR))
    ends_at = book.now + HOUR
    book.make("exception", **an_exception(target="b.example", ends_at=ends_at, for_s=HOUR))
    assert is_undated(book.overrides)


def test_a_thing_is_found_again_by_its_key_and_not_by_its_likeness() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=book.now + HOUR))
    (one,) = book.overrides.exceptions
    other = replace(one, id=9)
    both = replace(book.overrides, exceptions=(other, one))
    assert as_it_is(one, both, "exceptions") is one
    assert as_it_is(other, both, "exceptions") is other


def test_what_a_clock_ahead_has_only_just_made_is_moved_too() -> None:
    book = Book()
    book.make("exception", **an_exception(allow=False))
    before = the_exception(book)
    book.now -= HOUR
    book.make("clock-accept", ahead_s=HOUR)
    assert the_exception(book).starts_at == before.starts_at - HOUR == book.now


def test_a_change_of_which_a_part_lasts_is_taken_back() -> None:
    book = Book()
    book.make("room", room="lab-a", grade="8", ends_at=NOW + LESSON_S)
    book.make("room", room="lab-a", grade="7", ends_at=NOW + 2 * LESSON_S)
    book.now += LESSON_S
    book.make("undo", number=2)
    assert [room.grade for room in book.overrides.rooms] == ["8"]


def test_the_change_that_stands_in_the_way_is_the_last_that_took_the_thing() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("revoke", id=1)
    book.make("undo", number=2)
    book.make("revoke", id=1)
    with pytest.raises(ChangeError, match=r"change 4 has replaced .* \(undo change 4"):
        book.make("undo", number=1)


@pytest.mark.parametrize(
    ("room", "mac", "is_let"),
    [
        ("lab-a", "02:00:5e:10:00:02", False),
        ("lab-b", "02:00:5e:10:00:01", False),
        ("lab-b", "02:00:5e:10:00:02", True),
    ],
)
def test_devices_come_back_only_to_a_room_without_others_and_from_none(
    room: str, mac: str, is_let: bool
) -> None:
    book = Book()
    book.make("room-devices", room="lab-a", macs=["02:00:5e:10:00:01"])
    book.make("room-devices", room="lab-a", macs=[])
    book.make("room-devices", room=room, macs=[mac])
    if is_let:
        book.make("undo", number=2)
        assert len(book.overrides.devices) == 2
    else:
        with pytest.raises(ChangeError, match="change 3 has replaced what change 2 set"):
            book.make("undo", number=2)


def test_a_payload_has_no_field_that_says_nothing() -> None:
    book = Book()
    row = book.make("exception", **an_exception(allow=False))
    assert "null" not in row.payload
    assert "ends_at" not in row.to_plain()["payload"]


def test_a_row_has_the_time_of_the_machine_and_its_thing_that_of_the_school() -> None:
    request = ChangeRequest.of("exception", an_exception(ends_at=NOW + HOUR), "lan", "bài học")
    book = Book()
    row = request.row(5.0, book.overrides, book, GENESIS, NOW)
    (one,) = row.effect().after.exceptions
    assert (row.at, one.starts_at) == (5.0, NOW)


def test_what_was_moved_back_once_is_not_moved_again() -> None:
    book = Book()
    book.make("exception", **an_exception(allow=False))
    book.now -= 100 * HOUR
    book.make("clock-accept", ahead_s=100 * HOUR)
    moved = the_exception(book)
    for _ in range(2):
        book.make("clock-accept", ahead_s=HOUR)
        assert the_exception(book) == moved
        book.now += 10


def test_a_clock_that_was_ahead_moves_all_that_has_dates() -> None:
    book, later = Book(), {"ends_at": NOW + 9 * HOUR}
    for kind, payload in (
        ("exception", an_exception(**later)),
        ("room", {"room": "lab-a", "grade": "8", **later}),
        ("exam", an_exam(**later)),
        ("grade", a_grade_setting()),
        ("class-lend", {"class_id": "6A", "to": "minh", **later}),
        ("log-level", {"level": "off", **later}),
    ):
        book.make(kind, **payload)
    before = [one.starts_at for one in things_of(book.overrides)]
    book.now -= HOUR
    book.make("clock-accept", ahead_s=HOUR)
    assert [one.starts_at for one in things_of(book.overrides)] == [at - HOUR for at in before]
    assert len(before) == 6
    assert change_kinds.MAX_THINGS == 5_000


def test_what_opens_or_closes_for_many_needs_a_reason() -> None:
    assert {"exception", "exceptions", "pause", "report-mistake"} <= change_kinds.NEED_A_REASON
