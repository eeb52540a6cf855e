# SPDX-License-Identifier: Apache-2.0
"""What the cache holds as octets is what was put into it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.cache_packing import pack, pack_key, unpack
from filterd.upstream import Resolution, UpstreamQuestion
from filterd.wire import Ede, RebuiltSections

_NUMBERS = st.integers(0, 2**31)
_SECTIONS = st.builds(
    RebuiltSections,
    st.binary(max_size=300),
    st.integers(0, 65_535),
    st.integers(0, 65_535),
    st.integers(0, 65_535),
    st.lists(st.integers(0, 65_535)).map(tuple),
    st.lists(_NUMBERS).map(tuple),
    st.integers(5, 259),
)
RESOLUTIONS = st.builds(
    Resolution,
    st.integers(0, 4_095),
    _SECTIONS,
    st.lists(st.binary(max_size=255), max_size=3).map(tuple),
    _NUMBERS,
    st.lists(st.builds(Ede, st.integers(0, 65_535), st.text(max_size=9)), max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
QUESTIONS = st.builds(
    UpstreamQuestion,
    st.binary(min_size=1, max_size=255),
    st.integers(0, 65_535),
    st.booleans(),
    st.booleans(),
)


@given(RESOLUTIONS)
def test_a_resolution_is_the_same_after_it_was_packed(resolution: Resolution) -> None:
    unpacked = unpack(pack(resolution))
    assert unpacked == resolution
    assert type(unpacked.sections) is RebuiltSections


@given(st.tuples(QUESTIONS, st.integers(0, 4_095)), st.tuples(QUESTIONS, st.integers(0, 4_095)))
def test_different_questions_and_routes_have_different_keys(
    one: tuple[UpstreamQuestion, int], other: tuple[UpstreamQuestion, int]
) -> None:
    assert (pack_key(*one) == pack_key(*other)) is (one == other)
