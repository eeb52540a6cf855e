# SPDX-License-Identifier: Apache-2.0
"""Hours of small random schools: nothing that is answered is blocked, invented, lost or too old.

The controls break one thing in filterd each, and live a life in which the
comparison notices it.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.resolve import compose
from filterd.resolve.links import cache
from filterd.resolve.links.filter import Filter
from filterd.resolve.store import Entry, ResolutionStore
from tests.support.cache_life import ALIAS, NAMES, PLAIN, TARGET, Life

if TYPE_CHECKING:
    from filterd.lists.index import Index

LIVES = int(os.environ.get("FILTERD_FUZZ_LIVES", "150"))
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
    return store._entries.get(store._packed(key))


ASK, ASK_ALIAS = ("ask", PLAIN, False, False, 1), ("ask", ALIAS, False, False, 1)
TELL, FAIL = ("tell", 0, 20, True), ("fail", 0, False)
BLOCK, BLOCK_TARGET = ("rule", frozenset({PLAIN})), ("rule", frozenset({TARGET}))
EXPIRED: Steps = [ASK, TELL, ("wait", 31.0), ASK, FAIL]

BROKEN: dict[str, tuple[object, str, object, Steps]] = {
    "aliases are not judged": (
        Filter,
        "_judge_targets",
        lambda *said: said[-1],
        [BLOCK_TARGET, ASK_ALIAS, TELL],
    ),
    "a reload is not seen by who waits": (
        Filter,
        "_judge_again",
        lambda *said: said[-1],
        [ASK, BLOCK, TELL],
    ),
    "what expired is not marked": (ResolutionStore, "get", _holds_for_ever, EXPIRED),
    "what expired is kept for ever": (
        cache,
        "STALE_FOR_S",
        10**9,
        [ASK, TELL, ("wait", 90_000.0), ASK, FAIL],
    ),
    "nothing that expired is kept": (cache, "STALE_FOR_S", 0, EXPIRED),
    "what is old has a long TTL": (compose, "STALE_TTL_S", 31, EXPIRED),
}


@pytest.mark.parametrize(("where", "what", "broken", "steps"), BROKEN.values(), ids=BROKEN.keys())
def test_the_comparison_notices_when(
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    what: str,
    broken: object,
    steps: Steps,
) -> None:
    asyncio.run(Life(index).live(steps))
    monkeypatch.setattr(where, what, broken)
    with pytest.raises(AssertionError):
        asyncio.run(Life(index).live(steps))
