# SPDX-License-Identifier: Apache-2.0
"""A first look at a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.suffix_filter import Endings
from filterd.wire import name as names
from tests.support.policies import wire

LABELS = st.sampled_from([b"a", b"b", b"com", b"\x03com", b"vn"])
NAMES = st.lists(LABELS, max_size=4).map(lambda parts: names.from_labels(tuple(parts)))


@pytest.mark.parametrize("qname", ["school.vn", "www.school.vn", "a.b.alt", "alt"])
def test_what_is_at_or_beneath_a_name_may_be_covered(qname: str) -> None:
    assert Endings([wire("school.vn"), wire("alt")]).may_cover(wire(qname))


@pytest.mark.parametrize("qname", ["vn", "school.com", "xschool.vn", "salt", "alt.example"])
def test_most_other_names_are_told_at_a_look(qname: str) -> None:
    assert not Endings([wire("school.vn"), wire("alt")]).may_cover(wire(qname))


def test_where_many_names_end_alike_all_that_do_may_be_covered() -> None:
    many = Endings([wire(f"zone{number}.vn") for number in range(10, 50)])
    assert many.may_cover(wire("www.zone10.vn"))
    assert not many.may_cover(wire("www.zone10.com"))


def test_no_names_cover_nothing() -> None:
    assert not Endings([]).may_cover(wire("example.com"))
    assert not Endings([]).may_cover(names.ROOT)


def test_the_root_covers_everything() -> None:
    assert Endings([names.ROOT]).may_cover(wire("example.com"))


@given(st.lists(NAMES, max_size=20), NAMES)
def test_a_name_that_is_covered_is_never_denied(known: list[bytes], qname: bytes) -> None:
    if any(names.is_at_or_beneath(qname, name) for name in known):
        assert Endings(known).may_cover(qname)
