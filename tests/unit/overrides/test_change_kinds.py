# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.errors import ChangeError
from filterd.overrides import change_kinds
from filterd.overrides.change_kinds import KINDS, ChangeRequest, parse
from filterd.overrides.effects import KINDS as FIELDS
from filterd.overrides.effects import key_of, things_of
from filterd.overrides.history_chain import UNDO, replay
from filterd.state_file import to_plain
from tests.support.changes import (
    LESSON_S,
    Book,
    a_grade_setting,
    an_exam,
    an_exception,
    some_exceptions,
)
from tests.support.policies import NOW

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
    settings = [(one.grade, one.target) for one in book.overrides.grades]
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
    with pytest.raises(ChangeError, match="known: exception, exceptions, revoke"):
        parse("restored", {})
    assert len(KINDS) == 14


def test_who_and_why_are_checked_before_anything_is_done() -> None:
    with pytest.raises(ChangeError, match="a reason is missing"):
        ChangeRequest.of("exception", an_exception(), "lan", " ")
    with pytest.raises(ChangeError, match="not a name of a user"):
        ChangeRequest.of("exception", an_exception(), "", "bài học")
    assert ChangeRequest.of("exam-stop", {"id": 1}, "lan", "").reason == ""


def test_there_is_an_end_to_what_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_kinds, "MAX_THINGS", 2)
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + 5))
    book.make("exception", **an_exception())
    with pytest.raises(ChangeError, match="2 things are set already"):
        book.make("exception", **an_exception())
    book.now += 5  # one of them ends
    book.make("exception", **an_exception())
    book.make("revoke", id=2)
