# SPDX-License-Identifier: Apache-2.0
"""An entry is what was put, held as nothing that the collector would visit."""

from __future__ import annotations

import gc
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.cache_entry import STEP_S, CacheEntry, Expiries, pack, pack_key, unpack
from filterd.upstream import Resolution, UpstreamQuestion
from filterd.upstream.upstream_question import NO_SERVERS
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
QUESTIONS = st.builds(
    UpstreamQuestion,
    st.binary(min_size=1, max_size=255),
    st.integers(0, 65_535),
    st.booleans(),
    st.booleans(),
    st.just(NO_SERVERS),
)


@given(RESOLUTIONS, st.floats(0, 1e9), st.sampled_from([0, 86_400]))
def test_an_entry_tells_what_was_put(resolution: Resolution, now: float, stale_s: int) -> None:
    entry = CacheEntry.of(resolution, now, stale_s)
    assert entry.resolution == resolution
    assert (entry.stored_at, entry.expires_at) == (now, now + resolution.ttl_s)
    assert entry.gone_at == entry.expires_at + stale_s
    assert (entry.hits, entry.refreshed) == (0, False)


@given(RESOLUTIONS, st.integers(0, 2**40))
def test_what_is_noted_of_it_changes_nothing_else(resolution: Resolution, hits: int) -> None:
    entry = CacheEntry.of(resolution, 5.0, 60)
    entry.hits = hits
    entry.refreshed = True
    assert (entry.hits, entry.refreshed) == (min(hits, 2**32 - 1), True)
    assert (entry.resolution, entry.stored_at) == (resolution, 5.0)
    assert entry.refresh_at == inf


@given(RESOLUTIONS)
def test_the_collector_does_not_look_at_it(resolution: Resolution) -> None:
    assert not gc.is_tracked(CacheEntry.of(resolution, 0.0, 0).octets)


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


_KEYS = st.dictionaries(
    st.binary(max_size=3), st.floats(0, allow_subnormal=False, max_value=100 * STEP_S)
)


@given(_KEYS, st.floats(0, allow_subnormal=False, max_value=120 * STEP_S))
def test_all_that_expired_a_step_ago_is_found_and_nothing_that_holds(
    keys: dict[bytes, float], now: float
) -> None:
    expiries = Expiries()
    for key, at in keys.items():
        expiries.add(key, at)
    found = set(iter(lambda: expiries.pop_expired(now), None))
    assert {key for key, at in keys.items() if at + STEP_S <= now} <= found
    assert all(keys[key] <= now for key in found)


@given(_KEYS, st.data())
def test_what_was_removed_is_not_found(keys: dict[bytes, float], data: st.DataObject) -> None:
    expiries = Expiries()
    for key, at in keys.items():
        expiries.add(key, at)
    removed = data.draw(st.sets(st.sampled_from(sorted(keys)))) if keys else set()
    for key in removed:
        expiries.remove(key, keys[key])
    left = set(iter(lambda: expiries.pop_expired(200 * STEP_S), None))
    assert left == keys.keys() - removed
    assert not expiries._steps


def test_steps_come_one_after_another() -> None:
    expiries = Expiries()
    for step in (3, 1, 2):
        expiries.add(b"%d" % step, step * STEP_S)
    assert [expiries.pop_expired(10 * STEP_S) for _ in range(4)] == [b"1", b"2", b"3", None]
    expiries.add(b"0", 0.5 * STEP_S)
    assert expiries.pop_expired(0.9 * STEP_S) is None
    assert expiries.pop_expired(STEP_S) == b"0"


def test_what_came_last_of_a_step_leaves_first() -> None:
    expiries = Expiries()
    for key in (b"a", b"b", b"c"):
        expiries.add(key, 1.0)
    expiries.remove(b"c", 1.0)
    assert [expiries.pop_expired(STEP_S) for _ in range(3)] == [b"b", b"a", None]


def test_what_was_popped_may_be_removed_again() -> None:
    expiries = Expiries()
    expiries.add(b"a", 1.0)
    assert expiries.pop_expired(STEP_S) == b"a"
    expiries.remove(b"a", 1.0)
    expiries.add(b"b", 1.0)
    expiries.clear()
    assert expiries.pop_expired(STEP_S) is None


@pytest.mark.parametrize("at", [0.0, 1.0, STEP_S])
def test_a_key_is_found_when_its_step_is_over(at: float) -> None:
    expiries = Expiries()
    expiries.add(b"a", at)
    assert expiries.pop_expired(STEP_S) == b"a"
