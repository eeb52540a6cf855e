# SPDX-License-Identifier: Apache-2.0
"""A term is said once, in words or in fields."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.term import Term, TermWords
from filterd.texts.rows import SchoolClock
from tests.support.fake_daemon import MONDAY_AT_8
from tests.support.policies import NOW

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8)
HOUR, MINUTES = 3600.0, 60.0


@pytest.mark.parametrize("until", ["hết giờ", "hết tiết", "end of the lesson"])
def test_the_end_of_the_lesson_may_be_written_as_a_time(until: str) -> None:
    assert TermWords(None, None, until, False, False).read(CLOCK).payload == {"lesson": True}


@pytest.mark.parametrize(
    ("term", "payload"),
    [
        (TermWords(None, "45m", None, False, False), {"for_s": 45.0 * MINUTES}),
        (TermWords(None, None, "17:00", False, False), {"ends_at": MONDAY_AT_8 + 9 * HOUR}),
        (TermWords(None, None, None, True, False), {"lesson": True}),
        (TermWords(None, None, None, False, True), {}),
        (
            TermWords("09:00", "45m", None, False, False),
            {"starts_at": MONDAY_AT_8 + HOUR, "for_s": 45.0 * MINUTES},
        ),
    ],
)
def test_a_term_is_what_a_change_wants(term: TermWords, payload: dict[str, object]) -> None:
    assert term.read(CLOCK).payload == payload


def test_a_term_is_said_once() -> None:
    with pytest.raises(ConfigError, match="--for and --lesson exclude each other"):
        TermWords(for_="45m", lesson=True).read(CLOCK)


def test_a_term_is_said_at_all_where_it_must() -> None:
    nothing = TermWords(None, None, None, False, False)
    assert nothing.read(CLOCK, may_be_open=True).payload == {}
    with pytest.raises(ConfigError, match=r"the duration is missing .give --for 45m"):
        nothing.read(CLOCK)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"term": "lesson"}, {"lesson": True}),
        ({"term": "permanent"}, {}),
        ({"term": "600"}, {"for_s": 600}),
        ({"term": "2700", "ends_at": NOW}, {"ends_at": NOW}),
        ({"term": "lesson", "ends_at": NOW}, {"ends_at": NOW}),
        ({"for_s": 600, "starts_at": NOW}, {"for_s": 600, "starts_at": NOW}),
        ({"ends_at": NOW, "lesson": False}, {"ends_at": NOW}),
    ],
)
def test_a_term_is_taken_out(given: dict[str, Any], found: dict[str, Any]) -> None:
    values = {"reason": "x", **given}
    assert Term.take(values).payload == found
    assert values == {"reason": "x"}


def test_a_term_may_be_open_where_the_manager_ends_it() -> None:
    assert Term.take({}, may_be_open=True).payload == {}
    with pytest.raises(ConfigError, match="the duration is missing"):
        Term.take({})
