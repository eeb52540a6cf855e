# SPDX-License-Identifier: Apache-2.0
"""The cache's memory: what holds, what leaves first, and that its bound is one of real memory."""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.policy.model import UpstreamServer
from filterd.resolve import cache_store
from filterd.resolve.cache_entry import REFRESHED_FROM_HITS
from filterd.upstream import Resolution, Route, UpstreamQuestion
from filterd.wire import Ede, Rcode, RebuiltSections
from tests.support.store_stories import mapped_octets
from tests.support.twins import both

if TYPE_CHECKING:
    from types import ModuleType

    from filterd.resolve.cache_store import ResolutionStore

ROOM = 1_000_000
_OCTETS_A_RECORD = 80
"""What a record costs in the one resolution that is held as it came."""
_PART_FILLED = 3 * 4_096
"""What the smallest store may take beyond what it counts: pages that are not full."""
ROUTE = Route(())


class Twin:
    """The twin that is tested."""

    module: ModuleType


@pytest.fixture(autouse=True, params=both("store"))
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "module", request.param, raising=False)


def _store(size_octets: int = cache_store.DEFAULT_SIZE_OCTETS) -> ResolutionStore:
    store: ResolutionStore = Twin.module.ResolutionStore(size_octets)
    return store


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


def _key(name: str = "www", route: Route = ROUTE) -> UpstreamQuestion:
    return UpstreamQuestion(name.encode(), 1, False, False, route)


KEY = _key()


def test_what_was_put_is_got_with_when_that_was() -> None:
    store, resolution = _store(), _resolution()
    store.put(KEY, resolution, 100.0)
    entry = store.get(KEY, 107.9)
    assert entry is not None
    assert (entry.resolution, entry.stored_at) == (resolution, 100.0)
    assert (store.hits, store.misses) == (1, 0)


def test_what_was_never_put_is_a_miss() -> None:
    store = _store()
    assert store.get(KEY, 0.0) is None
    assert (store.hits, store.misses) == (0, 1)


@pytest.mark.parametrize(("age", "holds"), [(0.0, True), (59.9, True), (60.0, False)])
def test_a_resolution_holds_for_its_ttl(age: float, holds: bool) -> None:
    store = _store()
    store.put(KEY, _resolution(60), 100.0)
    assert (store.get(KEY, 100.0 + age) is not None) is holds


def test_a_machine_that_slept_finds_nothing_that_ended_meanwhile() -> None:
    store = _store()
    store.put(KEY, _resolution(86_400), 100.0, stale_s=86_400)
    assert store.get(KEY, 100.0 + 7 * 86_400) is None
    assert store.expired(KEY, 100.0 + 7 * 86_400) is None
    assert (len(store), store.used_octets) == (0, 0)


@pytest.mark.parametrize(
    ("stale_s", "age", "given"),
    [(1_000, 60, True), (1_000, 1_059, True), (1_000, 1_060, False), (0, 60, False)],
)
def test_what_has_expired_may_be_given_for_as_long_as_was_said(
    stale_s: float, age: float, given: bool
) -> None:
    store = _store()
    store.put(KEY, _resolution(60), 100.0, stale_s=stale_s)
    assert store.get(KEY, 100.0 + age) is None
    assert (store.expired(KEY, 100.0 + age) is not None) is given


def test_giving_what_has_expired_does_not_lengthen_its_life() -> None:
    store = _store()
    store.put(KEY, _resolution(60), 0.0, stale_s=100)
    for now in range(60, 160):
        assert store.expired(KEY, now) is not None
    assert store.expired(KEY, 160) is None


@pytest.mark.parametrize("ttl_s", [0, -1])
def test_what_has_no_lifetime_is_not_kept(ttl_s: int) -> None:
    store = _store()
    store.put(KEY, _resolution(ttl_s), 0.0, stale_s=86_400)
    assert len(store) == 0


def test_what_has_no_lifetime_is_not_even_packed() -> None:
    """Each of two thousand queries that waited for it would pack it again."""
    unpackable = _resolution(0)._replace(targets=(None,))  # type: ignore[arg-type]  # to fail
    _store().put(KEY, unpackable, 0.0)


