# SPDX-License-Identifier: Apache-2.0
"""An entry holds what was put, and the times of its life."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.cache_entry import CacheEntry
from filterd.upstream import Resolution
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
    st.booleans(),
)


@given(RESOLUTIONS, st.floats(0, 1e9))
def test_an_entry_expires_with_its_ttl(resolution: Resolution, now: float) -> None:
    entry = CacheEntry(resolution, now, now)
    assert entry.expires_at == now + resolution.ttl_s
    assert (entry.hits, entry.refreshed) == (0, False)


@given(RESOLUTIONS)
def test_what_is_refreshed_once_is_not_refreshed_again(resolution: Resolution) -> None:
    entry = CacheEntry(resolution, 5.0, 65.0)
    assert entry.refresh_at <= entry.expires_at or resolution.ttl_s < 10
    entry.refreshed = True
    assert entry.refresh_at == inf
