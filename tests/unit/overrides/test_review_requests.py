# SPDX-License-Identifier: Apache-2.0
"""The queue of requests: one row for a name and class, bounded, and none for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import ChangeError, StoreError
from filterd.base.state_file import to_plain
from filterd.overrides.review_requests import (
    APPROVED,
    ENDED,
    FORMAT,
    KEEP_DAYS,
    MOST,
    MOST_OF_SEAT,
    REFUSED,
    REQUESTS,
    ClosedRequest,
    PupilRequest,
    ReviewQueue,
)
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from pathlib import Path

WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))
ONE = PupilRequest(0, "a.example", "6A", "lower-secondary", "lesson", "2026-03-02")


def test_of_one_name_and_class_there_is_one_row_that_counts() -> None:
    queue = ReviewQueue().with_one(ONE).with_one(replace(ONE, seat="6B")).with_one(ONE)
    assert [(request.id, request.seat, request.n) for request in queue.requests] == [
        (1, "6A", 2),
        (2, "6B", 1),
    ]


def test_there_are_not_more_than_two_hundred() -> None:
    queue = ReviewQueue()
    for n in range(MOST):
        queue = queue.with_one(replace(ONE, name=f"n{n}.example", seat=f"6{n // MOST_OF_SEAT}"))
    with pytest.raises(ChangeError, match="too many open requests"):
        queue.with_one(ONE)
    assert queue.with_one(replace(ONE, name="n0.example", seat="60")).requests[0].n == 2
    assert queue.without(1, REFUSED, ONE.day).with_one(ONE).last_id == MOST + 1


def test_of_a_closed_request_only_day_and_outcome_are_kept_for_figures(tmp_path: Path) -> None:
    queue = ReviewQueue()
    for seat in ("6A", "6B", "6C", "6D"):
        queue = queue.with_one(replace(ONE, seat=seat))
    queue = queue.without(1, APPROVED, "2026-03-02").without(2, REFUSED, "2026-03-05")
    assert queue.closed == (
        ClosedRequest("2026-03-02", 0, APPROVED),
        ClosedRequest("2026-03-05", 3, REFUSED),
    )
    assert queue.figures("2026-03-01", "2026-03-31") == (4, 1, 1, (0, 3))
    assert queue.figures("2026-03-03", "2026-03-31") == (0, 0, 1, (3,))
    ended = queue.on("2026-04-02")
    assert [(one.outcome, one.days) for one in ended.closed[2:]] == [(ENDED, 31)] * 2
    assert ended.figures("2026-03-01", "2026-04-30") == (4, 1, 1, (0, 3))
    FORMAT.save(tmp_path / "queue", ended)
    assert FORMAT.load(tmp_path / "queue") == ended


def test_closed_requests_are_bounded_and_end() -> None:
    queue = ReviewQueue(closed=tuple(ClosedRequest("2026-03-02", 0, ENDED) for _ in range(5_000)))
    queue = queue.with_one(ONE).without(1, APPROVED, "2026-03-02")
    assert len(queue.closed) == 2_000
    assert queue.with_one(ONE).without(2, REFUSED, "2027-05-01").figures("2026", "2028")[0] == 1


def test_a_class_leaves_room_for_the_others() -> None:
    queue = ReviewQueue()
    for n in range(MOST_OF_SEAT):
        queue = queue.with_one(replace(ONE, name=f"n{n}.example"))
    with pytest.raises(ChangeError, match="too many open requests"):
        queue.with_one(ONE)
    assert queue.with_one(replace(ONE, seat="6B")).last_id == MOST_OF_SEAT + 1


def test_a_row_ends_after_thirty_days() -> None:
    queue = ReviewQueue().with_one(ONE)
    assert KEEP_DAYS == 30
    assert queue.on("2026-04-01") is queue
    assert queue.on("2026-04-02").requests == ()


def test_a_request_that_is_not_open_is_reported() -> None:
    assert ReviewQueue().with_one(ONE).request(1).name == "a.example"
    with pytest.raises(ChangeError, match="no open request 2"):
        ReviewQueue().with_one(ONE).request(2)


def test_the_file_has_neither_device_nor_pupil(tmp_path: Path) -> None:
    queue = ReviewQueue().with_one(ONE)
    FORMAT.save(tmp_path / "x", queue)
    assert FORMAT.load(tmp_path / "x") == queue
    assert set(to_plain(ONE)) == {"id", "name", "seat", "tier", "why", "day", "n"}


def test_a_row_is_worded() -> None:
    row = to_plain(replace(ONE, id=1))
    cells = [column.cell(row, WORDING)[0] for column in REQUESTS.columns]
    assert cells == ["1", "a.example", "class 6A", "for a lesson", "02/03/2026", "1"]


@pytest.mark.parametrize(
    ("first", "last", "made"),
    [
        ("2026-03-02", "2026-03-02", 1),
        ("2026-03-01", "2026-03-02", 1),
        ("2026-03-03", "2026-03-31", 0),
        ("2026-02-01", "2026-03-01", 0),
    ],
)
def test_both_days_of_a_period_are_included(first: str, last: str, made: int) -> None:
    queue = ReviewQueue().with_one(ONE)
    assert queue.figures(first, last) == (made, 0, 0, ())
    closed = queue.without(1, APPROVED, ONE.day)
    assert closed.figures(first, last) == (made, made, 0, (0,) * made)


def test_a_request_is_open_until_the_day_after_its_thirtieth() -> None:
    other = replace(ONE, seat="6B", day="2026-03-10")
    queue = ReviewQueue().with_one(ONE).with_one(other)
    left = queue.on("2026-04-02")
    assert [request.seat for request in left.requests] == ["6B"]
    assert left.closed == (ClosedRequest("2026-04-02", 31, ENDED),)


def test_what_is_closed_is_kept_for_four_hundred_days() -> None:
    old, kept = ClosedRequest("2025-01-26", 1, ENDED), ClosedRequest("2025-01-27", 1, ENDED)
    queue = ReviewQueue(closed=(old, kept)).with_one(replace(ONE, day="2026-03-04"))
    found = queue.without(1, REFUSED, "2026-03-03")
    assert found.closed == (kept, ClosedRequest("2026-03-03", 0, REFUSED))  # a clock set back
    assert queue.without(9, REFUSED, "2026-03-03") is queue


def test_one_more_of_a_request_keeps_its_place_and_the_others() -> None:
    queue = ReviewQueue()
    for name in ("a.example", "b.example", "c.example"):
        queue = queue.with_one(replace(ONE, name=name))
    again = queue.with_one(replace(ONE, name="b.example", why="other"))
    assert [(request.name, request.n, request.why) for request in again.requests] == [
        ("a.example", 1, "lesson"),
        ("b.example", 2, "lesson"),
        ("c.example", 1, "lesson"),
    ]
    assert again.last_id == 3
    assert again.request(3).name == "c.example"


def test_the_file_and_its_words_are_an_interface_with_bounds() -> None:
    assert (APPROVED, REFUSED, ENDED) == ("approved", "refused", "ended")
    assert (MOST, MOST_OF_SEAT, KEEP_DAYS) == (200, 40, 30)
    assert FORMAT.dump(ReviewQueue()).startswith(b"filterd-review-requests ")
    assert ReviewQueue() == ReviewQueue((), 0, ())
    with pytest.raises(StoreError, match="file of review requests"):
        FORMAT.parse(b"nonsense", "x")
    headings = [str(column.heading) for column in REQUESTS.columns]
    assert headings == ["No.", "Name", "For", "Reason", "Asked since", "Times"]
