# SPDX-License-Identifier: Apache-2.0
"""Texts of lists, surveys and members of families are the same, made natively or in Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.feed.families.lookalike_families import DIGITS, members_of, registered
from filterd.lists.public_suffix import suffix_rules
from filterd.lists.sort_records import plainly_survey, plainly_write_names, record_tail

native: Any = live_only("filterd.lists._matcher")
pytestmark = pytest.mark.usefixtures("needs_native")

LABELS = ["a", "b", "rn", "vvv", "a-1", "1-2", "-", "_", "9", "com", "vn", "ck", "www", "uk", "co"]
label = st.one_of(st.sampled_from(LABELS), st.text("abvrnw019-_xAé.", max_size=9))
name = st.lists(label, min_size=1, max_size=5).map(".".join)
key = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4).map(
    lambda labels: "".join(f"{one}\0" for one in labels).encode()
)
record = st.builds(
    lambda key, claim, line: key + record_tail(claim, line),
    key,
    st.integers(0, 4),
    st.integers(0, 2),
)


@given(records=st.lists(record, max_size=40), roles=st.binary(min_size=5, max_size=5))
@pytest.mark.parametrize("drops_covered", [True, False])
def test_twins_write_the_same_text(records: list[bytes], roles: bytes, drops_covered: bool) -> None:
    records.sort()
    expected = plainly_write_names(records, roles, drops_covered)
    assert native.write_names(records, roles, drops_covered) == expected


@given(records=st.lists(record, max_size=40), wanted=st.binary(min_size=5, max_size=5))
def test_twins_survey_records_alike(records: list[bytes], wanted: bytes) -> None:
    seen = frozenset(one[:-9] for one in records[::3])
    assert native.survey(records, seen, wanted) == plainly_survey(records, seen, wanted)


def test_a_claim_without_a_role_is_refused() -> None:
    with pytest.raises(IndexError):
        native.survey([b"a\0" + record_tail(1, 1)], frozenset(), b"\1")
    with pytest.raises(IndexError):
        native.write_names([b"a\0" + record_tail(1, 1)], b"\1", False)


@given(names=st.lists(name, max_size=30))
def test_members_are_those_that_single_names_have(names: list[str]) -> None:
    found = {one for each in names if (one := registered(each))}
    expected = {DIGITS.sub(b"#", one.label) + b"\0" + one.name.encode() for one in found}
    assert members_of(["\n".join(names).encode()]) == sorted(expected)


def test_some_of_them_are_taken_natively() -> None:
    members = list[bytes]()
    left = native.take_members(b"=a1.b2.com\nUPPER.com\n\nco.uk", suffix_rules(), members)
    assert (left, members) == ([b"UPPER.com"], [b"b#\0b2.com"])
