# SPDX-License-Identifier: Apache-2.0
"""Serve a school with a week, and run its life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.oracle_life import Way
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
