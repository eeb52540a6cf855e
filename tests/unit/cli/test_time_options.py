# SPDX-License-Identifier: Apache-2.0
"""Times are read and shown in the school's time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.cli.time_options import Term, duration_s, read_time
from filterd.errors import ConfigError
from filterd.rows import SchoolClock
from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8

if TYPE_CHECKING:
    from tests.support.fake_daemon import FakeDaemon

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8)
HOUR = 3600.0
MINUTES = 60.0
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45m", 45 * MINUTES), ("2h", 2 * HOUR), ("1h30m", 1.5 * HOUR), ("3D", 3 * DAY)],
)
def test_lengths_are_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "45", "m", "0m", "-5m", "1.5h", "2 weeks", "1m2h", "٣m"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a length of time .write 45m"):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("17:00", 9 * HOUR),
        ("8:01", 1 * MINUTES),
        ("08:00:30", 30.0),
        ("t5 07:30:15", 3 * DAY - 30 * MINUTES + 15),
        ("t2 09:10", 70 * MINUTES),
        ("t2 08:00", 7 * DAY),
        ("Mon 07:00", 7 * DAY - HOUR),
        ("t5 07:30", 3 * DAY - 30 * MINUTES),
        ("cn 08:00", 6 * DAY),
        ("2025-12-02", 16 * HOUR),
        ("2025-12-02T07:30", 23.5 * HOUR),
        ("2025-12-02T07:30+00:00", 30.5 * HOUR),
    ],
)
def test_times_are_those_of_the_school(text: str, after: float) -> None:
    assert read_time(CLOCK, text) == MONDAY_AT_8 + after


def test_a_date_alone_ends_with_its_day() -> None:
    assert read_time(CLOCK, "2025-12-01", ends=True) == MONDAY_AT_8 + 16 * HOUR


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", "'yesterday' is not a time"),
        ("25:00", "'25:00' is not a time"),
        ("t5 25:30", r"'t5 25:30' is not a time \(write 17:00, t5 07:30, 2026"),
        ("09:00:60", "'09:00:60' is not a time"),
        ("07:30:05", r"07:30:05 is in the past \(for tomorrow write 2025-12-02T07:30:05\)"),
        ("07:30", r"07:30 is in the past \(for tomorrow write 2025-12-02T07:30\)"),
        ("t9 07:30", r"'t9' is not a weekday \(known: t2/mon"),
        ("1600-01-01", "is not a time"),
    ],
)
def test_what_is_no_time_to_come_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_time(CLOCK, text)


def test_a_time_that_is_past_may_be_asked_about() -> None:
    assert read_time(CLOCK, "07:30", past=True) == MONDAY_AT_8 - 30 * MINUTES


@pytest.mark.parametrize("ago", [1, 47.0, 60, DAY + 7])
def test_a_time_is_read_as_lists_show_it(ago: float) -> None:
    assert read_time(CLOCK, CLOCK.told(MONDAY_AT_8 - ago), past=True) == MONDAY_AT_8 - ago


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (None, ""),
        (MONDAY_AT_8 + HOUR, "09:00"),
        (MONDAY_AT_8 + 1, "08:00:01"),
        (MONDAY_AT_8 + DAY, "2025-12-02 08:00"),
    ],
)
def test_times_of_today_are_told_without_the_day(at: float | None, told: str) -> None:
    assert CLOCK.told(at) == told


@pytest.mark.parametrize(
    ("term", "payload"),
    [
        (Term(None, "45m", None, False, False), {"for_s": 45.0 * MINUTES}),
        (Term(None, None, "17:00", False, False), {"ends_at": MONDAY_AT_8 + 9 * HOUR}),
        (Term(None, None, None, True, False), {"lesson": True}),
        (Term(None, None, None, False, True), {}),
        (
            Term("09:00", "45m", None, False, False),
            {"starts_at": MONDAY_AT_8 + HOUR, "for_s": 45.0 * MINUTES},
        ),
    ],
)
def test_a_term_is_what_a_change_wants(term: Term, payload: dict[str, object]) -> None:
    assert term.payload(CLOCK) == payload


def test_a_term_is_said_once() -> None:
    with pytest.raises(ConfigError, match="--for and --lesson exclude each other"):
        Term(None, "45m", None, True, False).payload(CLOCK)


def test_a_term_is_said_at_all_where_it_must() -> None:
    nothing = Term(None, None, None, False, False)
    assert nothing.payload(CLOCK, may_be_open=True) == {}
    with pytest.raises(ConfigError, match=r"the duration is missing .give --for 45m"):
        nothing.payload(CLOCK)


def test_the_zone_is_that_of_the_site(here: list[str], daemon: FakeDaemon) -> None:
    call("allow", "a.example", "--until", "17:00", "--reason", "b", *here)
    assert daemon.asked[-1][1]["ends_at"] == MONDAY_AT_8 + 9 * HOUR
