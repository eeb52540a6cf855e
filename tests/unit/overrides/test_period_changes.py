# SPDX-License-Identifier: Apache-2.0
"""What was set in a period counts as long as it held."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.history_chain import CLOCK_ACCEPTED
from filterd.overrides.period_changes import changes_in, full_spans, levels_at
from tests.support.changes import Book, an_exception, some_exceptions
from tests.support.policies import NOW, a_policy

DAY, MINUTE = 86_400.0, 60.0
BEGIN, END = NOW, NOW + 30 * DAY


@pytest.fixture
def book() -> Book:
    return Book()


def at(book: Book, after_s: float) -> Book:
    book.now = NOW + after_s
    return book


def pause(**more: Any) -> dict[str, Any]:
    return {"audience": "network", "whom": "lab-a", "ends_at": NOW + 10 * MINUTE} | more


def test_exceptions_of_the_period_count_unless_they_were_taken_back(book: Book) -> None:
    at(book, -DAY).make("exception", **an_exception())
    at(book, 0).make("exceptions", **some_exceptions())
    book.make("exception", **an_exception(target="bad.example", allow=False))
    book.make("exception", **an_exception(target="wrong.example"))
    book.make("undo")
    at(book, 30 * DAY).make("exception", **an_exception(target="late.example"))
    assert changes_in(book.rows, BEGIN, END)[:2] == (2, 1)


def test_a_pause_counts_for_as_long_as_it_held(book: Book) -> None:
    book.make("pause", **pause())
    at(book, 4 * MINUTE).make("revoke", id=1)
    book.make("pause", **pause(ends_at=book.now + 5 * MINUTE))
    assert changes_in(book.rows, BEGIN, END)[2:] == (2, 9 * MINUTE)
    assert changes_in(book.rows, BEGIN, NOW + 3 * MINUTE)[2:] == (1, 3 * MINUTE)
    assert changes_in(book.rows, NOW + DAY, END)[2:] == (0, 0)


def test_full_logging_holds_from_its_confirmation_to_its_end(book: Book) -> None:
    level: dict[str, Any] = {"level": "full", "tier": "primary", "ends_at": NOW + 3 * DAY}
    book.make("log-level", **level)
    assert full_spans(book.rows, a_policy(), BEGIN, END) == ()
    at(book, DAY).make("log-confirm", id=1, author="minh")
    assert full_spans(book.rows, a_policy(), BEGIN, END) == (
        ("primary", int(NOW + DAY), int(NOW + 3 * DAY)),
    )
    at(book, 2 * DAY).make("revoke", id=2)
    found = full_spans(book.rows, a_policy(), BEGIN, END)
    assert found == (("primary", int(NOW + DAY), int(NOW + 2 * DAY)),)
    assert full_spans(book.rows, a_policy(), NOW + 5 * DAY, END) == ()


def test_full_logging_of_every_tier_is_one_span_and_a_newer_level_interrupts_it(
    book: Book,
) -> None:
    book.make("log-level", level="full", ends_at=NOW + 3 * DAY)
    book.make("log-confirm", id=1, author="minh")
    at(book, DAY).make("log-level", level="counts", ends_at=NOW + 2 * DAY)
    assert full_spans(book.rows, a_policy(), BEGIN, END) == (
        ("", int(NOW), int(NOW + DAY)),
        ("", int(NOW + 2 * DAY), int(NOW + 3 * DAY)),
    )


def test_full_logging_before_and_after_a_clock_that_was_ahead_is_found(book: Book) -> None:
    book.make("log-level", level="full", tier="primary", ends_at=NOW + 3 * DAY)
    book.make("log-confirm", id=1, author="minh")
    at(book, 4_000 * DAY).make("log-level", level="names", tier="staff")
    ahead = book.rows[-1]
    corrected = ahead._replace(kind=CLOCK_ACCEPTED, at=NOW + DAY, before="", after="")
    at(book, 2 * DAY).make("revoke", id=2)
    rows = [*book.rows[:3], corrected, *book.rows[3:]]
    assert full_spans(rows, a_policy(), BEGIN, END) == (("primary", int(NOW), int(NOW + 2 * DAY)),)
    assert levels_at(rows, a_policy(), NOW + DAY)["primary"] == "full"
    at(book, 5 * DAY).make("log-level", level="full", ends_at=NOW + 6 * DAY)
    book.make("log-confirm", id=5, author="minh")
    rows = [*rows, *book.rows[4:]]
    assert full_spans(rows, a_policy(), NOW + 4 * DAY, END) == (
        ("", int(NOW + 5 * DAY), int(NOW + 6 * DAY)),
    )


def test_control_without_a_confirmation_it_would_be_another_history(book: Book) -> None:
    book.make("log-level", level="full", ends_at=NOW + 3 * DAY)
    confirmed = [
        row._replace(after=row.after.replace('"confirmed_by":""', '"confirmed_by":"x"'))
        for row in book.rows
    ]
    assert full_spans(book.rows, a_policy(), BEGIN, END) == ()
    assert full_spans(confirmed, a_policy(), BEGIN, END) != ()
