# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.changes.effects import ChangeEffect
from filterd.overrides.history import history_chain
from filterd.overrides.history.history_chain import (
    GENESIS,
    RESTORED,
    HistoryReplay,
    HistoryRow,
    newest_undoable,
    replay,
    with_undos,
)
from filterd.policy.temporary_rules import Overrides, RoomDevices
from tests.support.changes import Book, an_exception
from tests.support.policies import NOW


def five() -> list[HistoryRow]:
    book = Book()
    for name in "abcde":
        book.make("exception", **an_exception(target=f"{name}.example"))
    return book.rows


def rehashed(row: HistoryRow) -> HistoryRow:
    return row._replace(hash=row.true_hash())


def test_unaltered_rows_give_the_state_that_was_set() -> None:
    done = replay(five())
    assert (done.first_bad, done.problem) == (None, "")
    assert [exception.target[0] for exception in done.overrides.exceptions] == list("abcde")
    assert done.last_hash == five()[-1].hash


@pytest.mark.parametrize("field", [name for name in HistoryRow._fields if name != "number"])
def test_whichever_field_of_a_row_is_altered_it_is_found(field: str) -> None:
    rows = five()
    value: Any = rows[2].at + 1 if field == "at" else f"{getattr(rows[2], field)} "
    rows[2] = rows[2]._replace(**{field: value})
    done = replay(rows)
    assert (done.first_bad, done.problem) == (3, "it has been altered")
    assert done.overrides == replay(rows[:2]).overrides


@pytest.mark.parametrize("value", [None, b"\xff", float("nan"), "\ud800"])
def test_a_field_that_is_none_is_altered(value: object) -> None:
    rows = five()
    rows[2] = rows[2]._replace(author=value)  # type: ignore[arg-type]
    assert replay(rows).first_bad == 3


def test_a_row_that_was_altered_with_its_hash_breaks_the_chain_at_the_next() -> None:
    rows = five()
    rows[2] = rehashed(rows[2]._replace(author="nobody"))
    assert (replay(rows).first_bad, replay(rows).problem) == (
        4,
        "the row before it is a different one",
    )


def test_control_without_the_chain_it_would_pass() -> None:
    rows = five()
    rows[2] = rehashed(rows[2]._replace(author="nobody"))
    rows[3] = rehashed(rows[3]._replace(previous=rows[2].hash))
    rows[4] = rehashed(rows[4]._replace(previous=rows[3].hash))
    assert replay(rows).first_bad is None


def test_a_row_that_was_removed_is_missed() -> None:
    rows = five()
    assert replay(rows[:2] + rows[3:]).problem == "rows before it are missing"
    assert replay(rows[1:]).first_bad == 2


def test_a_row_that_does_what_cannot_be_is_found() -> None:
    rows = five()
    twice = rows[0]._replace(number=2, previous=rows[0].hash)
    assert replay([rows[0], rehashed(twice)]).problem == "it adds what was there already"
    assert replay([rehashed(rows[0]._replace(after="{"))]).problem == "it cannot be read"
    assert replay([rehashed(rows[0]._replace(after='{"x":1}'))]).problem == "it cannot be read"


def test_a_fold_goes_on_where_it_was_left() -> None:
    rows = five()
    assert replay(rows[3:], replay(rows[:3])) == replay(rows)


def test_a_history_may_begin_with_what_was_restored() -> None:
    things = Overrides(devices=(RoomDevices("lab-a", ("02:00:5e:10:00:01",)),))
    row = HistoryRow.of(
        17, NOW, "filterd", RESTORED, {"file": "x"}, "", ChangeEffect(after=things), "ab" * 32
    )
    done = replay([row])
    assert done == HistoryReplay(Overrides(devices=things.devices, number=17), row.hash, NOW)
    assert replay([*five(), row]).problem == "rows before it are missing"


def test_a_row_for_people_has_no_json_in_it() -> None:
    outcome = five()[0].to_plain()
    assert outcome["payload"]["target"] == "a.example"
    assert (outcome["before"], outcome["previous"]) == ({}, GENESIS)
    assert outcome["after"]["exceptions"][0]["id"] == 1


def test_an_undo_that_was_undone_takes_nothing_back() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("undo", number=1)
    book.make("undo", number=2)
    assert [(row.number, by) for row, by in with_undos(book.newest_first())] == [
        (3, None),
        (2, 3),
        (1, None),
    ]
    for author in ("lan", "web:lan"):
        found = newest_undoable(book.newest_first(), author)
        assert found is not None
        assert found.number == 1
    assert newest_undoable([], "lan") is None


def test_a_change_that_changed_nothing_does_not_stop_undoing() -> None:
    book = Book()
    first = book.make("exception", **an_exception())
    book.make("room-devices", room="lab", macs=[])
    found = newest_undoable(book.newest_first(), "lan")
    assert found is not None
    assert found.number == first.number
    assert book.make("undo").undone() == first.number


def test_undoing_the_last_change_passes_over_a_trial() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("exam-trial", room="lab-a")
    newest = newest_undoable(book.newest_first(), "lan")
    assert newest is not None
    assert newest.number == 1


def test_a_row_is_hashed_and_written_as_in_every_release() -> None:
    """A history of an earlier release verifies: neither may change."""
    effect = ChangeEffect(after=Overrides(devices=(RoomDevices("lab", ("02:00:5e:10:00:01",)),)))
    row = HistoryRow.of(1, 5.0, "lan", "exception", {"a": "ố", "b": 1}, "ổn", effect, GENESIS)
    assert row.payload == '{"a":"ố","b":1}'
    assert row.after == '{"devices":[{"room":"lab","macs":["02:00:5e:10:00:01"]}]}'
    assert row.hash == "e8a2e180315d84ec7118ef2909e6225be04669a15b644a108b2172d389b918da"


@pytest.mark.parametrize("kind", ["clock", "clock-accept"])
def test_the_latest_time_is_set_back_only_by_a_correction_of_the_clock(kind: str) -> None:
    rows, previous = [], GENESIS
    times = [("exception", 9.0), ("exception", 7.0), (kind, 5.0), ("exception", 4.0)]
    found = []
    for number, (of, at) in enumerate(times, 1):
        row = HistoryRow.of(number, at, "lan", of, {}, "", ChangeEffect(), previous)
        rows.append(row)
        previous = row.hash
        found.append(replay(rows).at)
    assert found == [9.0, 9.0, 5.0, 5.0]


def test_kinds_of_rows_are_an_interface() -> None:
    """A history of an earlier release has them."""
    names = (
        *("RESTORED", "FROM_BACKUP", "UNDO", "TRIAL", "VIEW", "REMOVAL", "REFUSAL", "ACCOUNT"),
        *("SITE_EDIT", "PROGRAM_UPDATE", "CLOCK", "CLOCK_ACCEPTED"),
    )
    assert [getattr(history_chain, name) for name in names] == [
        *("restored", "from-backup", "undo", "exam-trial", "log-view", "log-removal"),
        *("review-refusal", "account", "site-edit", "program-update", "clock", "clock-accept"),
    ]
    assert GENESIS == "0" * 64
    assert replay([]).at == 0.0
