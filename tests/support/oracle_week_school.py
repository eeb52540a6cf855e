# SPDX-License-Identifier: Apache-2.0
"""A school whose people give commands; the manager's part is done here.

The commands go through the manager's own ``Changes`` into a real store. Workers learn
each step by step, so that any event may come in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from filterd.base.errors import ChangeError
from filterd.daemon.manager.change_service import Changes, Enforcement
from filterd.daemon.time.timekeeper import Timekeeper
from filterd.overrides.rights.roles import Author, Rank
from tests.support.oracle_changes import Given, Ledger
from tests.support.oracle_rules import DEVICES
from tests.support.oracle_school import School
from tests.support.oracle_week_hits import WeekOracle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.policy.temporary_rules import Overrides
    from tests.support.clock import FakeClock
    from tests.support.oracle_changes import Command, TakeBack
    from tests.support.oracle_loop import LoopOfClock
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_steps import Step

_LAN = Author("lan", Rank.ADMIN)


class WeekSchool(School):
    """Workers that serve a school with a week.

    Attributes:
        numbers: of the changes, by the words that steps call them by.
    """

    oracle: WeekOracle

    def __init__(
        self,
        folder: Path,
        loop: LoopOfClock,
        clock: FakeClock,
        rules: Rules,
        workers: int = 1,
        *,
        fast: bool = True,
    ) -> None:
        super().__init__(folder, loop, clock, rules, workers, fast=fast)
        self.oracle = WeekOracle(self.upstream, self.clock, (rules,), workers=workers)
        self._mac = next(mac for mac in DEVICES if mac)
        self._ledger = Ledger()
        self.numbers: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        keeper = Timekeeper(self._setting.state, self._setting.clock, self._setting.page)
        in_force = Enforcement(
            asyncio.Lock(), lambda: self.workers[0]._sites.loaded, self._put_in_force, keeper
        )
        self._changes = Changes(self._setting, in_force)
        self._changes.start()
        return self

    async def change(
        self, rules: Rules, steps: Iterable[Step] = (), *, restart: int | None = None
    ) -> None:
        """Put other files in force; what commands have set stands."""
        said = self._ledger.said
        await super().change(replace(rules, said=said), steps, restart=restart)  # type: ignore[call-arg]
        self.oracle.note_reload(said)

    async def restart(self, number: int) -> None:
        """End a worker and start the next in its place."""
        await super().restart(number)
        self.oracle.note_restart(self._ledger.said)

    async def command(self, step: Command | TakeBack) -> None:
        """Give a command; where it is refused everything stays as it was."""
        request = step.request(self)
        if request is None:
            return
        self._step = step
        try:
            await self._changes.change(request, _LAN)
        except ChangeError as error:
            self.oracle.hits[f"refused: {step.kind}"] += 1
            self.oracle.refused[str(error)] += 1
            return
        self.oracle.note_command(step)

    async def _put_in_force(self, overrides: Overrides, epoch: int) -> None:
        """Do what the manager does when a change is recorded."""
        step, before = self._step, self.oracle.possible[-1]
        given = Given(overrides.number, self.clock.wall(), before)  # type: ignore[arg-type]
        step.note(self._ledger, given, self.numbers)
        self.numbers[step.called] = overrides.number
        after = replace(before, said=self._ledger.said)  # type: ignore[call-arg]
        for worker in self.workers:
            await worker.prepare(epoch=epoch, overrides=True)
        if step.restart is not None:
            # A worker that starts now knows the recorded changes.
            self.oracle.possible = (after, before)
            await self.restart(step.restart % self._count)
        await self.settle()
        self._page.epoch = epoch
        self.oracle.lifetimes.changed_at = self.clock.monotonic()
        self.oracle.possible = (after,)
        for ask in step.asks:
            await ask.take(self)
        await self.settle()
        for worker in self.workers:
            await worker.confirm(epoch=epoch)
