# SPDX-License-Identifier: Apache-2.0
"""Both twins of the cache's memory in the same stories: what is told, kept and let go."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from filterd.resolve import _store_py as pure
from filterd.upstream import Resolution, UpstreamQuestion
from tests.support.store_stories import ROUTES, Story, charged_as
from tests.unit.resolve.test_packed import RESOLUTIONS

native: Any = pytest.importorskip("filterd.resolve._store", reason="it is not built")

KEY = UpstreamQuestion(b"\3www\0", 1, do=False, cd=False), ROUTES[0]
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
