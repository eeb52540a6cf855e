# SPDX-License-Identifier: Apache-2.0
"""Hours of small random schools: nothing that is answered is blocked, invented, lost or too old.

The controls break one thing in filterd each and ask for a life in which the
comparison notices.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from filterd.resolve import compose
from filterd.resolve.links import cache
from filterd.resolve.links.filter import Filter
from filterd.resolve.store import Entry, ResolutionStore
from tests.support.cache_life import NAMES, Life

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.lists.index import Index

LIVES = int(os.environ.get("FILTERD_FUZZ_LIVES", "150"))
LOOK = settings(
    max_examples=2000, deadline=None, phases=[Phase.generate], database=None, derandomize=True
)
"""How long a control looks for a life in which it is noticed, and always the same way."""

Steps = list[tuple[Any, ...]]

_NUMBERS = st.integers(0, 5)
STEPS: st.SearchStrategy[Steps] = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"), st.sampled_from(NAMES), st.booleans(), st.booleans(), st.integers(1, 4)
        ),
        st.tuples(st.just("tell"), _NUMBERS, st.sampled_from([0, 1, 20, 300]), st.booleans()),
        st.tuples(st.just("fail"), _NUMBERS, st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 4.0, 19.0, 31.0, 290.0, 90_000.0])),
        st.tuples(st.just("rule"), st.frozensets(st.sampled_from(NAMES))),
    ),
    max_size=40,
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits while there is something stale gets it in the next turns of the loop."""
    monkeypatch.setattr(cache, "STALE_AFTER_S", 0.0)


@settings(
    max_examples=LIVES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_every_answer_is_right_whenever_it_comes(index: Index, steps: Steps) -> None:
    asyncio.run(Life(index).live(steps))


def _holds_for_ever(store: ResolutionStore, key: Any, _: float) -> Entry | None:
    return store._entries.get(key)


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "aliases are not judged": lambda patch: patch.setattr(
        Filter, "_judge_targets", lambda *said: said[-1]
    ),
    "a reload is not seen by who waits": lambda patch: patch.setattr(
        Filter, "_judge_again", lambda *said: said[-1]
    ),
    "what expired is not marked": lambda patch: patch.setattr(
        ResolutionStore, "get", _holds_for_ever
    ),
    "what expired is kept for ever": lambda patch: patch.setattr(cache, "STALE_FOR_S", 10**9),
    "nothing that expired is kept": lambda patch: patch.setattr(cache, "STALE_FOR_S", 0),
    "what is old has a long TTL": lambda patch: patch.setattr(compose, "STALE_TTL_S", 31),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_the_comparison_notices_when(
    index: Index, monkeypatch: pytest.MonkeyPatch, broken: Callable[[pytest.MonkeyPatch], None]
) -> None:
    broken(monkeypatch)

    def is_noticed(steps: Steps) -> bool:
        try:
            asyncio.run(Life(index).live(steps))
        except AssertionError:
            return True
        return False

    assert find(STEPS, is_noticed, settings=LOOK)