def test_what_has_no_lifetime_replaces_what_had_one() -> None:
    store = _store()
    store.put(KEY, _resolution(60), 0.0, stale_s=86_400)
    store.put(KEY, _resolution(0), 1.0, stale_s=86_400)
    assert store.get(KEY, 2.0) is None
    assert store.expired(KEY, 2.0) is None


def test_putting_again_starts_anew_and_costs_once() -> None:
    store = _store()
    store.put(KEY, _resolution(60), 0.0)
    used = store.used_octets
    store.put(KEY, _resolution(60), 50.0)
    assert store.used_octets == used
    assert store.get(KEY, 100.0) is not None


def test_what_many_waited_for_is_put_once() -> None:
    store, resolution = _store(), _resolution(60)
    for now in (0.0, 0.1):
        store.put(KEY, resolution, now)
        store.get(KEY, now)
    entry = store.get(KEY, 1.0)
    assert entry is not None
    assert (entry.stored_at, entry.hits) == (0.0, 3)


@pytest.mark.parametrize(("ttl_s", "refresh_at"), [(300, 370.0), (10, 109.0), (9, float("inf"))])
def test_the_last_tenth_is_for_refreshing_unless_it_is_too_short(
    ttl_s: int, refresh_at: float
) -> None:
    store = _store()
    store.put(KEY, _resolution(ttl_s), 100.0)
    entry = store.get(KEY, 100.0)
    assert entry is not None
    assert entry.refresh_at == refresh_at


def test_what_may_simply_be_given_is_a_hit_like_any_other() -> None:
    store = _store_for(2)
    for name in "ab":
        store.put(_key(name), _resolution(), 0.0)
    entry = store.plain(_key("a"), 1.0)
    assert entry
    assert (entry.hits, store.hits, store.misses) == (1, 1, 0)
    store.put(_key("c"), _resolution(), 2.0)
    assert _held(store, "abc", 3.0) == "ac"


def test_where_nothing_is_known_at_all_an_exchange_is_needed() -> None:
    store = _store()
    assert store.plain(KEY, 0.0) is None
    assert (store.hits, store.misses) == (0, 1)


@pytest.mark.parametrize("age", [60.0, 1_059.0, 10_000.0])
def test_what_has_expired_is_not_plain(age: float) -> None:
    store = _store()
    store.put(KEY, _resolution(60), 0.0, stale_s=1_000)
    assert store.plain(KEY, age) is False
    assert (store.hits, store.misses) == (0, 0)


@pytest.mark.parametrize("age", [0.0, 10_000.0])
def test_what_failed_is_not_plain_while_that_is_remembered(age: float) -> None:
    store = _store()
    store.failures.remember(KEY, (), 0.0, 0.0)
    assert store.plain(KEY, age) is False
    store.failures.forget(KEY, age)
    assert store.plain(KEY, age) is None


def test_what_holds_is_plain_though_asking_ahead_failed() -> None:
    store = _store()
    store.put(KEY, _resolution(60), 0.0)
    store.failures.remember(KEY, (), 0.0, 0.0)
    assert store.plain(KEY, 1.0)


@pytest.mark.parametrize(
    ("hits", "now", "plain"),
    [
        (REFRESHED_FROM_HITS - 1, 270.0, False),
        (REFRESHED_FROM_HITS - 1, 269.9, True),
        (REFRESHED_FROM_HITS - 2, 270.0, True),
    ],
)
def test_what_one_more_question_would_refresh_is_not_plain(
    hits: int, now: float, plain: bool
) -> None:
    store = _store()
    store.put(KEY, _resolution(300), 0.0)
    store.note_hits(store.mark_of(KEY), hits)
    assert bool(store.plain(KEY, now)) is plain
    assert store.hits == hits + plain


def test_what_is_being_refreshed_is_plain() -> None:
    store = _store()
    store.put(KEY, _resolution(300), 0.0)
    store.note_hits(store.mark_of(KEY), 9)
    entry = store.get(KEY, 280.0)
    assert entry
    entry.refreshed = True
    assert store.plain(KEY, 280.0)
    assert store.repeatable_until(KEY, 280.0) == 0.0


