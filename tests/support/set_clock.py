# SPDX-License-Identifier: Apache-2.0
"""A daemon whose clocks a test sets.

``serving`` runs it, as ``python -m tests.support.set_clock FILE serve --config CONFIG --state
STATE``. FILE has five numbers of IEEE 754, which all processes map: the lead of the wall clock
over the machine's, the lead of the monotonic one, 1 if a time server has set the wall clock, the
number of the machine's boot, and 1 if the machine has no clock of its own. Words after FILE switch
safeguards off, for controls:

``raw``: policy uses the machine's clock;
``credulous``: a jump is believed at once;
``vouched``: the clock of a boot is confirmed as soon as it is possible;
``undated``: changes made while the time was not confirmed never get their dates;
``telling``: no category is confidential, and totals have the present hour;
``moving``: a teacher's categories go by the devices of the present moment;
``summing``: sums have what no row may have;
``counting``: a category of one device is shown as one of many.
"""

from __future__ import annotations

import mmap
import sys
from math import inf
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.clock import SystemClock
from filterd.daemon import main as serving
from filterd.daemon.manager import status_parts
from filterd.daemon.manager.change_service import Changes
from filterd.daemon.manager.disclosed_totals import HeldReach
from filterd.daemon.serving.lookup_recorder import LookupRecorder
from filterd.daemon.time import known_time, timekeeper
from filterd.policy.confidential_names import ConfidentialNames
from filterd.querylog.disclosure import Threshold
from filterd.querylog.totals_request import TotalsRequest

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.policy.model import Policy
    from filterd.querylog.day_reach import ReachRow

_NUMBERS = Struct("ddddd")


class Clocks(NamedTuple):
    """Both clocks of a daemon, by the file that it maps; see the module."""

    path: Path
    wall_s: float = 0.0
    monotonic_s: float = 0.0
    is_set_by_server: bool = False
    boot: int = 0
    stands_still: bool = False

    def program(self, *how: str) -> tuple[str, ...]:
        """Return what the interpreter runs; for ``serving``."""
        return "-m", __name__, str(self.path), *how

    def passes(self, seconds: float) -> Clocks:
        """Let time pass on both."""
        return self.set(wall_s=self.wall_s + seconds, monotonic_s=self.monotonic_s + seconds)

    def set(
        self,
        wall_s: float | None = None,
        monotonic_s: float | None = None,
        is_set_by_server: bool | None = None,
        boot: int | None = None,
        stands_still: bool | None = None,
    ) -> Clocks:
        """Set what is given."""
        clocks = Clocks(
            self.path,
            self.wall_s if wall_s is None else wall_s,
            self.monotonic_s if monotonic_s is None else monotonic_s,
            self.is_set_by_server if is_set_by_server is None else is_set_by_server,
            self.boot if boot is None else boot,
            self.stands_still if stands_still is None else stands_still,
        )
        if not self.path.exists():
            self.path.write_bytes(bytes(_NUMBERS.size))
        with self.path.open("r+b") as file:
            file.write(_NUMBERS.pack(*clocks[1:]))
        return clocks


class _SetClock(SystemClock):
    """The clock of all processes of the daemon."""

    def __init__(self, numbers: memoryview[float]) -> None:
        machine = SystemClock()
        setattr(self, "monotonic", lambda: machine.monotonic() + numbers[1])  # noqa: B010 -- static
        setattr(self, "wall", lambda: machine.wall() + numbers[0])  # noqa: B010 -- as above


def main() -> None:
    """Serve."""
    path, *how, _serve, _, config, _, state = sys.argv[1:]
    with Path(path).open("r+b") as file:
        numbers = memoryview(mmap.mmap(file.fileno(), _NUMBERS.size)).cast("d")
    setattr(serving, "SystemClock", lambda: _SetClock(numbers))  # noqa: B010 -- it is a class
    setattr(known_time, "boot_id", lambda: f"boot {numbers[3]:.0f}")  # noqa: B010 -- mypy
    setattr(timekeeper, "kernel_is_synchronised", lambda _: numbers[2] != 0.0)  # noqa: B010
    # By the real clock, a minute after the start: in a test at any moment, or never.
    setattr(status_parts, "_VERIFY_FIRST_S", 0.0)  # noqa: B010 -- mypy: as above
    if "raw" in how:
        setattr(known_time, "begin", lambda *_: None)  # noqa: B010 -- mypy: as above
    if "credulous" in how:
        setattr(timekeeper, "kernel_is_synchronised", lambda _: True)  # noqa: B010 -- as above
    if "vouched" in how:
        setattr(known_time, "UNCONFIRMED_S", 0.0)  # noqa: B010 -- as above
    setattr(known_time, "has_own_clock", lambda: numbers[4] == 0.0)  # noqa: B010 -- as above
    if "undated" in how:
        setattr(Changes, "know_time", _make_steps)  # noqa: B010 -- as above
    if "telling" in how:
        setattr(ConfidentialNames, "__init__", _hide_nothing)  # noqa: B010 -- as above
        setattr(TotalsRequest, "ends_at", lambda *_: inf)  # noqa: B010 -- as above
    if "moving" in how:
        setattr(HeldReach, "until", _of_now)  # noqa: B010 -- as above
    if "counting" in how:
        setattr(Threshold, "applied", lambda _, rows, __: rows)  # noqa: B010 -- as above
    if "summing" in how:
        setattr(LookupRecorder, "is_unlisted", lambda *_: False)  # noqa: B010 -- as above
    serving.main(config, state, "en", "no")


_hide = ConfidentialNames.__init__


def _hide_nothing(self: ConfidentialNames, policy: Policy, index: Index) -> None:
    _hide(self, policy, index)
    self.categories = frozenset()


async def _of_now(self: HeldReach, day: str, _: int) -> list[ReachRow]:
    return await self._read(day, day)


async def _make_steps(self: Changes, step: timekeeper.ClockStep | None, *, again: bool) -> None:
    """Let the time be known, and date nothing."""
    if step is not None and not again:
        self._in_force.keeper.make(step)


if __name__ == "__main__":
    main()
