# SPDX-License-Identifier: Apache-2.0
"""The cache's memory: what holds, what leaves first, and that its bound is one of real memory."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.store import ResolutionStore
from filterd.upstream import Resolution
from filterd.wire import Ede, Rcode, RebuiltSections

ROOM = 1_000_000


def _resolution(ttl_s: int = 60, records: int = 1, targets: int = 0, text: str = "") -> Resolution:
    """Return a resolution whose parts are objects of their own, as parsing makes them."""
    sections = RebuiltSections(
        body=bytes(bytearray(16 * records)),
        ancount=records,
        nscount=0,
        arcount=0,
        ttl_offsets=tuple(1_000 + 16 * n for n in range(records)),
        ttls=tuple(int(str(300 + ttl_s)) for _ in range(records)),
        question_octets=20,
    )
    names = tuple(bytes(bytearray(255)) for _ in range(targets))
    return Resolution(Rcode.NOERROR, sections, names, ttl_s, (Ede(0, text),) if text else ())


def test_what_was_put_is_got_with_its_age() -> None:
    store, resolution = ResolutionStore(), _resolution()
    store.put("key", resolution, 100.0)
    assert store.get("key", 107.9) == (resolution, 7)
    assert (store.hits, store.misses) == (1, 0)


def test_what_was_never_put_is_a_miss() -> None:
    store = ResolutionStore()
    assert store.get("key", 0.0) is None
    assert (store.hits, store.misses) == (0, 1)


@pytest.mark.parametrize(("age", "holds"), [(0.0, True), (59.9, True), (60.0, False)])
def test_a_resolution_holds_for_its_ttl(age: float, holds: bool) -> None:
    store = ResolutionStore()
    store.put("key", _resolution(60), 100.0)
    assert (store.get("key", 100.0 + age) is not None) is holds
    assert (len(store), store.used_octets > 0) == (int(holds), holds)


def test_a_machine_that_slept_finds_nothing_that_ended_meanwhile() -> None:
    store = ResolutionStore()
    store.put("key", _resolution(86_400), 100.0)
    assert store.get("key", 100.0 + 7 * 86_400) is None


@pytest.mark.parametrize("ttl_s", [0, -1])
def test_what_has_no_lifetime_is_not_kept(ttl_s: int) -> None:
    store = ResolutionStore()
    store.put("key", _resolution(ttl_s), 0.0)
    assert len(store) == 0


def test_what_has_no_lifetime_replaces_what_had_one() -> None:
    store = ResolutionStore()
    store.put("key", _resolution(60), 0.0)
    store.put("key", _resolution(0), 1.0)
    assert store.get("key", 2.0) is None


def test_putting_again_starts_anew_and_costs_once() -> None:
    store = ResolutionStore()
    store.put("key", _resolution(60), 0.0)
    used = store.used_octets
    store.put("key", _resolution(60), 50.0)
    assert store.used_octets == used
    assert store.get("key", 100.0) is not None


def test_what_was_used_longest_ago_leaves_first() -> None:
    once = ResolutionStore()
    once.put("key", _resolution(), 0.0)
    store = ResolutionStore(2 * once.used_octets)
    for key in ("a", "b"):
        store.put(key, _resolution(), 0.0)
    store.get("a", 1.0)
    store.put("c", _resolution(), 2.0)
    assert [store.get(key, 3.0) is not None for key in "abc"] == [True, False, True]


def test_what_is_larger_than_all_the_room_is_not_kept() -> None:
    store = ResolutionStore(10_000)
    store.put("small", _resolution(), 0.0)
    store.put("large", _resolution(records=1_000), 0.0)
    assert len(store) == 1


def test_a_cleared_store_is_empty() -> None:
    store = ResolutionStore()
    store.put("key", _resolution(), 0.0)
    store.clear()
    assert (len(store), store.used_octets, store.get("key", 0.0)) == (0, 0, None)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 3), st.integers(1, 40))))
def test_the_room_is_never_exceeded_and_always_given_back(
    puts: list[tuple[int, int, int]],
) -> None:
    store = ResolutionStore(8_000)
    for now, (key, ttl_s, records) in enumerate(puts):
        store.put(key, _resolution(ttl_s, records), float(now))
        assert 0 <= store.used_octets <= 8_000
    for key in range(10):
        store.get(key, len(puts) + 10.0)
    assert (len(store), store.used_octets) == (0, 0)


@pytest.mark.parametrize(
    ("records", "targets", "text"),
    [
        (1, 0, ""),
        (1, 1, ""),
        (20, 0, ""),
        (4_000, 0, ""),
        (200, 200, ""),
        (1, 0, "\U0001f600" * 200),
    ],
)
def test_the_bound_holds_for_the_memory_that_is_really_taken(
    records: int, targets: int, text: str
) -> None:
    store = ResolutionStore(ROOM)
    gc.collect()
    tracemalloc.start()
    number = 0
    while len(store) == number:
        own_text = (text + str(number)) if text else ""
        store.put((b"name%d" % number, number), _resolution(60, records, targets, own_text), 0.0)
        number += 1
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= ROOM
