# SPDX-License-Identifier: Apache-2.0
"""Which time policy goes by, as the machine's clock is behind, jumps, or is set by a server."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError
from filterd.base.state_folder import StateFolder
from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.daemon.time import known_time, timekeeper
from filterd.daemon.time.known_time import FOLLOWED_S, KnownTime
from filterd.daemon.time.timekeeper import (
    ClockStanding,
    Timekeeper,
    kernel_is_synchronised,
)
from filterd.policy.unknown_time import (
    LATEST,
    Certainty,
    is_confirmed,
    is_known,
    of_facts,
    shown,
)
from filterd.version import RELEASED_AT
from tests.support.clock import FakeClock
from tests.support.interleaving import Interleaving

if TYPE_CHECKING:
    from pathlib import Path

NOW = RELEASED_AT + 1e7
HOUR_S = 3_600.0


class Machine:
    """A board, from one boot to the next."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state, self.is_set_by_server = StateFolder(folder), False
        self.boots, self.has_own_clock = 0, True
        monkeypatch.setattr(known_time, "has_own_clock", lambda: self.has_own_clock)
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
        self.keeper.note()

    def confirm(self) -> None:
        """Let a time server set the clock to the time that it shows, for a while."""
        self.is_set_by_server = True
        self.look()
        self.is_set_by_server = False

    def shows(self) -> float:
        """Return the Unix time that policy time shows."""
        return shown(self.policy.wall())

    def jump(self, seconds: float) -> None:
        self.clock.set_wall(seconds)
        self.look()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path, monkeypatch)
    made.boot(NOW)
    made.confirm()
    return made


@pytest.mark.parametrize("wall", [0.0, NOW - 1, NOW - 2e8, LATEST, 4.1e9])
def test_a_boot_with_a_clock_that_cannot_be_right(machine: Machine, wall: float) -> None:
    machine.boot(wall)
    assert not is_known(machine.policy.wall())
    assert machine.standing() is ClockStanding.UNKNOWN
    assert machine.policy.least() == NOW
    assert machine.policy.not_before() == NOW
    machine.clock.advance(30.0)
    machine.look()
    assert machine.standing() is ClockStanding.UNKNOWN, "it was behind when the machine began"
    assert machine.policy.not_before() == NOW + 30.0, "the machine has run for so long"


@pytest.mark.parametrize("ahead_s", [1.0, 3 * HOUR_S, 24 * HOUR_S, 10 * 366 * 24 * HOUR_S])
def test_a_boot_confirms_no_clock(machine: Machine, ahead_s: float) -> None:
    machine.boot(NOW + ahead_s)
    assert machine.standing() is ClockStanding.UNCONFIRMED
    assert machine.shows() == pytest.approx(NOW + ahead_s, abs=1e-3)
    assert machine.policy.not_before() == NOW
    machine.clock.advance(60.0)
    machine.look()
    assert machine.policy.not_before() == NOW + 60
    machine.boot(NOW + ahead_s + 100)
    assert machine.policy.not_before() == NOW + 60, "what such a clock showed is not certain"


@pytest.mark.parametrize("ahead_s", [3 * HOUR_S, 10 * 366 * 24 * HOUR_S])
def test_the_right_time_is_certain_after_a_clock_that_was_ahead(
    machine: Machine, ahead_s: float
) -> None:
    machine.boot(NOW + ahead_s)
    machine.look()
    machine.boot(NOW + 60)
    assert machine.standing() is ClockStanding.UNKNOWN
    assert machine.policy.not_before() == NOW
    machine.confirm()
    assert machine.standing() is ClockStanding.KNOWN
    assert machine.policy.wall() == machine.policy.not_before() == NOW + 60


def test_a_clock_that_may_have_stood_still_is_not_believed(machine: Machine) -> None:
    for has_own_clock, expected in (
        (True, ClockStanding.UNCONFIRMED),
        (False, ClockStanding.UNKNOWN),
    ):
        machine.has_own_clock = has_own_clock
        machine.boot(NOW + 60)
        assert machine.standing() is expected
    for _ in range(3):
        machine.clock.advance(HOUR_S)
        machine.look()
        assert machine.standing() is ClockStanding.UNKNOWN
    machine.clock.set_wall(HOUR_S)  # by hand
    machine.look()
    assert machine.standing() is ClockStanding.UNCONFIRMED


