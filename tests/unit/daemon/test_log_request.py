# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import FilterdError
from filterd.daemon import log_request
from filterd.daemon.log_request import Days
from filterd.querylog.day_reader import LogFilter
from tests.support.policies import wire

STORED = ("2026-11-28", "2026-11-27", "2026-11-20", "2026-10-01")


@pytest.mark.parametrize(
    ("request_", "days"),
    [
        ({}, STORED[:2]),
        ({"days": 1}, STORED[:1]),
        ({"days": 9}, STORED[:3]),
        ({"day": "2026-11-20"}, STORED[2:3]),
        ({"day": "2026-11-21"}, ()),
    ],
)
def test_days_are_those_of_the_calendar_that_have_a_file(
    request_: dict[str, object], days: tuple[str, ...]
) -> None:
    assert Days.read(request_, STORED, "2026-11-28") == Days(days, "2026-11-28")


def test_a_request_has_a_name_and_a_context() -> None:
    given = {"name": wire("a.example").hex(), "match": "subtree", "class": "6A", "category": ""}
    assert log_request.wanted(given) == LogFilter(
        wire("a.example"), is_subtree=True, class_id="6A", category=""
    )
    assert log_request.wanted({"part": "TikTok"}) == LogFilter(part="tiktok")


def _days(request: dict[str, object]) -> Days:
    return Days.read(request, STORED, "2026-11-28")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(),
    lambda inner: st.lists(inner, max_size=2),
)
KEYS = ("name", "match", "part", "grade", "class", "tier", "action", "category", "days", "day")


@given(st.dictionaries(st.sampled_from(KEYS), plain))
def test_anything_else_is_an_error_with_a_reason(request_: dict[str, object]) -> None:
    for read in (log_request.wanted, log_request.limit, _days):
        text = ""
        try:
            read(request_)
        except FilterdError as error:
            text = str(error)
        assert "\n" not in text
