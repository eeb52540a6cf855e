# SPDX-License-Identifier: Apache-2.0
"""Minutes in service: noted one after the other, gaps where there were none."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from filterd.querylog.day_schema import DaySpan
from filterd.querylog.service_days import (
    OCTETS,
    ServiceDay,
    ServiceMoment,
    ServiceNotes,
    sum_up,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def at(text: str, zone: ZoneInfo = ZONE) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def noted(*notes: tuple[str, float] | None) -> dict[str, set[int]]:
    """Return the minutes by day, of notes at a time and a monotonic time."""
    kept = ServiceNotes()
    for note in notes:
        moment = ServiceMoment(at(note[0]), ZONE) if note else None
        kept.note(moment, note[1] if note else 0)
    return {day.day: minutes(day) for day in kept.take()}


def minutes(day: ServiceDay) -> set[int]:
    assert day.minutes is not None
    return {n for n in range(1_500) if day.minutes >> n & 1}


def test_minutes_between_two_notes_are_in_service() -> None:
    assert noted(("2026-11-28T00:01:59", 0), ("2026-11-28T00:03:01", 62)) == {
        "2026-11-28": {1, 2, 3}
    }


def test_a_night_between_two_notes_is_of_two_days() -> None:
    assert noted(("2026-11-28T23:58:59", 0), ("2026-11-29T00:00:01", 62)) == {
        "2026-11-28": {1_438, 1_439},
        "2026-11-29": {0},
    }


def test_minutes_without_service_and_of_a_suspension_are_not() -> None:
    assert noted(("2026-11-28T00:01:00", 0), None, ("2026-11-28T00:03:00", 120)) == {
        "2026-11-28": {1, 3}
    }
    assert noted(("2026-11-28T00:01:00", 0), ("2026-11-28T00:09:00", 480)) == {"2026-11-28": {1, 9}}


def test_a_clock_that_is_set_makes_no_minutes() -> None:
    assert noted(("2026-11-28T00:09:00", 0), ("2026-11-28T00:01:00", 60)) == {"2026-11-28": {1, 9}}
    assert noted(("2026-11-28T00:01:00", 0), ("2026-11-28T00:03:00", 300)) == {"2026-11-28": {1, 3}}


def test_a_minute_is_noted_once() -> None:
    kept = ServiceNotes()
    kept.note(ServiceMoment(at("2026-11-28T00:01:00"), ZONE), 0)
    assert kept.take()
    kept.note(ServiceMoment(at("2026-11-28T00:01:50"), ZONE), 50)
    assert kept.take() == ()


def test_records_of_a_day_are_merged() -> None:
    one = ServiceDay("2026-11-28", 0b101, "411", 90, 6, 1)
    assert one.merged(ServiceDay("2026-11-28", 0b10, "412", 30)) == ServiceDay(
        "2026-11-28", 0b111, "412", 90, 6, 1
    )
    assert one.merged(ServiceDay("2026-11-28", passed=7, failed=0))[3:6] == (90, 7, 0)
    assert one._replace(lost=2).merged(one._replace(lost=3)).lost == 5


def test_lost_answers_of_an_unknown_time_are_of_the_next_minute() -> None:
    kept = ServiceNotes()
    kept.note(None, 0, lost=3)
    kept.note(ServiceMoment(at("2026-11-28T00:01:00"), ZONE), 60, lost=4)
    assert [one.lost for one in kept.take()] == [7]


def test_what_could_not_be_written_is_merged_with_what_came_since() -> None:
    kept = ServiceNotes()
    kept.note_tests("2026-11-28", 3, 0)
    taken = kept.take()
    kept.note(ServiceMoment(at("2026-11-28T00:01:00"), ZONE, "412", 5), 0)
    kept.give_back(taken)
    assert kept.take() == (ServiceDay("2026-11-28", 0b10, "412", 5, 3, 0),)


def test_days_that_wait_for_a_disk_are_bounded() -> None:
    kept = ServiceNotes()
    for n in range(100):
        kept.note_tests(f"day {n:03}", 1, 0)
    assert [one.day for one in kept.take()] == [f"day {n:03}" for n in range(60, 100)]


def test_a_row_is_read_as_it_was_written_and_a_damaged_one_is_reported() -> None:
    one = ServiceDay("2026-11-28", 1 << 1_499, "412", None, 6, 1)
    assert len(one.row()[1]) == OCTETS
    assert ServiceDay.of_row(*one.row()) == one
    assert ServiceDay.of_row("2026-11-28", b"\xff", "", None, None, None, 0).minutes is None


def test_a_day_is_wholly_in_service_if_each_of_its_minutes_is() -> None:
    span = DaySpan.of(date(2026, 10, 25), ZoneInfo("Europe/Berlin"))  # clocks go back
    assert ServiceDay(span.day, (1 << 1_500) - 1).is_full(span)
    assert not ServiceDay(span.day, (1 << 1_499) - 1).is_full(span)
    assert not ServiceDay(span.day, ((1 << 1_500) - 1) ^ 1).is_full(span)
    assert not ServiceDay(span.day, None).is_full(span)


def test_days_before_the_first_record_are_in_no_sum() -> None:
    spans = [DaySpan.of(date(2026, 11, n), ZONE) for n in (27, 28, 29)]
    records = [ServiceDay("2026-11-28", 0b1100), ServiceDay("2026-11-29", None)]
    found = sum_up(spans, records, "2026-11-28")
    assert found[:4] == (2, 1, 2, 2 * 1_440 - 2)
    assert found.gaps == ((spans[1].begins + 240, spans[2].ends),)
    assert found.unreadable == ("2026-11-29",)
    assert sum_up(spans, [], "")[:4] == (0, 0, 0, 0)


@given(st.lists(st.sets(st.integers(0, 1_499), max_size=400), min_size=1, max_size=4))
def test_gaps_are_those_of_a_naive_count(served: list[set[int]]) -> None:
    """Over the night in which clocks go back: that day has 25 hours."""
    zone, first = ZoneInfo("Europe/Berlin"), date(2026, 10, 24)
    spans = [DaySpan.of(first + timedelta(days=n), zone) for n in range(len(served))]
    records = [
        ServiceDay(span.day, sum(1 << n for n in one))
        for span, one in zip(spans, served, strict=True)
    ]
    found = sum_up(spans, records, "2026-01-01")
    lit = {
        span.begins + 60 * n
        for span, one in zip(spans, served, strict=True)
        for n in one
        if span.begins + 60 * n < span.ends
    }
    dark = [t for t in range(spans[0].begins, spans[-1].ends, 60) if t not in lit]
    assert found.minutes == len(lit)
    assert [t for begin, end in found.gaps for t in range(begin, end, 60)] == dark
    assert all(end in lit or end == spans[-1].ends for _, end in found.gaps)
