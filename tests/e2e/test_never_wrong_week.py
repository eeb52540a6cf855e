# SPDX-License-Identifier: Apache-2.0
"""No reply is wrong in a school with lessons and with changes by command.

As ``test_never_wrong``, with all rules that depend on time: lessons, schedules,
exceptions, rooms, exams, settings. The oracle computes the rules at the moment of each
reply from all changes (``tests.support.oracle_week``).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from filterd.fastpath.core_filler import NATIVE
from tests.e2e.oracle_week_mutants import OF_WHAT_IS_SET
from tests.support.oracle_life import Way
from tests.support.oracle_week_edge_mutants import OF_EDGES
from tests.support.oracle_week_school import WeekSchool
from tests.support.oracle_week_script import WeekScript

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.oracle_loop import LoopOfClock
    from tests.support.oracle_rules import Rules


@dataclass(frozen=True)
class WeekWay(Way):
    """How a school with a week is served."""

    def script(self, seed: int) -> WeekScript:
        """Return what a seed makes up."""
        return WeekScript(seed)

    def school(self, folder: Path, loop: LoopOfClock, clock: FakeClock, rules: Rules) -> WeekSchool:
        """Return a school that is served so."""
        return WeekSchool(folder, loop, clock, rules, self.workers, fast=self.fast)


pytestmark = pytest.mark.long

STEPS = int(os.environ.get("FILTERD_ORACLE_WEEK_STEPS", "2000"))
"""For all ways of serving together; `make fuzz` takes more."""
STEPS_OF_A_LIFE = 3_000
MOST_LIVES_OF_A_MUTANT = 12
FIRST = 9
"""The seed of the first life."""
MOST_ROUNDS = 6
"""Of each way, in which each scene comes once; until everything is met that must be."""

MUTANTS = OF_EDGES | OF_WHAT_IS_SET
WAYS = (WeekWay(1), WeekWay(2), WeekWay(2, fast=False))


def test_no_reply_is_wrong_in_a_week() -> None:
    whole = WAYS[FIRST % len(WAYS)].live_by(FIRST)
    for seed in range(FIRST + 1, FIRST + MOST_ROUNDS * len(WAYS)):
        if whole.faults or (seed >= FIRST + len(WAYS) and not whole.hits.missing(fast=NATIVE)):
            break
        whole.add(WAYS[seed % len(WAYS)].live_by(seed))
    seed = 1_000
    while whole.steps < STEPS and not whole.faults:
        whole.add(WAYS[seed % len(WAYS)].live_by(seed, STEPS_OF_A_LIFE))
        seed += 1
    sys.stdout.write(f"a week: {whole}\n")
    assert whole.faults == []
    assert whole.hits.missing(fast=NATIVE) == []


@pytest.mark.parametrize("safeguard", MUTANTS)
def test_control_each_safeguard_of_a_week_would_be_missed(
    monkeypatch: pytest.MonkeyPatch, safeguard: str
) -> None:
    mutant = MUTANTS[safeguard]
    mutant.breaks(monkeypatch)
    for seed in range(MOST_LIVES_OF_A_MUTANT):
        script = WeekScript(seed)
        life = script.of_scenes(mutant.scenes)
        if WeekWay(2, fast=mutant.fast).live(script.first_rules, life).faults:
            return
    pytest.fail("nothing was noticed")