def test_a_source_that_knows_a_later_time_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, monkeypatch)
    for sources, is_behind in (((), False), ((NOW + 1,), True), ((LATEST, 0.0, -1.0), False)):
        machine.boot(NOW, *sources)
        assert is_known(machine.policy.wall()) is not is_behind
        assert machine.policy.not_before() == RELEASED_AT, "it is no source of certainty"


@pytest.mark.parametrize("content", [b"", b"x", b"filterd clock 1\nx\n{}\n"])
def test_a_damaged_file_is_no_reason_not_to_start(machine: Machine, content: bytes) -> None:
    machine.state.clock.write_bytes(content)
    machine.boot(NOW)
    assert is_known(machine.policy.wall())
    assert machine.policy.not_before() == RELEASED_AT
    machine.keeper.note()
    assert known_time.read(machine.state).at == pytest.approx(NOW, abs=1e-3)


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S, 365 * 24 * HOUR_S])
def test_a_jump_is_never_believed_by_itself(machine: Machine, seconds: float) -> None:
    machine.jump(seconds)
    for _ in range(3):
        machine.clock.advance(100 * HOUR_S)
        machine.look()
        assert machine.standing() is ClockStanding.JUMPED
        assert (
            machine.policy.wall() == machine.policy.not_before() == machine.clock.wall() - seconds
        )
    machine.start(machine.clock.wall())
    assert machine.standing() is ClockStanding.JUMPED
    assert machine.policy.wall() == machine.clock.wall() - seconds


def test_a_clock_that_is_pulled_along_moves_nothing(machine: Machine) -> None:
    """Each step is small, and no time server makes them."""
    for _ in range(100):
        machine.jump(FOLLOWED_S - 1)
    assert machine.policy.wall() == NOW
    assert machine.standing() is ClockStanding.JUMPED


def test_a_jump_that_is_taken_back_has_never_been(machine: Machine) -> None:
    machine.jump(HOUR_S)
    assert machine.standing() is ClockStanding.JUMPED
    machine.jump(-HOUR_S)
    assert machine.standing() is ClockStanding.KNOWN


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_a_restart_in_the_same_boot_goes_on_with_the_time(
    machine: Machine, is_confirmed: bool
) -> None:
    if not is_confirmed:
        machine.boot(NOW + 3 * HOUR_S)
        machine.page.since = 7.0
        machine.look()
    before = machine.standing()
    for _ in range(3):
        machine.clock.advance(100.0)
        machine.start(machine.clock.wall())
        known_time.begin_changes(machine.state, machine.page, 99)
        machine.look()
    assert machine.standing() is before
    assert machine.policy.not_before() == NOW + 300
    assert machine.shows() == pytest.approx(machine.clock.wall(), abs=1e-3)
    assert machine.page.since == (0.0 if is_confirmed else 7.0)
    machine.boot(NOW + 4 * HOUR_S)
    known_time.begin_changes(machine.state, machine.page, 99)
    assert machine.page.since == 99


def test_control_another_boot_and_a_file_without_the_lead_go_by_the_clock(
    machine: Machine,
) -> None:
    machine.jump(HOUR_S)
    kept = machine.state.clock.read_bytes()
    machine.boots += 1
    machine.start()
    assert machine.shows() == pytest.approx(NOW + HOUR_S, abs=1e-3)
    machine.boots -= 1
    machine.state.clock.write_bytes(kept)
    machine.start()
    assert machine.shows() == NOW
    known_time.FORMAT.save(machine.state.clock, KnownTime(NOW))  # as a release before kept it
    machine.start()
    assert machine.shows() == pytest.approx(NOW + HOUR_S, abs=1e-3)
    assert machine.standing() is ClockStanding.UNCONFIRMED
    assert machine.policy.not_before() == NOW


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_a_clock_that_jumps_between_two_daemons_is_not_believed(
    machine: Machine, seconds: float
) -> None:
    machine.clock.set_wall(seconds)
    machine.start()
    assert machine.policy.wall() == NOW
    assert machine.standing() is ClockStanding.JUMPED


def test_a_time_server_is_believed_after_a_restart_too(machine: Machine) -> None:
    machine.jump(HOUR_S)
    machine.is_set_by_server = True
    machine.start()
    machine.look()
    assert machine.policy.wall() == NOW + HOUR_S


