# SPDX-License-Identifier: Apache-2.0
"""Times are read and shown in the school's time zone."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import ConfigError
from filterd.operations.parameters.time import duration_s, read_time
from filterd.overrides.descriptions import Describer
from filterd.texts import counted
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock
from tests.support.fake_daemon import MONDAY_AT_8

if TYPE_CHECKING:
    from filterd.texts.i18n import Language

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8)
HOUR = 3600.0
MINUTES = 60.0
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45m", 45 * MINUTES),
        ("2h", 2 * HOUR),
        ("1h30m", 1.5 * HOUR),
        ("3D", 3 * DAY),
        ("45 phút", 45 * MINUTES),
        ("45p", 45 * MINUTES),
        ("45'", 45 * MINUTES),
        ("90m", 90 * MINUTES),
        ("1h30", 1.5 * HOUR),
        ("1 giờ 30 phút", 1.5 * HOUR),
        ("1 tiếng rưỡi", 1.5 * HOUR),
        ("2 GIỜ", 2 * HOUR),
        ("2 ngày", 2 * DAY),
        ("2 days 3 hours", 2 * DAY + 3 * HOUR),
        ("2 weeks", 14 * DAY),
        ("1 tuần", 7 * DAY),
    ],
)
def test_lengths_are_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "45", "m", "0m", "-5m", "1.5h", "1m2h", "٣m", "2d 3", "rưỡi", "1h 2h"]
)
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
        ("17h", 9 * HOUR),
        ("17H30", 9.5 * HOUR),
        ("17 giờ 30 phút", 9.5 * HOUR),
        ("9h rưỡi", 1.5 * HOUR),
        ("5h chiều", 9 * HOUR),
        ("5pm", 9 * HOUR),
        ("7h tối", 11 * HOUR),
        ("02/12/2025", 16 * HOUR),
        ("2/12/2025 7h30", 23.5 * HOUR),
        ("02-12-2025 07:30", 23.5 * HOUR),
        ("7h30 2/12", 23.5 * HOUR),
        ("2/12", 16 * HOUR),
        ("1/12 9h", HOUR),
        ("1/1", 31 * DAY - 8 * HOUR),
        ("05/06", 186 * DAY - 8 * HOUR),  # the fifth of June
        ("thứ 5 07:30", 3 * DAY - 30 * MINUTES),
        ("Thứ Năm 7h30", 3 * DAY - 30 * MINUTES),
        ("thu 5 7h30", 3 * DAY - 30 * MINUTES),
        ("T5 07:30", 3 * DAY - 30 * MINUTES),
        ("7h30 thứ 5", 3 * DAY - 30 * MINUTES),
        ("thu 7h30", 3 * DAY - 30 * MINUTES),  # Thursday
        ("thu 7 7h30", 5 * DAY - 30 * MINUTES),  # thứ bảy
        ("thứ 2 9h", HOUR),
        ("thứ 2", 7 * DAY - 8 * HOUR),
        ("friday 17:00", 4 * DAY + 9 * HOUR),
        ("CN", 6 * DAY - 8 * HOUR),
        ("chủ nhật 8h", 6 * DAY),
        ("ngày mai", 16 * HOUR),
        ("mai 7h", 23 * HOUR),
        ("7h sáng mai", 23 * HOUR),
        ("tomorrow 7am", 23 * HOUR),
        ("ngày kia 8h", 2 * DAY),
        ("hôm nay 9h", HOUR),
        ("today", -8 * HOUR),  # begun already: a change takes it as now
        ("lúc 9h", HOUR),
    ],
)
def test_times_are_those_of_the_school(text: str, after: float) -> None:
    assert read_time(CLOCK, text) == MONDAY_AT_8 + after


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2025-12-01", 0),
        ("1/12/2025", 0),
        ("hôm nay", 0),
        ("hết ngày", 0),
        ("end of day", 0),
        ("thứ hai", 0),
        ("mai", 1),
        ("CN", 6),
        ("hết ngày 20/12/2025", 19),
        ("the end of 20/12/2025 (Sat)", 19),
        ("29/02", 820),  # of 2028, the next year that has it
    ],
)
def test_a_day_alone_ends_when_it_is_over(text: str, days: int) -> None:
    assert read_time(CLOCK, text, ends=True) == MONDAY_AT_8 + 16 * HOUR + days * DAY


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", "'yesterday' is not a time"),
        ("25:00", "'25:00' is not a time"),
        ("t5 25:30", r"'t5 25:30' is not a time \(write 17h30, 17:00, t5 07:30,"),
        ("09:00:60", "'09:00:60' is not a time"),
        ("07:30:05", r"07:30:05 is in the past \(for tomorrow write 2025-12-02T07:30:05\)"),
        ("07:30", r"07:30 is in the past \(for tomorrow write 2025-12-02T07:30\)"),
        ("t9 07:30", "'t9 07:30' is not a time"),
        ("31/04", "'31/04' is not a time"),
        ("20/13/2025", "'20/13/2025' is not a time"),
        ("thu 5 30", "is not a time"),
        ("17", "'17' is not a time"),
        ("12h tối", "is not a time"),
        ("cuối tuần", "'cuối tuần' is not a time"),
        ("mai mai", "is not a time"),
        ("7" * 61, "is not a time"),
        ("31/12/9999", "is not a time"),
        ("7h 31/12/9999", "is not a time"),
        ("1/1/1999", "is not a time"),
        ("30/11/2025", r"30/11/2025 is in the past \(it was read as 30/11/2025\)"),
        ("30/11/2025 17h", r"in the past \(it was read as 17:00 30/11/2025\)"),
        ("2025-12-01T01:00+03:00", r"in the past \(it was read as 01:00 01/12/2025\)"),
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
    assert read_time(CLOCK, CLOCK.text(MONDAY_AT_8 - ago), past=True) == MONDAY_AT_8 - ago


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        (None, ""),
        (MONDAY_AT_8 + HOUR, "09:00"),
        (MONDAY_AT_8 + 1, "08:00:01"),
        (MONDAY_AT_8 + DAY, "08:00 02/12/2025"),
    ],
)
def test_times_of_today_are_reported_without_the_day(at: float | None, sentence: str) -> None:
    assert CLOCK.text(at) == sentence


@given(
    st.integers(1, 3000 * 24 * 60).map(lambda n: MONDAY_AT_8 + n * MINUTES),
    st.sampled_from(["vi", "en"]),
)
def test_an_end_is_read_as_answers_show_it(at: float, language: Language) -> None:
    shown = Describer(Texts(language), CLOCK).term({"ends_at": at})
    assert read_time(CLOCK, shown, ends=True) == at


@given(st.integers(2, 40 * 24 * 60), st.sampled_from(["vi", "en"]))
def test_a_length_is_read_as_it_is_shown(minutes: int, language: Language) -> None:
    shown = Texts(language)(counted.duration(minutes * MINUTES))
    assert 0 <= minutes * MINUTES - duration_s(shown) < minutes * MINUTES / 2


@given(
    st.text(max_size=80)
    | st.text("0123456789:/-htp .'", max_size=20)
    | st.lists(
        st.sampled_from(("thứ", "5", "mai", "ngày", "7h", "30", "/", "12", "pm", "hết", "of"))
    ).map(" ".join)
)
def test_any_text_is_a_time_or_refused(text: str) -> None:
    for read in (duration_s, partial(read_time, CLOCK), partial(read_time, CLOCK, ends=True)):
        with suppress(ConfigError):
            assert read(text) < 4e10
