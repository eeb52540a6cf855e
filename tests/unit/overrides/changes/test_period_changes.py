# SPDX-License-Identifier: Apache-2.0
"""What was set in a period counts as long as it held."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.changes.period_changes import changes_in, full_spans, levels_at
from filterd.overrides.history.history_chain import CLOCK_ACCEPTED
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


@pytest.mark.parametrize(
    ("after_s", "counts"),
    [(-1, False), (0, True), (30 * DAY - 1, True), (30 * DAY, False)],
)
def test_what_was_set_from_the_first_moment_to_just_before_the_end_counts(
    book: Book, after_s: float, counts: bool
) -> None:
    at(book, after_s).make("exception", **an_exception())
    assert changes_in(book.rows, BEGIN, END).allowed == counts


def test_a_pause_of_several_networks_counts_once_and_other_exceptions_are_none(book: Book) -> None:
    book.make("pause", **pause())
    book.make("pause", **pause(whom="lab-b", ends_at=NOW + 4 * MINUTE))
    book.make("exception", **an_exception(ends_at=NOW + DAY))
    assert changes_in(book.rows, BEGIN, END) == (1, 0, 2, 14 * MINUTE)
    assert changes_in(book.rows, NOW + 10 * MINUTE, END)[2:] == (0, 0)
    assert changes_in(book.rows, BEGIN, NOW)[2:] == (0, 0)


@pytest.mark.parametrize(
    ("after_s", "level"),
    [(-1, "counts"), (0, "names"), (DAY - 1, "names"), (DAY, "counts"), (2 * DAY, "blocked")],
)
def test_the_level_at_a_time_is_what_was_set_by_then(
    book: Book, after_s: float, level: str
) -> None:
    book.make("log-level", level="names", tier="primary", ends_at=NOW + DAY)
    at(book, 2 * DAY).make("log-level", level="blocked", tier="primary", ends_at=NOW + 9 * DAY)
    found = levels_at(book.rows, a_policy(), NOW + after_s)
    assert (found["primary"], found["staff"]) == (level, "counts")


@pytest.mark.parametrize(
    ("begins", "ends", "spans"),
    [
        (0.0, 9 * DAY, [(1 * DAY, 3 * DAY)]),
        (2 * DAY, 9 * DAY, [(2 * DAY, 3 * DAY)]),
        (0.0, 2 * DAY, [(1 * DAY, 2 * DAY)]),
        (0.0, 1 * DAY, []),
        (3 * DAY, 9 * DAY, []),
    ],
)
def test_a_time_of_full_logging_is_cut_at_the_edges_of_the_period(
    book: Book, begins: float, ends: float, spans: list[tuple[float, float]]
) -> None:
    at(book, DAY).make("log-level", level="full", tier="primary", ends_at=NOW + 3 * DAY)
    book.make("log-confirm", id=1, author="minh")
    found = full_spans(book.rows, a_policy(), NOW + begins, NOW + ends)
    assert found == tuple(("primary", int(NOW + a), int(NOW + b)) for a, b in spans)


def test_two_tiers_at_full_have_a_time_each_in_order(book: Book) -> None:
    for number, (tier, days) in enumerate((("staff", 2), ("primary", 3))):
        book.make("log-level", level="full", tier=tier, ends_at=NOW + days * DAY)
        book.make("log-confirm", id=2 * number + 1, author="minh")
    assert full_spans(book.rows, a_policy(), BEGIN, END) == (
        ("primary", int(NOW), int(NOW + 3 * DAY)),
        ("staff", int(NOW), int(NOW + 2 * DAY)),
    )


@pytest.mark.parametrize("held_s", [1, 2])
def test_a_pause_counts_if_it_held_for_a_second(book: Book, held_s: int) -> None:
    book.make("pause", **pause())
    assert changes_in(book.rows, BEGIN, NOW + held_s)[2:] == (1, held_s)


def test_a_pause_of_less_than_a_second_is_counted_with_its_length(book: Book) -> None:
    book.make("pause", **pause())
    at(book, 0.4).make("revoke", id=1)
    assert changes_in(book.rows, BEGIN, END)[2:] == (1, 0)


def test_full_logging_that_was_set_and_ended_at_once_is_no_time(book: Book) -> None:
    book.make("log-level", level="full", tier="primary", ends_at=NOW + 3 * DAY)
    book.make("log-confirm", id=1, author="minh")
    book.make("revoke", id=2)
    assert full_spans(book.rows, a_policy(), BEGIN, END) == ()


def test_a_change_at_the_same_moment_ends_what_was_before_it(book: Book) -> None:
    book.make("log-level", level="full", tier="primary", ends_at=NOW + 3 * DAY)
    book.make("log-confirm", id=1, author="minh")
    at(book, DAY).make("log-level", level="names", tier="primary", ends_at=NOW + 2 * DAY)
    book.make("log-level", level="names", tier="staff", ends_at=NOW + 2 * DAY)
    assert full_spans(book.rows, a_policy(), BEGIN, END) == (
        ("primary", int(NOW), int(NOW + DAY)),
        ("primary", int(NOW + 2 * DAY), int(NOW + 3 * DAY)),
    )


def test_a_clock_that_went_back_a_little_does_not_move_what_follows(book: Book) -> None:
    book.make("log-level", level="names", tier="staff", ends_at=NOW + 9 * DAY)
    at(book, -DAY).make("log-level", level="names", tier="primary", ends_at=NOW + 9 * DAY)
    assert levels_at(book.rows, a_policy(), NOW - 1)["primary"] == "counts"
    assert levels_at(book.rows, a_policy(), NOW)["primary"] == "names"


@pytest.mark.parametrize("kind", ["clock", CLOCK_ACCEPTED])
def test_a_clock_that_was_corrected_moves_what_follows(book: Book, kind: str) -> None:
    book.make("log-level", level="names", tier="staff", ends_at=NOW + 9 * DAY)
    corrected = book.rows[0]._replace(kind=kind, at=NOW - 2 * DAY, before="", after="")
    at(book, -DAY).make("log-level", level="names", tier="primary", ends_at=NOW + 9 * DAY)
    rows = [book.rows[0], corrected, book.rows[1]]
    assert levels_at(rows, a_policy(), NOW - DAY)["primary"] == "names"


def test_times_of_full_logging_stand_in_the_order_of_their_begins(book: Book) -> None:
    for after_s, tier in ((0, "staff"), (DAY, "primary")):
        at(book, after_s).make("log-level", level="full", tier=tier, ends_at=NOW + 2 * DAY)
        book.make("log-confirm", id=book.rows[-1].number, author="minh")
    found = full_spans(book.rows, a_policy(), BEGIN, END)
    assert [tier for tier, *_ in found] == ["staff", "primary"]


def test_an_exception_after_another_change_is_found_all_the_same(book: Book) -> None:
    book.make("room-devices", room="lab-a", macs=[])
    book.make("pause", **pause())
    assert changes_in(book.rows, BEGIN, END).pauses == 1
