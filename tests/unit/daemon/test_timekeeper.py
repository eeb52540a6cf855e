# SPDX-License-Identifier: Apache-2.0
"""Which time policy goes by, as the machine's clock is behind, jumps, or is set by a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.daemon import known_time
from filterd.daemon.known_time import FOLLOWED_S, KnownTime
from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.daemon.timekeeper import (
    BELIEVED_AFTER_S,
    ClockStanding,
    Timekeeper,
    kernel_is_synchronised,
)
from filterd.errors import ChangeError
from filterd.policy.unknown_time import LATEST, is_known
from filterd.state_folder import StateFolder
from filterd.version import RELEASED_AT
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOW = RELEASED_AT + 1e7
HOUR_S = 3_600.0


class Machine:
    """A board, from one boot to the next."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state, self.is_set_by_server = StateFolder(folder), False
        self.boots = 0
        monkeypatch.setattr(known_time, "boot_id", lambda: f"boot {self.boots}")

    def boot(self, wall: float, *sources: float) -> None:
        self.boots += 1
        self.clock = FakeClock(wall)
        self.start(*sources)

    def start(self, *sources: float) -> None:
        """Start the daemon; it may be in the same boot."""
        self.page = SharedPage()
        known_time.begin(self.state, self.clock, self.page, sources)
        self.keeper = Timekeeper(self.state, self.clock, self.page, lambda _: self.is_set_by_server)
        self.policy = PolicyClock(self.clock, self.page)

    def standing(self) -> ClockStanding:
        return self.keeper.standing

    def look(self) -> None:
        step = self.keeper.look()
        if step is not None:
            self.keeper.make(step)
        if self.keeper.is_due:  # as the manager does, in a thread
            self.keeper.note()

    def jump(self, seconds: float) -> None:
        self.clock.set_wall(seconds)
        self.look()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path, monkeypatch)
    made.boot(NOW)
    made.keeper.note()
    return made


@pytest.mark.parametrize("wall", [0.0, NOW - 1, NOW - 2e8, LATEST, 4.1e9])
def test_a_boot_with_a_clock_that_cannot_be_right(machine: Machine, wall: float) -> None:
    machine.boot(wall)
    assert not is_known(machine.policy.wall())
    assert machine.standing() is ClockStanding.UNKNOWN
    assert machine.policy.least() == NOW
    machine.clock.advance(30.0)
    machine.keeper.note()
    machine.look()
    is_past_floor = wall == NOW - 1  # by now
    assert is_known(machine.policy.wall()) is is_past_floor
    assert machine.policy.least() == (NOW + 29 if is_past_floor else NOW)


def test_a_source_that_knows_a_later_time_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, monkeypatch)
    for sources, is_behind in (((), False), ((NOW + 1,), True), ((LATEST, 0.0, -1.0), False)):
        machine.boot(NOW, *sources)
        assert is_known(machine.policy.wall()) is not is_behind


@pytest.mark.parametrize("content", [b"", b"x", b"filterd clock 1\nx\n{}\n"])
def test_a_damaged_file_is_no_reason_not_to_start(machine: Machine, content: bytes) -> None:
    machine.state.clock.write_bytes(content)
    machine.boot(NOW)
    assert is_known(machine.policy.wall())
    machine.keeper.note()
    assert known_time.read(machine.state).at == NOW


def test_a_jump_forward_is_believed_if_it_lasts(machine: Machine) -> None:
    machine.jump(HOUR_S)
    machine.clock.advance(BELIEVED_AFTER_S - 1)
    machine.look()
    assert machine.policy.wall() == NOW + BELIEVED_AFTER_S - 1
    assert machine.standing() is ClockStanding.JUMPED
    machine.clock.advance(1)
    machine.look()
    assert machine.policy.wall() == machine.clock.wall()
    assert machine.standing() is ClockStanding.KNOWN


def test_a_jump_that_is_taken_back_has_never_been(machine: Machine) -> None:
    machine.jump(HOUR_S)
    machine.jump(-HOUR_S)
    assert machine.standing() is ClockStanding.KNOWN
    machine.jump(HOUR_S)
    machine.clock.advance(BELIEVED_AFTER_S - 1)
    machine.jump(HOUR_S)  # another one: it begins anew
    machine.clock.advance(BELIEVED_AFTER_S - 1)
    machine.look()
    assert machine.standing() is ClockStanding.JUMPED


@pytest.mark.parametrize("restarts", [1, 3])
def test_a_restart_goes_on_with_the_time_and_the_wait(machine: Machine, restarts: int) -> None:
    machine.jump(HOUR_S)
    for _ in range(restarts):
        machine.clock.advance(100.0)
        machine.start(machine.clock.wall())  # lists that were compiled by the clock that jumped
        assert machine.standing() is ClockStanding.JUMPED
        assert machine.policy.least() == machine.policy.wall()
        machine.look()
    left_s = BELIEVED_AFTER_S - 100.0 * restarts
    machine.clock.advance(left_s - 1)
    machine.look()
    assert machine.policy.wall() == NOW + BELIEVED_AFTER_S - 1
    machine.clock.advance(1)
    machine.look()
    assert machine.policy.wall() == machine.clock.wall()
    machine.start()
    assert machine.standing() is ClockStanding.KNOWN