def test_an_entry_has_what_was_put_when_it_has_long_gone() -> None:
    store, resolution = _store(), _resolution(60)
    store.put(KEY, resolution, 0.0)
    entry = store.get(KEY, 1.0)
    store.put(KEY, _resolution(300), 2.0)
    assert entry
    entry.refreshed = True
    assert entry.resolution == resolution
    later = store.get(KEY, 3.0)
    assert later
    assert not later.refreshed


@pytest.mark.usefixtures("needs_huge_pages")
def test_less_room_keeps_what_was_used_last_and_gives_the_memory_back() -> None:
    mapped, store = mapped_octets(), _store(8 * ROOM)
    for number in range(5_000):
        store.put(_key(f"name{number}"), _resolution(9_000 + number), float(number))
    for number in range(0, 5_000, 50):
        store.note_hits(store.mark_of(_key(f"name{number}")), 1)
    store.resize(ROOM // 10, 5_000.0)
    assert mapped_octets() - mapped <= store.used_octets + _PART_FILLED <= ROOM // 10 + _PART_FILLED
    most = min(len(store), 99)
    assert most > 50
    kept = [store.get(_key(f"name{number}"), 5_000.0) for number in range(4_950, 0, -50)][:most]
    assert [entry and entry.resolution.ttl_s for entry in kept] == [
        9_000 + number for number in range(4_950, 0, -50)
    ][:most]
    store.resize(4 * ROOM, 5_000.0)
    store.put(_key("new"), _resolution(records=1_000), 5_000.0)
    assert store.get(_key("name4950"), 5_001.0) is not None


def test_a_mark_outlives_what_is_replaced_and_takes_little_memory() -> None:
    store = _store()
    store.put(KEY, _resolution(60), 0.0)
    mark = store.mark_of(KEY)
    store.put(KEY, _resolution(300), 1.0)
    store.note_hits(mark, 7)
    entry = store.get(KEY, 2.0)
    assert entry is not None
    assert entry.hits == 8
    assert sys.getsizeof(mark) <= (32 if Twin.module is not cache_store else 128)


def test_a_question_that_was_never_kept_has_no_hits_to_note() -> None:
    store = _store()
    store.note_hits(store.mark_of(KEY), 7)
    assert store.hits == 0


def test_hits_of_a_fast_path_count_like_those_seen_here() -> None:
    store = _store_for(2)
    for name in "ab":
        store.put(_key(name), _resolution(), 0.0)
    store.note_hits(store.mark_of(_key("a")), 7)
    store.note_hits(store.mark_of(_key("gone")), 7)
    store.put(_key("c"), _resolution(), 2.0)
    assert _held(store, "abc", 3.0) == "ac"
    entry = store.get(_key("a"), 4.0)
    assert entry is not None
    assert entry.hits == 9


def test_routes_without_number_begin_the_cache_anew_and_nothing_is_mistaken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("filterd.resolve.cache_store.MOST_ROUTES", 2)
    store = _store()
    routes = [Route((UpstreamServer("192.0.2.1", port),)) for port in (1, 2, 3)]
    for ttl_s, route in enumerate(routes, start=60):
        store.put(_key(route=route), _resolution(ttl_s), 0.0)
    held = [store.get(_key(route=route), 1.0) for route in routes]
    assert [entry and entry.resolution.ttl_s for entry in held] == [None, None, 62]
    assert len(store) == 1


def test_what_was_used_longest_ago_leaves_first() -> None:
    store = _store_for(2)
    for name in "ab":
        store.put(_key(name), _resolution(), 0.0)
    store.get(_key("a"), 1.0)
    store.put(_key("c"), _resolution(), 2.0)
    assert _held(store, "abc", 3.0) == "ac"


@pytest.mark.usefixtures("small_steps")
def test_what_has_expired_leaves_before_what_holds() -> None:
    store = _store_for(3)
    store.put(_key("a"), _resolution(9_000), 0.0, stale_s=86_400)
    store.put(_key("b"), _resolution(60), 0.0, stale_s=86_400)
    store.put(_key("c"), _resolution(50), 0.0, stale_s=86_400)
    store.get(_key("b"), 49.0)
    store.get(_key("c"), 49.0)
    store.put(_key("d"), _resolution(9_000), 70.0)
    assert [store.expired(_key(name), 71.0) is not None for name in "abcd"] == [1, 1, 0, 1]
    store.put(_key("e"), _resolution(9_000), 72.0)
    assert _held(store, "abcde", 73.0) == "ade"
    store.put(_key("f"), _resolution(9_000), 74.0)
    assert _held(store, "adef", 75.0) == "def"


@pytest.mark.usefixtures("small_steps")
def test_what_was_renewed_has_not_expired() -> None:
    store = _store_for(2)
    store.put(_key("a"), _resolution(60), 0.0)
    store.put(_key("b"), _resolution(300), 0.0)
    store.put(_key("a"), _resolution(600), 50.0)
    store.put(_key("c"), _resolution(300), 100.0)
    assert _held(store, "abc", 101.0) == "ac"


def test_what_is_larger_than_all_the_room_is_not_kept() -> None:
    store = _store(10_000)
    store.put(_key("small"), _resolution(), 0.0)
    store.put(_key("large"), _resolution(records=1_000), 0.0)
    assert len(store) == 1


def test_a_smaller_bound_holds_at_once() -> None:
    store = _store()
    for number in range(100):
        store.put(_key(f"name{number}"), _resolution(), 0.0)
        store.failures.remember(_key(f"dead{number}"), (), 0.0, 1.0)
    store.resize(20_000, 2.0)
    assert 0 < store.used_octets <= 20_000
    assert store.get(_key("name99"), 3.0) is not None


def test_dead_names_do_not_push_out_those_that_work() -> None:
    store = _store_for(5)
    for name in "abcde":
        store.put(_key(name), _resolution(), 0.0)
    for number in range(1_000):
        store.failures.remember(_key(f"dead{number}"), (), 0.0, 1.0)
    assert _held(store, "abcde", 2.0) == "abcde"


def test_the_figures_count_what_was_done() -> None:
    store = _store()
    store.put(KEY, _resolution(), 0.0)
    store.get(KEY, 1.0)
    store.get(_key("other"), 1.0)
    figures = store.figures()
    assert figures.pop("octets") == store.used_octets
    assert {name: value for name, value in figures.items() if value} == {
        "entries": 1,
        "hits": 1,
        "misses": 1,
    }


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 3), st.integers(1, 40))))
def test_the_room_is_never_exceeded_and_always_given_back(
    puts: list[tuple[int, int, int]],
) -> None:
    store = _store(12_000)
    for now, (name, ttl_s, records) in enumerate(puts):
        store.put(_key(str(name)), _resolution(ttl_s, records), float(now), stale_s=5)
        assert 0 <= store.used_octets <= 12_000
    for name in range(10):
        store.expired(_key(str(name)), len(puts) + 10.0)
    assert (len(store), store.used_octets) == (0, 0)


