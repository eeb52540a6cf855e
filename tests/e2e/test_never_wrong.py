# SPDX-License-Identifier: Apache-2.0
"""Whatever happens in whatever order, the oracle allows every reply.

The oracle knows no cache, no table and no index (``tests.support.oracle_answers``). It
checks every reply of real workers on real sockets, on a test's clock, in lives of random
steps. A failing life is reported by its seed, and cut to the fewest steps that fail.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.e2e.oracle_answer_mutants import OF_ANSWERS, OF_THE_CLASSES, OF_THE_RELAY
from tests.support import oracle_stubs
from tests.support.oracle_life import Outcome, Way
from tests.support.oracle_mutants import OF_THE_CHAIN, OF_THE_FAST_PATH
from tests.support.oracle_scripts import Script

STEPS = int(os.environ.get("FILTERD_ORACLE_STEPS", "1000"))
"""For each way of serving; `make fuzz` takes more."""
STEPS_OF_A_LIFE = 2_000
MOST_LIVES_OF_A_MUTANT = 8
MOST_ROUNDS = 6
"""In which each scene comes once; until everything is met that must be."""

OF_THE_LISTENERS = OF_THE_FAST_PATH | OF_THE_CLASSES | OF_THE_RELAY
MUTANTS = OF_THE_LISTENERS | OF_THE_CHAIN | OF_ANSWERS


def lives(way: Way) -> Outcome:
    """Live each scene, and then lives of many steps, up to the first fault."""
    whole = way.live_by(0)
    for seed in range(1, MOST_ROUNDS):
        if whole.faults or not whole.hits.missing(fast=way.fast):
            break
        whole.add(way.live_by(seed))
    while whole.steps < STEPS and not whole.faults:
        whole.add(way.live_by(MOST_ROUNDS + whole.steps, STEPS_OF_A_LIFE))
    return whole


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 2])
def test_no_reply_is_wrong(workers: int) -> None:
    outcome = lives(Way(workers))
    sys.stdout.write(f"{workers} workers: {outcome}\n")
    assert outcome.faults == []
    assert outcome.hits.missing(fast=True) == []


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_no_reply_is_wrong_without_the_fast_path(workers: int) -> None:
    outcome = lives(Way(workers, fast=False))
    sys.stdout.write(f"without the fast path, {workers} workers: {outcome}\n")
    assert outcome.faults == []
    assert outcome.hits.missing(fast=False) == []


@pytest.mark.parametrize("safeguard", MUTANTS)
def test_control_each_safeguard_would_be_missed(
    monkeypatch: pytest.MonkeyPatch, safeguard: str
) -> None:
    MUTANTS[safeguard](monkeypatch)
    for seed in range(MOST_LIVES_OF_A_MUTANT):
        way = Way(workers=2 - seed % 2, fast=safeguard in OF_THE_LISTENERS)
        script = Script(seed)
        if way.live(script.first_rules, script.every_scene(bells=False)).faults:
            return
    pytest.fail("nothing was noticed")


def test_control_a_reply_that_the_kernel_drops_would_be_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client with one port, who has a thousand questions, has no room for the replies."""
    monkeypatch.setattr(oracle_stubs, "_MOST_OF_A_PORT", 10_000)
    with pytest.raises(AssertionError, match="had no room for"):
        Way().live_by(0)
