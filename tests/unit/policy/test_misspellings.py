# SPDX-License-Identifier: Apache-2.0
"""Known names are found by misspelt ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.misspellings import distance, meant_by
from tests.support.policies import a_pin, a_policy, wire
from tests.support.week import a_school

SCHOOL = a_school(pins=[a_pin("thi.moet.example"), a_pin("zz.example")])
WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("www.paly.example", "play.example"),
        ("plaay.example", "play.example"),
        ("paly.exmple", ""),  # two slips in a short name
        ("thi-moet.exampel", "thi.moet.example"),
        ("play.example", ""),
        ("www.play.example", ""),
        ("other.example", ""),
        ("zy.example", ""),
    ],
)
def test_the_name_that_was_meant_is_found(written: str, meant: str) -> None:
    assert meant_by(SCHOOL, wire(written)) == meant


def test_where_nothing_is_known_nothing_is_meant() -> None:
    assert meant_by(a_policy(), wire("paly.example")) == ""


def _slow(one: str, other: str) -> int:
    """Return the same distance by its definition."""
    if not one or not other:
        return len(one) + len(other)
    found = min(
        _slow(one[1:], other) + 1,
        _slow(one, other[1:]) + 1,
        _slow(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if len(one) > 1 and one[0] == other[:2][-1] and one[1] == other[0] and len(other) > 1:
        found = min(found, _slow(one[2:], other[2:]) + 1)
    return found


@given(WORDS, WORDS, st.integers(0, 3))
def test_the_distance_is_that_of_its_definition(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(_slow(one, other), most + 1)