def test_a_restart_while_the_time_goes_back_confirms_no_time(machine: Machine) -> None:
    """What is set may have its new dates already."""
    machine.jump(-HOUR_S)
    machine.keeper.doubt(machine.keeper.acceptable())
    machine.start()
    assert machine.standing() is ClockStanding.UNKNOWN


def test_a_lead_that_cannot_be_right_is_passed_over(machine: Machine) -> None:
    for believed_s in (0.0, LATEST):
        lead = known_time.Lead(known_time.boot_id(), believed_s, is_confirmed=True)
        known_time.FORMAT.save(machine.state.clock, KnownTime(NOW, lead=lead))
        machine.start()
        assert machine.shows() == pytest.approx(NOW, abs=1e-3)
        assert machine.standing() is ClockStanding.UNCONFIRMED


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
def test_a_time_server_is_believed_and_the_floor_dropped(machine: Machine, seconds: float) -> None:
    machine.is_set_by_server = True
    machine.jump(seconds)
    assert machine.policy.wall() == NOW + seconds
    machine.boot(NOW + seconds, NOW)
    assert is_known(machine.policy.wall())
    assert machine.policy.not_before() == NOW + seconds


@pytest.mark.parametrize("is_set_by_server", [False, True])
@pytest.mark.parametrize("seconds", [FOLLOWED_S, -FOLLOWED_S, 0.5])
def test_a_clock_that_a_server_adjusts_is_followed(
    machine: Machine, seconds: float, is_set_by_server: bool
) -> None:
    machine.is_set_by_server = is_set_by_server
    machine.jump(seconds)
    assert machine.policy.wall() == NOW + (seconds if is_set_by_server else 0.0)
    assert machine.standing() is ClockStanding.KNOWN


def test_an_administrator_confirms_a_clock(machine: Machine) -> None:
    machine.boot(NOW + 3 * HOUR_S)
    step = machine.keeper.acceptable()
    assert (step.back_s, step.lag_s) == (0.0, 3 * HOUR_S)
    machine.keeper.doubt(step)
    assert not is_known(machine.policy.wall())
    assert machine.policy.not_before() == NOW
    machine.keeper.make(step)
    assert machine.policy.wall() == machine.policy.not_before() == NOW + 3 * HOUR_S
    assert machine.standing() is ClockStanding.KNOWN


def test_what_the_daemon_says_of_its_clock(machine: Machine) -> None:
    assert of_facts(machine.keeper.facts()) == (NOW, Certainty(NOW, 0))
    machine.boot(NOW + HOUR_S)
    now, certain = of_facts(machine.keeper.facts())
    assert shown(now) == pytest.approx(NOW + HOUR_S, abs=1e-3)
    assert not is_confirmed(now)
    assert certain == Certainty(NOW, 0)
    machine.boot(0.0)
    now, certain = of_facts(machine.keeper.facts())
    assert not is_known(now)
    assert certain == Certainty(NOW, 0)


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


def _knows_the_time_in_the_end(machine: Machine, line: int, *, locked: bool) -> bool | None:
    """Let the time go back in a thread, before a line of what saves it; None behind the last."""
    machine.boot(NOW)
    machine.confirm()
    machine.jump(-HOUR_S)
    keeper, threads = machine.keeper, Interleaving(timekeeper)
    lock: Any = threads.lock() if locked else contextlib.nullcontext()
    keeper._keeping = lock
    step = keeper.acceptable()

    def go_back() -> None:
        keeper.doubt(step)
        keeper.make(step)

    if not threads.run(keeper.note, go_back, line):
        return None
    now = machine.policy.wall()
    assert now == NOW - HOUR_S
    floor = machine.page.floor
    machine.boot(now)
    return floor <= now and is_known(machine.policy.wall())


def _in_the_end_at_each_line(machine: Machine, *, locked: bool) -> list[bool]:
    found = []
    for line in itertools.count(1):
        outcome = _knows_the_time_in_the_end(machine, line, locked=locked)
        if outcome is None:
            break
        found.append(outcome)
    return found


def test_a_step_back_while_the_time_is_saved_is_not_taken_back(machine: Machine) -> None:
    outcomes = _in_the_end_at_each_line(machine, locked=True)
    assert len(outcomes) > 10
    assert all(outcomes)


@pytest.mark.control
def test_control_without_the_lock_a_step_back_is_taken_back(machine: Machine) -> None:
    assert not all(_in_the_end_at_each_line(machine, locked=False))


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