def test_control_a_boot_and_a_file_without_the_lead_believe_it(machine: Machine) -> None:
    machine.jump(HOUR_S)
    kept = machine.state.clock.read_bytes()
    machine.boots += 1
    machine.start()
    assert machine.policy.wall() == NOW + HOUR_S
    machine.boots -= 1
    machine.state.clock.write_bytes(kept)
    machine.start()
    assert machine.policy.wall() == NOW
    known_time.FORMAT.save(machine.state.clock, KnownTime(NOW))  # as a release before kept it
    machine.start()
    assert machine.policy.wall() == NOW + HOUR_S


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_a_clock_that_jumps_between_two_daemons_is_watched(
    machine: Machine, seconds: float
) -> None:
    machine.clock.set_wall(seconds)
    machine.start()
    assert machine.policy.wall() == NOW
    machine.look()
    assert machine.standing() is ClockStanding.JUMPED
    machine.clock.advance(BELIEVED_AFTER_S)
    machine.look()
    is_believed = seconds > 0
    assert machine.policy.wall() == NOW + BELIEVED_AFTER_S + (seconds if is_believed else 0.0)


def test_a_time_server_is_believed_after_a_restart_too(machine: Machine) -> None:
    machine.jump(HOUR_S)
    machine.is_set_by_server = True
    machine.start()
    machine.look()
    assert machine.policy.wall() == NOW + HOUR_S


def test_a_jump_that_is_taken_back_is_watched_no_more(machine: Machine) -> None:
    machine.jump(HOUR_S)
    machine.jump(-HOUR_S)
    machine.start()
    assert machine.standing() is ClockStanding.KNOWN
    machine.clock.advance(BELIEVED_AFTER_S)
    machine.jump(HOUR_S)
    machine.start()
    machine.look()
    assert machine.standing() is ClockStanding.JUMPED


def test_a_restart_while_the_time_goes_back_knows_no_time(machine: Machine) -> None:
    """What is set may have its new dates already."""
    machine.jump(-HOUR_S)
    machine.keeper.doubt(machine.keeper.acceptable())
    machine.start()
    assert machine.standing() is ClockStanding.UNKNOWN


def test_a_lead_that_cannot_be_right_is_passed_over(machine: Machine) -> None:
    for believed_s in (0.0, LATEST):
        lead = known_time.Lead(known_time.boot_id(), believed_s, 0.0, 1e9)
        known_time.FORMAT.save(machine.state.clock, KnownTime(NOW, lead=lead))
        machine.start()
        assert machine.policy.wall() == NOW
        machine.look()
        assert machine.standing() is ClockStanding.KNOWN


def test_a_jump_back_is_never_believed_by_itself(machine: Machine) -> None:
    machine.jump(-HOUR_S)
    machine.clock.advance(100 * HOUR_S)
    machine.look()
    assert machine.policy.wall() == NOW + 100 * HOUR_S


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_a_time_server_is_believed_and_the_floor_dropped(machine: Machine, seconds: float) -> None:
    machine.is_set_by_server = True
    machine.jump(seconds)
    assert machine.policy.wall() == NOW + seconds
    machine.boot(NOW + seconds, NOW)
    assert is_known(machine.policy.wall())


@pytest.mark.parametrize("seconds", [FOLLOWED_S, -FOLLOWED_S, 0.5])
def test_a_clock_that_is_adjusted_is_followed(machine: Machine, seconds: float) -> None:
    machine.jump(seconds)
    assert machine.policy.wall() == NOW + seconds


def test_an_administrator_drops_a_floor_for_good(machine: Machine) -> None:
    with pytest.raises(ChangeError, match="believed already"):
        machine.keeper.acceptable()
    machine.boot(NOW - 10 * HOUR_S)
    step = machine.keeper.acceptable()
    assert step.back_s == 10 * HOUR_S
    machine.keeper.doubt(step)
    assert not is_known(machine.policy.wall())
    machine.keeper.make(step)
    assert machine.policy.wall() == NOW - 10 * HOUR_S
    machine.boot(NOW - 9 * HOUR_S, NOW - HOUR_S, NOW)
    assert is_known(machine.policy.wall())
    machine.boot(NOW - 9 * HOUR_S, NOW + 1)
    assert not is_known(machine.policy.wall())


def test_a_clock_before_the_release_is_not_accepted(machine: Machine) -> None:
    machine.boot(RELEASED_AT - 1)
    with pytest.raises(ChangeError, match="no clock that shows this time"):
        machine.keeper.acceptable()


def test_without_a_timekeeper_the_clock_is_believed() -> None:
    clock, page = FakeClock(5.0), SharedPage()
    assert PolicyClock(clock, page).wall() == 5.0


def test_a_floor_that_was_dropped_twice() -> None:
    first = KnownTime(NOW + HOUR_S).dropped(NOW, NOW + HOUR_S)
    assert first.dropped(NOW + 1, NOW + 2).wrong_until == NOW + HOUR_S


def test_the_kernel_vouches_for_no_clock_but_its_own() -> None:
    assert not kernel_is_synchronised(0.0)
