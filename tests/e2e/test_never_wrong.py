# SPDX-License-Identifier: Apache-2.0
"""Whatever happens in whatever order, no reply is one that the oracle does not allow.

The oracle knows no cache, no table and no index (``tests.support.oracle_answers``).
It judges every reply of real workers on real sockets, whose time is the test's,
in lives of random steps. A life that goes wrong is told by its seed, and cut to
the least that still goes wrong.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.support.oracle_life import Outcome, Way
from tests.support.oracle_mutants import OF_THE_CHAIN, OF_THE_FAST_PATH
from tests.support.oracle_scripts import Script

STEPS = int(os.environ.get("FILTERD_ORACLE_STEPS", "2000"))
"""For each way of serving; `make fuzz` takes more."""
STEPS_OF_A_LIFE = 2_000
MOST_LIVES_OF_A_MUTANT = 8


def lives(way: Way) -> Outcome:
    """Live each scene once, and then lives of many steps, up to the first fault."""
    whole = way.live_by(0)
    while whole.steps < STEPS and not whole.faults:
        whole.add(way.live_by(1 + whole.steps, STEPS_OF_A_LIFE))
    return whole


@pytest.mark.parametrize("workers", [1, 2])
def test_no_reply_is_wrong(twin: str, workers: int) -> None:
    outcome = lives(Way(workers))
    sys.stdout.write(f"{twin}, {workers} workers: {outcome}\n")
    assert outcome.faults == []
    assert outcome.hits.missing(fast=True) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_no_reply_is_wrong_without_the_fast_path(workers: int) -> None:
    outcome = lives(Way(workers, fast=False))
    sys.stdout.write(f"without the fast path, {workers} workers: {outcome}\n")
    assert outcome.faults == []
    assert outcome.hits.missing(fast=False) == []


@pytest.mark.parametrize("safeguard", [*OF_THE_FAST_PATH, *OF_THE_CHAIN])
def test_each_safeguard_would_be_missed(monkeypatch: pytest.MonkeyPatch, safeguard: str) -> None:
    (OF_THE_FAST_PATH | OF_THE_CHAIN)[safeguard](monkeypatch)
    way = Way(workers=2, fast=safeguard in OF_THE_FAST_PATH)
    for seed in range(MOST_LIVES_OF_A_MUTANT):
        script = Script(seed)
        if way.live(script.first_rules, script.every_scene()).faults:
            return
    pytest.fail("nothing was noticed")
