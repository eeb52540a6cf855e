# SPDX-License-Identifier: Apache-2.0
"""Run a life of random steps, and report what was wrong in it."""

from __future__ import annotations

import gc
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.clock import FakeClock
from tests.support.oracle_hits import Hits
from tests.support.oracle_lifetimes import ANSWERED_WITHIN_S, MORE_AFTER_A_CHANGE_S
from tests.support.oracle_loop import LoopOfClock
from tests.support.oracle_school import School
from tests.support.oracle_scripts import Script
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import Turn, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.oracle_rules import Rules
    from tests.support.oracle_steps import Step

_MOST_LIVES = 20
"""So many of the failing life's length may be lived to shorten it."""
_MEMORY = next((str(one) for one in (Path("/dev/shm"),) if one.is_dir()), None)
"""Where files are synchronised in no time."""


@dataclass
class Outcome:
    """What came of lives: faults in words, steps, replies that were judged, what was met."""

    faults: list[str] = field(default_factory=list)
    steps: int = 0
    judged: int = 0
    hits: Hits = field(default_factory=Hits)

    def add(self, other: Outcome) -> None:
        """Put another life beside it."""
        self.faults += other.faults
        self.steps += other.steps
        self.judged += other.judged
        self.hits.update(other.hits)

    def __str__(self) -> str:
        return f"{self.steps:,} steps, {self.judged:,} replies judged\n{self.hits.table()}"


@dataclass(frozen=True)
class Way:
    """How a school is served."""

    workers: int = 1
    fast: bool = True

    def live_by(self, seed: int, steps: int = 0) -> Outcome:
        """Live a life that a seed makes up: so many steps, or each scene once."""
        script = self.script(seed)
        life = script.steps(steps) if steps else script.every_scene()
        outcome = self.live(script.first_rules, life)
        if outcome.faults:
            short = self.shortened(script.first_rules, life[: outcome.steps])
            story = "\n".join(map(str, short))
            outcome.faults.insert(0, f"seed {seed}, {self}; the least that goes wrong:\n{story}\n")
        return outcome

    def script(self, seed: int) -> Script:
        """Return what a seed makes up."""
        return Script(seed)

    def school(self, folder: Path, loop: LoopOfClock, clock: FakeClock, rules: Rules) -> School:
        """Return a school that is served so."""
        return School(folder, loop, clock, rules, self.workers, fast=self.fast)

    def live(self, rules: Rules, steps: Sequence[Step]) -> Outcome:
        """Live a life up to its first fault."""
        clock = FakeClock()
        loop = LoopOfClock(clock)
        try:
            with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
                school = self.school(Path(folder), loop, clock, rules)
                return loop.run_until_complete(_live(school, steps))
        finally:
            loop.close()
            gc.collect()  # each life has workers of its own, and each of those megabytes

    def shortened(self, rules: Rules, steps: Sequence[Step]) -> list[Step]:
        """Leave out what may be left out so that something is still wrong."""
        left, size = list(steps), len(steps) // 2
        may_live = len(steps) * _MOST_LIVES
        while size and may_live > 0:
            at = 0
            while at < len(left) and may_live > 0:
                fewer = left[:at] + left[at + size :]
                outcome = self.live(rules, fewer)
                may_live -= outcome.steps
                if outcome.faults:
                    left = fewer
                else:
                    at += size
            size //= 2
        return left


async def _live(school: School, steps: Sequence[Step]) -> Outcome:
    outcome = Outcome()
    end = (Turn(Mood.PROMPT), Wait(ANSWERED_WITHIN_S + MORE_AFTER_A_CHANGE_S))
    async with school:
        for step in (*steps, *end):
            await step.take(school)
            await school.settle()
            outcome.steps += 1
            if school.faults:
                break
    outcome.faults = [f"step {outcome.steps}: {fault}" for fault in school.faults]
    outcome.judged, outcome.hits = school.judged, school.oracle.hits
    return outcome
