# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.overrides.late_dates import as_it_is, is_undated
from tests.support.changes import Book, an_exception

if TYPE_CHECKING:
    from filterd.policy.temporary_rules import LocalException

HOUR = 3600.0


def the_exception(book: Book) -> LocalException:
    (one,) = book.overrides.exceptions
    return one


def test_what_was_set_for_a_length_begins_when_the_time_is_known() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=book.now + HOUR, for_s=HOUR))
    undated = the_exception(book)
    assert is_undated(book.overrides)
    book.now += 100 * HOUR
    book.make("clock", reason="", author="filterd")
    one = the_exception(book)
    assert (one.starts_at, one.ends_at, one.for_s) == (book.now, book.now + HOUR, None)
    assert not is_undated(book.overrides)
    assert as_it_is(undated, book.overrides, "exceptions") == one


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
