# SPDX-License-Identifier: Apache-2.0
"""The plain cache and the native one run the same stories with the same results."""

from __future__ import annotations

import gc
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from filterd.base.native import live_only
from filterd.resolve import cache_store as pure
from filterd.upstream import Resolution, UpstreamQuestion
from tests.support.store_stories import ROUTES, Story, a_resolution, charged_as, mapped_octets
from tests.unit.resolve.test_cache_entry import RESOLUTIONS

native: Any = live_only("filterd.resolve._cache")
pytestmark = pytest.mark.usefixtures("needs_native")

KEY = UpstreamQuestion(b"\3www\0", 1, False, False, ROUTES[0])
STORIES, THINGS = 60, 300
REACHED = {
    *(f"{what}: {said}" for what in ("get", "plain", "expired") for said in ("an entry", None)),
    "plain: False",
    "repeatable_until: until",
    "put",
    "made room",
    "shrank",
    "resized",
}


@pytest.fixture
def _charged_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pure, "_taken", charged_as(native))


@pytest.mark.usefixtures("_charged_alike")
def test_the_twins_say_the_same_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = Counter[str]()
    for seed in range(STORIES):
        rng = random.Random(seed)
        monkeypatch.setattr(pure, "MOST_ROUTES", rng.choice((2, 4, 4_096)))
        story = Story(rng, [pure.ResolutionStore(), native.ResolutionStore()], reached)
        for _ in range(THINGS):
            story.go_on()
        story.end()
    assert set(reached) >= REACHED


@settings(max_examples=200)
@given(RESOLUTIONS)
def test_what_was_put_is_got(resolution: Resolution) -> None:
    store = native.ResolutionStore()
    resolution = resolution._replace(ttl_s=resolution.ttl_s + 1)
    store.put(KEY, resolution, 0.0)
    entry = store.get(KEY, 0.5)
    assert entry.resolution == resolution
    assert type(entry.resolution) is Resolution
    assert type(entry.resolution.sections) is type(resolution.sections)


def test_the_collector_has_nothing_to_visit_of_what_is_held() -> None:
    store = native.ResolutionStore()
    resolution = a_resolution(random.Random(1))._replace(ttl_s=60)
    store.put(KEY, resolution, 0.0)
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1_000):
        question = UpstreamQuestion(b"%d" % number, 1, False, False, ROUTES[0])
        store.put(question, resolution, 0.0)
    del question
    assert len(store) == 1_001
    assert len(gc.get_objects()) - before < 10


@pytest.mark.usefixtures("needs_huge_pages")
def test_a_cache_that_begins_anew_gives_its_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pure, "MOST_ROUTES", 1)
    mapped, store = mapped_octets(), native.ResolutionStore()
    resolution = a_resolution(random.Random(1))._replace(ttl_s=60)
    for number in range(5_000):
        question = UpstreamQuestion(b"%d" % number, 1, False, False, ROUTES[0])
        store.put(question, resolution, 0.0)
    assert mapped_octets() - mapped > 5_000 * 128
    store.put(KEY._replace(route=ROUTES[1]), resolution, 0.0)
    assert len(store) == 1
    assert mapped_octets() - mapped < 10 * 4_096