@pytest.mark.usefixtures("small_steps")
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(1, 9))))
def test_nothing_that_holds_leaves_while_something_expired_is_there(
    puts: list[tuple[int, int, int]],
) -> None:
    store, holds_until, now = _store_for(8), dict[str, float](), 0.0
    for number, ttl_s, pause_s in puts:
        name = chr(ord("a") + number)
        store.put(_key(name), _resolution(ttl_s), now, stale_s=86_400)
        holds_until[name] = now + ttl_s
        kept = {name for name in holds_until if store.expired(_key(name), now) is not None}
        gone_early = {name for name in holds_until.keys() - kept if holds_until[name] > now}
        assert not gone_early or all(holds_until[name] > now for name in kept)
        assert _held(store, "".join(kept), now) == "".join(
            name for name in kept if holds_until[name] > now
        )
        holds_until = {name: holds_until[name] for name in kept}
        now += pause_s / 4


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what has expired be known for it at once; in its steps it is a little later."""
    monkeypatch.setattr(cache_store, "STEP_S", 0.25)


def _store_for(entries: int) -> ResolutionStore:
    """Return a store with room for so many small resolutions and their share of failures."""
    once = _store()
    once.put(KEY, _resolution(), 0.0)
    return _store((once.used_octets * entries * 8 + 6) // 7)


def _held(store: ResolutionStore, names: str, now: float) -> str:
    return "".join(name for name in names if store.get(_key(name), now) is not None)


def _fill_free_lists() -> None:
    """Give the interpreter the freed tuples that it keeps for itself, 2,000 of each size."""
    gc.collect()
    for _ in range(2_000):
        _resolution(60, 1, 1, "text")


@pytest.mark.parametrize(
    ("records", "targets", "text"),
    [
        pytest.param(1, 0, "", marks=pytest.mark.long),
        pytest.param(1, 1, "", marks=pytest.mark.long),
        pytest.param(30, 0, "", marks=pytest.mark.long),
        (4_000, 0, ""),
        (200, 200, ""),
        (1, 0, "\U0001f600" * 200),
    ],
)
@pytest.mark.usefixtures("needs_huge_pages")
def test_the_bound_holds_for_the_memory_that_is_really_taken(
    records: int, targets: int, text: str
) -> None:
    mapped, store = mapped_octets(), _store(ROOM)
    _fill_free_lists()
    tracemalloc.start()
    number = 0
    while number <= 3 * len(store):
        own_text = (text + str(number)) if text else ""
        key = _key(str(number).rjust(255))
        store.put(key, _resolution(60, records, targets, own_text), float(number), stale_s=86_400)
        store.failures.remember(key, (Ede(22), Ede(0, own_text)), number, number)
        number += 1
    taken = tracemalloc.get_traced_memory()[0] + mapped_octets() - mapped
    tracemalloc.stop()
    assert number > len(store) > 0
    put_last = (_OCTETS_A_RECORD * records) if records > 1_000 else 0
    assert ROOM / 4 < taken <= ROOM + put_last


@pytest.mark.parametrize("name_octets", [20, pytest.param(60, marks=pytest.mark.long), 255])
@pytest.mark.usefixtures("needs_huge_pages")
def test_the_bound_holds_while_nothing_that_is_held_has_expired(name_octets: int) -> None:
    room = ROOM // 4
    mapped, store = mapped_octets(), _store(room)
    _fill_free_lists()
    tracemalloc.start()
    number = most = most_mapped = 0
    while number <= 5 * len(store):
        key = _key(str(number).rjust(name_octets))
        store.put(key, _resolution(10**6), float(number))
        store.failures.remember(key, (Ede(22),), number, number)
        most = max(most, tracemalloc.get_traced_memory()[0])
        if number % 1_024 == 0:
            most_mapped = max(most_mapped, mapped_octets() - mapped)
        number += 1
    tracemalloc.stop()
    assert number > 3 * len(store) > 0
    assert most + most_mapped <= room


@pytest.mark.usefixtures("needs_huge_pages")
def test_what_a_fork_shares_is_measured_as_before() -> None:
    store = _store(ROOM)
    for number in range(500):
        store.put(_key(str(number)), _resolution(10**6), float(number))
    alone = mapped_octets()
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        assert mapped_octets() == alone
    finally:
        os.close(writing)
        os.waitpid(pid, 0)
        os.close(reading)


def test_the_figures_have_a_name_each_and_all_memory() -> None:
    store = _store(80_000)
    store.put(KEY, _resolution(), 0.0)
    before = store.used_octets
    store.failures.remember(_key("dead"), (), 0.0, 1.0)
    store.stale, store.cached_failures, store.refreshed = 3, 4, 5
    assert store.used_octets == before + store.failures.used_octets > before
    assert store.size_octets == 70_000
    assert store.figures() == {
        "entries": 1,
        "failures": 1,
        "octets": store.used_octets,
        "hits": 0,
        "misses": 0,
        "stale": 3,
        "cached_failures": 4,
        "refreshed": 5,
    }


@pytest.mark.parametrize(
    ("ttl_s", "age", "until"),
    [(300, 0.0, 270.0), (300, 300.0, 0.0), (300, 299.0, 270.0), (5, 0.0, 5.0)],
)
def test_an_answer_is_repeated_until_it_may_be_refreshed_or_expires(
    ttl_s: int, age: float, until: float
) -> None:
    store = _store()
    store.put(KEY, _resolution(ttl_s), 0.0, stale_s=1_000)
    assert store.repeatable_until(KEY, age) == until


def test_what_is_not_there_is_not_repeated() -> None:
    assert _store().repeatable_until(KEY, 0.0) == 0.0


def test_routes_up_to_the_bound_are_kept_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filterd.resolve.cache_store.MOST_ROUTES", 2)
    store = _store()
    routes = [Route((UpstreamServer("192.0.2.1", port),)) for port in (1, 2, 3, 4)]

    def held() -> list[int]:
        found = enumerate(routes, start=1)
        return [port for port, route in found if store.get(_key(route=route), 1.0) is not None]

    for number in (0, 1):
        store.put(_key(route=routes[number]), _resolution(), 0.0)
    store.put(_key("other", routes[1]), _resolution(), 0.0)
    assert held() == [1, 2]
    for number in (2, 3):
        store.put(_key(route=routes[number]), _resolution(), 0.0)
    assert held() == [3, 4], "begun anew with the third"


def test_what_begins_anew_has_all_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filterd.resolve.cache_store.MOST_ROUTES", 1)
    once = _store()
    once.put(_key("abc"), _resolution(), 0.0)
    store = _store_for(3)
    for port in (1, 2):
        for name in ("one", "two", "six"):
            key = _key(name, Route((UpstreamServer("192.0.2.1", port),)))
            store.put(key, _resolution(), 0.0)
    assert (len(store), store.used_octets) == (3, 3 * once.used_octets)
    store.put(_key("ten", Route((UpstreamServer("192.0.2.1", 2),))), _resolution(), 1.0)
    assert (len(store), store.used_octets) == (3, 3 * once.used_octets)


def test_what_two_questions_got_is_put_for_both_and_again_when_it_has_gone() -> None:
    store, resolution = _store(), _resolution(60)
    for name in "ab":
        store.put(_key(name), resolution, 0.0)
    assert _held(store, "ab", 1.0) == "ab"
    assert store.expired(_key("b"), 60.0) is None
    store.put(_key("b"), resolution, 61.0)
    assert _held(store, "b", 62.0) == "b"


def test_what_lives_for_a_second_is_kept() -> None:
    store = _store()
    store.put(KEY, _resolution(1), 0.0)
    assert store.get(KEY, 0.9) is not None


def test_what_just_fits_is_kept() -> None:
    once = _store()
    once.put(KEY, _resolution(), 0.0)
    size = next(
        n for n in range(once.used_octets, 2 * once.used_octets) if n - n // 8 == once.used_octets
    )
    for octets, kept in ((size, 1), (size - 2, 0)):
        store = _store(octets)
        store.put(KEY, _resolution(), 0.0)
        assert len(store) == kept


@pytest.mark.parametrize(("now", "held"), [(15.9, "bc"), (16.0, "ac")])
def test_what_expires_at_the_end_of_a_step_leaves_first_from_then_on(now: float, held: str) -> None:
    store = _store_for(2)
    store.put(_key("a"), _resolution(9_000), 0.0)
    store.put(_key("b"), _resolution(16), 0.0, stale_s=86_400)
    store.put(_key("c"), _resolution(9_000), now)
    kept = [name for name in "abc" if store.expired(_key(name), now) is not None]
    assert "".join(kept) == held


def test_targets_take_the_memory_of_a_name_and_a_number_each() -> None:
    plain, aliased = (cache_store._taken(KEY, _resolution(targets=n)) for n in (0, 2))
    assert aliased - plain == 2 * (sys.getsizeof(bytes(255)) + cache_store._NUMBER_OCTETS)


def test_what_begins_anew_has_no_entry_of_before_to_evict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filterd.resolve.cache_store.MOST_ROUTES", 1)
    store = _store_for(2)
    for port, ttl_s in ((1, 30), (2, 9_000)):
        for name in "abc":
            key = _key(name, Route((UpstreamServer("192.0.2.1", port),)))
            store.put(key, _resolution(ttl_s), 100.0 * (port - 1))
    assert len(store) == 2


def test_the_cache_has_the_size_that_the_guides_state() -> None:
    assert cache_store.DEFAULT_SIZE_OCTETS == 32 * 2**20
    assert (*(8, 4_096, 16.0),) == (
        cache_store.FAILURES_SHARE,
        cache_store.MOST_ROUTES,
        cache_store.STEP_S,
    )
