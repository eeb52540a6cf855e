# SPDX-License-Identifier: Apache-2.0
"""Exceptions and exams to show, each with its state."""

from __future__ import annotations

from filterd.overrides.override_states import set_for, with_states
from filterd.policy.model import Audience
from tests.support.changes import LESSON_S, Book, an_exam, an_exception
from tests.support.policies import NOW, a_grade


def test_what_has_not_ended_is_shown_with_its_state() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + 10))
    book.make("exception", **an_exception(starts_at=NOW + 10, ends_at=NOW + 20))
    found = with_states(book.overrides, "exceptions", NOW + 1)
    assert [(one["id"], one["state"]) for one in found] == [(1, "on"), (2, "coming")]
    assert [one["id"] for one in with_states(book.overrides, "exceptions", NOW + 15)] == [2]


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
