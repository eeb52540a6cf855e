# SPDX-License-Identifier: Apache-2.0
"""Exceptions and exams to show, each with its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.overrides.override_rows import (
    CELL_CHANGES,
    CHANGES,
    EXAMS,
    EXCEPTIONS,
    FILE_EXCEPTIONS,
    MISTAKES,
    POLICIES,
    cell_change_sentence,
    file_rows,
    set_for,
    with_states,
)
from filterd.policy.model import Audience, LocalRule
from filterd.texts.i18n import Texts
from filterd.texts.rows import Listing, SchoolClock, Wording
from tests.support.changes import LESSON_S, Book, an_exam, an_exception, some_exceptions
from tests.support.fake_daemon import MONDAY_AT_8
from tests.support.policies import NOW, a_grade, a_policy, wire
from tests.support.week import SEVEN


def test_what_has_not_ended_is_shown_with_its_state() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + 10))
    book.make("exception", **an_exception(starts_at=NOW + 10, ends_at=NOW + 20))
    found = with_states(book.overrides, "exceptions", NOW + 1)
    assert [(one["id"], one["state"]) for one in found] == [(1, "on"), (2, "coming")]
    assert [state["id"] for state in with_states(book.overrides, "exceptions", NOW + 15)] == [2]


def test_with_the_past_it_is_shown_what_was_stopped_or_taken_back() -> None:
    book = Book()
    book.make("exam", **an_exam())
    book.make("exam-stop", id=1)
    book.make("exam", **an_exam(starts_at=NOW + LESSON_S, ends_at=NOW + 2 * LESSON_S))
    book.make("undo", number=3)
    past = [row.to_plain() for row in book.newest_first()]
    found = with_states(book.overrides, "exams", NOW, past)
    assert [(one["id"], one["state"]) for one in found] == [(1, "stopped"), (3, "taken-back")]


def test_what_is_set_for_a_grade_is_found_and_nothing_of_a_room() -> None:
    book = Book()
    book.make("grade", grade="6", target_kind="category", target="games", opens=True)
    book.make("exception", **an_exception(audience="grade", whom="6"))
    book.make("exception", **an_exception(audience=str(Audience.NETWORK), whom="lab-a"))
    kinds = [(kind, one["id"]) for kind, one in set_for(a_grade("6"), book.overrides, NOW)]
    assert kinds == [("grades", 1), ("exceptions", 2)]


BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), SEVEN))
CELL_ROW: dict[str, Any] = {
    "layer": "exception",
    "source": "4",
    "opens": True,
    "audience": "class",
    "whom": "6A",
    "holds": True,
    "until": SEVEN + 3600,
}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "exception 4: opens it, class 6A, in force until 08:00"),
        ({"holds": False}, "exception 4: opens it, class 6A, from 08:00"),
        ({"layer": "setting", "until": None}, "setting 4: opens it, class 6A, in force"),
        (
            {"layer": "schedule", "source": "a", "opens": False, "holds": False, "until": None},
            "schedule a: closes it, class 6A, not now",
        ),
    ],
)
def test_a_change_is_reported_in_one_sentence(changes: dict[str, Any], text: str) -> None:
    assert cell_change_sentence({**CELL_ROW, **changes}, BY) == text


@pytest.mark.parametrize(
    ("state", "answer", "words"),
    [
        ((True, []), None, "corrected 08:00, in version 0123456789ab"),
        ((True, []), ("mended", 12), "corrected 08:00, in version 12"),
        ((True, []), ("refused", 12), "corrected 08:00, in version 0123456789ab"),
        ((False, [{"list": "a", "line": 3}]), ("mended", 12), "a, line 3"),
        (
            (False, [{"list": "a", "line": 3}]),
            ("refused", 12),
            "a, line 3\nrefused by the centre: x",
        ),
        ((None, None), None, ""),
    ],
)
def test_a_mistake_is_mended_by_what_the_lists_say_and_the_feed_names_the_version(
    state: tuple[Any, Any], answer: tuple[str, int] | None, words: str
) -> None:
    row = {
        "mended": state[0],
        "listed": state[1],
        "mended_in": "0123456789ab",
        "mended_at": MONDAY_AT_8,
        "answer": answer and {"outcome": answer[0], "version": answer[1], "reason": "x"},
    }
    shown = MISTAKES.columns[3].cells(
        row, Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8))
    )
    outcome = "\n".join(text for text, _ in shown)
    assert outcome.replace("08:00", "08:00") == words


def test_what_was_revoked_undone_or_stopped_is_told_apart_and_each_once() -> None:
    book = Book()
    book.make("exception", **an_exception(target="a.example"))
    book.make("exception", **an_exception(target="b.example"))
    book.make("revoke", id=1)
    book.make("exam", **an_exam())
    book.make("exam-stop", id=4)
    past = [row.to_plain() for row in book.newest_first()]
    found = with_states(book.overrides, "exceptions", NOW, past)
    assert [(one["id"], one["state"]) for one in found] == [(1, "taken-back"), (2, "on")]
    later = with_states(book.overrides, "exceptions", NOW + 10 * 86_400, past)
    assert [one["state"] for one in later] == ["taken-back", "on"]


def test_with_the_past_what_has_ended_by_itself_is_there_too() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + 10))
    past = [row.to_plain() for row in book.newest_first()]
    (one,) = with_states(book.overrides, "exceptions", NOW + 10, past)
    assert one["state"] == "ended"
    assert with_states(book.overrides, "exceptions", NOW + 10) == []
    assert with_states(book.overrides, "exceptions", NOW + 10, []) == [one]


def test_several_targets_of_one_change_are_a_row_each_in_order() -> None:
    book = Book()
    book.make("exceptions", **some_exceptions(("service", "b"), ("name", "a.example")))
    found = with_states(book.overrides, "exceptions", NOW)
    assert [(one["id"], one["kind"], one["target"]) for one in found] == [
        (1, "name", "a.example"),
        (1, "service", "b"),
    ]


def test_what_has_ended_or_is_for_another_grade_is_not_set_for_a_grade() -> None:
    book = Book()
    book.make("grade", grade="7", target_kind="category", target="games", opens=True)
    book.make("exception", **an_exception(audience="grade", whom="7"))
    book.make("exception", **an_exception(audience="tier", whom="lower-secondary"))
    book.make("exception", **an_exception(audience="grade", whom="6", ends_at=NOW + 10))
    found = [(kind, one["id"]) for kind, one in set_for(a_grade("6"), book.overrides, NOW + 10)]
    assert found == [("exceptions", 3)]


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({}, ["1", "allow game.example", "everybody", "no end", "active", "lan", "bài học"]),
        (
            {"kind": "pause", "target": "", "audience": "grade", "whom": "6"},
            ["1", "pause", "grade 6", "no end", "active", "lan", "bài học"],
        ),
        (
            {"allow": False, "ends_at": NOW + 60, "kind": "service", "target": "chat"},
            ["1", "block service:chat", "everybody", None, "active", "lan", "bài học"],
        ),
    ],
)
def test_an_exception_is_a_row_of_words(changes: dict[str, Any], cells: list[str | None]) -> None:
    book = Book()
    book.make("exception", **an_exception())
    (row,) = with_states(book.overrides, "exceptions", NOW)
    by = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), NOW))
    shown = [column.cell({**row, **changes}, by)[0] for column in EXCEPTIONS.columns]
    assert shown[:3] == cells[:3]
    assert shown[3].startswith(cells[3] or "until ")
    assert shown[5:] == cells[5:]


def test_an_exam_shows_what_it_opens() -> None:
    by = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), NOW))
    exam = {"services": ["azota", "k12"], "names": ["a.example", "b.example"]}
    assert EXAMS.columns[5].cell(exam, by)[0] == "azota, k12, 2 names"


def test_two_targets_of_one_kind_are_two_rows() -> None:
    book = Book()
    book.make("exceptions", **some_exceptions(("name", "b.example"), ("name", "a.example")))
    found = with_states(book.overrides, "exceptions", NOW)
    assert [one["target"] for one in found] == ["a.example", "b.example"]


def test_one_target_of_two_kinds_is_two_rows() -> None:
    book = Book()
    book.make("exceptions", **some_exceptions(("name", "a.example"), ("entry", "a.example")))
    past = [row.to_plain() for row in book.newest_first()]
    found = with_states(book.overrides, "exceptions", NOW, past)
    assert [one["kind"] for one in found] == ["entry", "name"]


def _cells(listing: Listing, row: dict[str, Any]) -> dict[str, str]:
    by = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), SEVEN))
    return {str(column.heading): column.cell(row, by)[0] for column in listing.columns}


def test_each_listing_shows_its_values_under_their_headings() -> None:
    thing = {"id": 4, "author": "lan", "reason": "bài", "state": "on", "number": 7}
    dated = {"starts_at": SEVEN, "ends_at": SEVEN + 3600, "at": SEVEN}
    exam = {**thing, **dated, "room": "lab", "names": ["a.example"], "services": ["azota"]}
    assert _cells(EXAMS, exam) == {
        "No.": "4",
        "Room": "lab",
        "State": "in force",
        "From": "07:00",
        "Until": "08:00",
        "Open": "azota, 1 name",
        "Reason": "bài",
    }
    undo = {**thing, **dated, "kind": "undo", "payload": {"number": 3}}
    assert _cells(CHANGES, undo) == {
        "No.": "7",
        "When": "07:00",
        "By": "lan",
        "What": "change 3 is undone",
        "Reason": "bài",
    }
    listed = [{"list": "games", "line": 4}]
    mistake = {**thing, **dated, "name": "a.example", "mended": False, "listed": listed}
    assert _cells(MISTAKES, mistake) == {
        "No.": "7",
        "When": "07:00",
        "Name": "a.example",
        "State": "games, line 4",
        "Reason": "bài",
    }
    policy = {"digest": "ab", "activated_at": SEVEN}
    assert _cells(POLICIES, policy) == {"Version": "ab", "Since": "07:00"}


@pytest.mark.parametrize("layer", ["schedule", "setting", "exception", "pause"])
@pytest.mark.parametrize(("opens", "what"), [(True, "opens it"), (False, "closes it")])
def test_what_is_set_over_a_cell_is_shown_with_its_source(
    layer: str, opens: bool, what: str
) -> None:
    row = {
        "layer": layer,
        "source": "4",
        "opens": opens,
        "audience": "grade",
        "whom": "6",
        "until": None,
        "holds": True,
        "author": "lan",
        "reason": "bài",
    }
    assert _cells(CELL_CHANGES, row) == {
        "What": what,
        "Source": f"{layer} 4",
        "For": "grade 6",
        "Term": "in force",
        "By": "lan",
        "Reason": "bài",
    }


def test_exceptions_of_the_files_that_have_not_ended_are_told_as_those_of_commands() -> None:
    rule = LocalRule("0", wire("mo.example"), True, Audience.GRADE, "6", "bài học", "lan")
    ended = replace(rule, name=wire("cu.example"), ends_at=SEVEN - 1)
    of_an_exam = replace(rule, name=wire("thi.example"), exam="4")
    policy = replace(a_policy(), rules=(rule, ended, of_an_exam))
    (row,) = file_rows(policy, SEVEN)
    assert row == {
        "kind": "name",
        "target": "mo.example",
        "allow": True,
        "audience": "grade",
        "whom": "6",
        "starts_at": None,
        "ends_at": None,
        "author": "lan",
        "reason": "bài học",
        "state": "on",
    }
    assert FILE_EXCEPTIONS.columns[0].cell(
        row, Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), SEVEN))
    )[0] == ("allow mo.example")
