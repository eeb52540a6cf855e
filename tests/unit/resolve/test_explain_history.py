# SPDX-License-Identifier: Apache-2.0
"""The past is explained by the policy and by what was set then, with the lists of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigError
from filterd.overrides.policy_versions import PolicyVersions
from filterd.overrides.store import Store
from filterd.resolve.explain_history import PastQuestion, PastState, explain_past
from filterd.state_folder import StateFolder
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
from tests.support.policies import NOW, a_policy, an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0


@pytest.fixture
def past(tmp_path: Path) -> PastState:
    """What is remembered of a school that has opened a game, and closed it an hour later."""
    state, clock = StateFolder(tmp_path / "state"), FakeClock()
    store = Store(state, clock)
    versions = PolicyVersions(state, store, clock)
    versions.note(a_policy())
    clock.advance(HOUR)
    store.change("exception", an_exception(), author="lan", reason="bài học")
    clock.advance(HOUR)
    store.change("revoke", {"id": 1}, author="lan", reason="")
    index = an_index(tmp_path, {"games": ("games", "domains", False, ["game.example"])})
    return PastState(versions, store, index)


def _asked(when: float, address: str | None = None) -> PastQuestion:
    grade = None if address else "3"
    return PastQuestion(wire("game.example"), 1, grade, address, when, "seven")


def test_it_is_as_it_was_set_then(past: PastState) -> None:
    told = [explain_past(past, _asked(NOW + hours * HOUR)) for hours in (0.5, 1.5, 2.5)]
    assert [one and (one.blocked, one.source) for one in told] == [
        (True, "history"),
        (False, "history"),
        (True, "history"),
    ]


def test_what_was_before_all_that_is_remembered_is_not_known(past: PastState) -> None:
    with pytest.raises(ConfigError, match="what was in force at seven is not known"):
        explain_past(past, _asked(NOW - 1))


def test_who_might_not_ask_gets_no_explanation(past: PastState) -> None:
    assert explain_past(past, _asked(NOW, "203.0.113.1")) is None
