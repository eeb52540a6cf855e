# SPDX-License-Identifier: Apache-2.0
"""What has expired is found, soon after and never before, and leaves nothing behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.resolve.cache_expiry import STEP_S, Expiries

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
