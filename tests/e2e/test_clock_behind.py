# SPDX-License-Identifier: Apache-2.0
"""Clocks that are behind after a boot, ahead, stand still, or jump open nothing.

A room in an exam, a name that a command blocks, a name that one opens for a lesson, and a room
with a timetable, through the real daemon.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.base.state_folder import StateFolder
from tests.support.commands import call
from tests.support.daemon import Served, free_port, serving, write_site
from tests.support.policies import an_index
from tests.support.set_clock import Clocks
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.policies import ListTexts

pytestmark = pytest.mark.long

THURSDAY_AT_9 = 1_796_263_200.0
"""2026-12-03 09:00 in Vietnam, between lessons."""
FIRST_LESSON_OF_1970 = 600.0
"""1970-01-01 08:10 there, which was UTC+8 then; a Thursday."""
MINUTE_S, HOUR_S, YEAR_S = 60.0, 3_600.0, 366 * 86_400.0
LAB, HALL, TIMED = "127.0.50.7", "127.0.51.7", "127.0.52.7"
LISTED, OPEN, NEEDED, SHUT = "www.tiktok.com", "www.example.com", "thi.example", "shut.example"
LISTS: ListTexts = {"social": ("social-media", "domains", True, ["tiktok.com"])}
MORE = """\
  lab-a: {cidrs: [127.0.50.0/24], grade: 11, room: true}
  lab-b: {cidrs: [127.0.51.0/24], grade: 3, room: true}
  lab-t: {cidrs: [127.0.52.0/24], timetable: {t5: {tiet-1: 11, tiet-2: 3}}}
lessons: {tiet-1: 07:00-08:30, tiet-2: 08:35-08:50}
"""
BEHIND = {
    "20 minutes": THURSDAY_AT_9 - 20 * MINUTE_S,
    "in 1970": FIRST_LESSON_OF_1970,
    "two years": THURSDAY_AT_9 - 2 * YEAR_S,
}
PATIENCE, PAUSE_S = 600, 0.05


@dataclass
class School:
    """A school, its clocks, and the port that it listens on."""

    config: Path
    state: StateFolder
    port: int
    clocks: Clocks

    @contextlib.contextmanager
    def serving(self, *how: str, boots: bool = True) -> Iterator[Served]:
        """Serve by these clocks, after a boot of the machine; ``how`` switches safeguards off."""
        self.clocks = self.clocks.set(boot=self.clocks.boot + boots)
        program = self.clocks.program(*how)
        with serving(self.config, self.state.folder, program=program) as served:
            yield served
            served.end()
            log = "\n".join(served.log)
            assert "Traceback" not in log, log[log.index("Traceback") - 300 :]

    def shows(self, wall: float, **more: Any) -> None:
        """Set the wall clock."""
        self.clocks = self.clocks.set(wall_s=wall - SystemClock().wall(), **more)

    def confirmed(self) -> None:
        """Let a time server confirm the time that the clock shows, for a moment."""
        self.clocks = self.clocks.set(is_set_by_server=True)
        self.becomes("known")
        self.clocks = self.clocks.set(is_set_by_server=False)

    def passes(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.clocks = self.clocks.passes(seconds)

    def blocks(self, source: str, name: str) -> bool:
        """Return whether a client gets NXDOMAIN."""
        with socket.socket(type=socket.SOCK_DGRAM) as stub:
            stub.bind((source, 0))
            stub.settimeout(1)
            for _ in range(10):
                stub.sendto(a_query(name), ("127.0.0.1", self.port))
                with contextlib.suppress(TimeoutError):
                    answer = dns.message.from_wire(stub.recv(4096))
                    return answer.rcode() == dns.rcode.NXDOMAIN
        raise AssertionError(f"{name} was not answered")

    def ask(self, command: str, **arguments: Any) -> Any:
        """Ask the daemon."""
        return control.ask(self.state.control_socket, command, **arguments)

    def change(self, kind: str, **payload: Any) -> dict[str, Any]:
        """Make a change."""
        answer: dict[str, Any] = self.ask("change", kind=kind, reason="thi", **payload)
        return answer

    def begin_exam(self) -> None:
        """Begin an exam of 90 minutes, a block of three hours, an allow of 45 minutes."""
        self.change("exam", room="lab-a", names=[NEEDED], for_s=90 * MINUTE_S)
        self.change("exception", target_kind="name", target=SHUT, allow=False, for_s=3 * HOUR_S)
        self.allow(45 * MINUTE_S)

    def allow(self, for_s: float) -> None:
        """Open a listed name to the other room."""
        how = {"audience": "network", "whom": "lab-b", "for_s": for_s}
        self.change("exception", target_kind="name", target=LISTED, allow=True, **how)

    def standing(self) -> str:
        """Return whether the time is known."""
        standing: str = self.ask("clock")["standing"]
        return standing

    def becomes(self, standing: str) -> None:
        """Wait until the manager has looked at the clock."""
        self.eventually(lambda: self.standing() == standing)

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        for _ in range(PATIENCE):
            with contextlib.suppress(FilterdError):
                if holds():
                    return
            threading.Event().wait(PAUSE_S)
        raise AssertionError(self.ask("clock"))

    def is_closed(self) -> bool:
        """Return whether exam and block hold, and the allow does not."""
        closed = self.blocks(LAB, OPEN), self.blocks(HALL, SHUT), self.blocks(HALL, LISTED)
        return closed == (True, True, True)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with FakeUpstream() as upstream:
        for name in (LISTED, OPEN, NEEDED, SHUT):
            upstream.add(f"{name}. 1 IN A 198.18.0.9")
        port = free_port()
        config = write_site(tmp_path / "site", port=port, upstream=upstream.port, more=MORE)
        state, lists = StateFolder(tmp_path / "state"), tmp_path / "lists"
        for one in (state.folder, lists):
            one.mkdir()
        an_index(lists, LISTS)
        shutil.copyfile(lists / "index", state.index)
        made = School(config, state, port, Clocks(tmp_path / "clocks"))
        made.shows(THURSDAY_AT_9)
        yield made


@pytest.mark.parametrize("behind", BEHIND)
def test_an_exam_and_a_block_outlast_a_boot_with_a_clock_that_is_behind(
    school: School, behind: str
) -> None:
    with school.serving():
        school.confirmed()
        school.begin_exam()
        assert school.blocks(LAB, OPEN)
        assert not school.blocks(HALL, LISTED)
    school.shows(BEHIND[behind])
    with school.serving():
        assert school.is_closed()
        assert not school.blocks(LAB, NEEDED)
        assert school.standing() == "unknown"
        assert not school.ask("status")["time_is_known"]
        shown = call("status", "--config", school.config, "--state", school.state.folder)
        assert "the time is not known" in " ".join(shown.out.split())
        school.passes(10 * MINUTE_S)
        assert school.is_closed()
        school.shows(THURSDAY_AT_9 + 15 * MINUTE_S)
        school.becomes("unconfirmed")
        school.confirmed()
        school.eventually(lambda: not school.blocks(HALL, LISTED))
        assert school.blocks(LAB, OPEN)
        school.passes(80 * MINUTE_S)
        school.eventually(lambda: not school.blocks(LAB, OPEN))
        assert school.blocks(HALL, SHUT)
        assert school.blocks(HALL, LISTED)
        school.passes(100 * MINUTE_S)
        school.eventually(lambda: not school.blocks(HALL, SHUT))


@pytest.mark.parametrize("behind", BEHIND)
def test_control_by_the_machines_clock_both_open(school: School, behind: str) -> None:
    with school.serving("raw"):
        school.begin_exam()
    school.shows(BEHIND[behind])
    with school.serving("raw"):
        assert not school.blocks(LAB, OPEN)
        assert not school.blocks(HALL, SHUT)


def test_a_room_does_not_get_the_lesson_of_a_time_that_is_not_known(school: School) -> None:
    school.shows(THURSDAY_AT_9 - 110 * MINUTE_S)
    with school.serving():
        school.confirmed()
        assert not school.blocks(TIMED, LISTED)
    school.shows(FIRST_LESSON_OF_1970)
    with school.serving():
        assert school.blocks(TIMED, LISTED)


def test_control_a_room_gets_the_first_lesson_of_1970(school: School) -> None:
    school.shows(FIRST_LESSON_OF_1970)
    with school.serving("raw"):
        assert not school.blocks(TIMED, LISTED)


def test_what_is_set_for_a_time_while_it_is_not_known_lasts_as_long(school: School) -> None:
    school.shows(FIRST_LESSON_OF_1970)
    with school.serving():
        school.begin_exam()
        answer = school.change("room", room="lab-t", grade="11", for_s=HOUR_S)
        assert answer["until"] is None
        school.eventually(lambda: not school.blocks(HALL, LISTED))
        assert school.blocks(LAB, OPEN)
        assert school.blocks(HALL, SHUT)
        assert not school.blocks(TIMED, LISTED)
        for wrong, why in (
            ({"ends_at": FIRST_LESSON_OF_1970 + HOUR_S}, "and this time is in the past"),
            ({"lesson": True}, "the time is not known, so the lesson is not either"),
        ):
            with pytest.raises(FilterdError, match=why):
                school.change("room", room="lab-t", grade="11", **wrong)
        school.passes(50 * MINUTE_S)
        school.eventually(lambda: school.blocks(HALL, LISTED))
        assert not school.blocks(TIMED, LISTED)
        school.shows(THURSDAY_AT_9)
        school.confirmed()
        assert school.blocks(LAB, OPEN)
        assert school.blocks(HALL, LISTED)
        assert not school.blocks(TIMED, LISTED)
        school.passes(45 * MINUTE_S)
        school.eventually(lambda: not school.blocks(LAB, OPEN))
        assert school.blocks(HALL, SHUT)
        assert school.blocks(TIMED, LISTED)
        school.passes(90 * MINUTE_S)
        school.eventually(lambda: not school.blocks(HALL, SHUT))
        assert school.ask("history", limit=1)[0]["kind"] == "clock"
        assert school.ask("history-verify")["ok"]


def test_what_opens_for_a_time_opens_no_longer_after_a_boot(school: School) -> None:
    school.shows(FIRST_LESSON_OF_1970)
    with school.serving():
        school.begin_exam()
        assert not school.blocks(HALL, LISTED)
    with school.serving():
        assert school.is_closed()
        school.shows(THURSDAY_AT_9)
        school.confirmed()
        assert school.is_closed()


def test_control_what_never_gets_its_dates_never_ends(school: School) -> None:
    school.shows(FIRST_LESSON_OF_1970)
    with school.serving("undated"):
        school.begin_exam()
        school.shows(THURSDAY_AT_9 + 4 * HOUR_S)
        school.confirmed()
        school.passes(4 * HOUR_S)
        assert school.blocks(LAB, OPEN)


AHEAD = {"3 hours": 3 * HOUR_S, "a day": 24 * HOUR_S, "10 years": 10 * YEAR_S}


@pytest.mark.parametrize("ahead", AHEAD)
def test_an_exam_and_a_block_outlast_a_boot_with_a_clock_that_is_ahead(
    school: School, ahead: str
) -> None:
    """And when the clock is right again, all is as if it had always been."""
    with school.serving():
        school.confirmed()
        school.begin_exam()
    school.passes(10 * MINUTE_S)
    school.shows(THURSDAY_AT_9 + 10 * MINUTE_S + AHEAD[ahead])
    with school.serving():
        assert school.is_closed()
        assert not school.blocks(LAB, NEEDED)
        assert school.standing() == "unconfirmed"
        shown = call("status", "--config", school.config, "--state", school.state.folder)
        assert "filterd clock accept" in " ".join(shown.out.split())
        school.passes(10 * MINUTE_S)
        assert school.is_closed()
    school.shows(THURSDAY_AT_9 + 20 * MINUTE_S)
    with school.serving():
        assert school.is_closed()
        assert school.standing() == "unknown", "the right clock is behind what was shown"
        school.confirmed()
        assert school.blocks(LAB, OPEN)
        assert school.blocks(HALL, SHUT)
        school.eventually(lambda: not school.blocks(HALL, LISTED))
        school.passes(30 * MINUTE_S)
        school.eventually(lambda: school.blocks(HALL, LISTED))
        assert school.blocks(LAB, OPEN)
        school.passes(45 * MINUTE_S)
        school.eventually(lambda: not school.blocks(LAB, OPEN))
        assert school.blocks(HALL, SHUT)
        school.passes(90 * MINUTE_S)
        school.eventually(lambda: not school.blocks(HALL, SHUT))


def test_a_clock_that_was_ahead_is_set_right_without_a_boot(school: School) -> None:
    with school.serving():
        school.confirmed()
        school.begin_exam()
    school.shows(THURSDAY_AT_9 + 3 * HOUR_S)
    with school.serving():
        assert school.is_closed()
        school.shows(THURSDAY_AT_9 + MINUTE_S)
        school.confirmed()
        assert school.blocks(LAB, OPEN)
        school.eventually(lambda: not school.blocks(HALL, LISTED))


@pytest.mark.parametrize("ahead", AHEAD)
def test_control_a_boot_that_vouches_for_its_clock_ends_what_closes(
    school: School, ahead: str
) -> None:
    with school.serving("vouched"):
        school.begin_exam()
    school.shows(THURSDAY_AT_9 + 10 * MINUTE_S + AHEAD[ahead])
    with school.serving("vouched"):
        assert not school.blocks(LAB, OPEN)
        assert not school.blocks(HALL, SHUT)


def test_an_allow_does_not_go_on_by_a_clock_that_has_stood_still(school: School) -> None:
    """The machine was off for a weekend; it begins with the time that it saved."""
    with school.serving():
        school.confirmed()
        school.begin_exam()
        assert not school.blocks(HALL, LISTED)
    school.shows(THURSDAY_AT_9 + MINUTE_S, stands_still=True)
    with school.serving():
        assert school.standing() == "unknown"
        assert school.is_closed()
        school.shows(THURSDAY_AT_9 + 62 * HOUR_S)
        school.confirmed()
        school.eventually(lambda: not school.blocks(LAB, OPEN))
        assert school.blocks(HALL, LISTED)


def test_control_by_such_a_clock_of_the_machine_it_goes_on(school: School) -> None:
    with school.serving():
        school.confirmed()
        school.begin_exam()
    school.shows(THURSDAY_AT_9 + MINUTE_S)
    with school.serving():
        assert school.standing() == "unconfirmed"
        assert not school.blocks(HALL, LISTED)


def test_a_floor_that_a_clock_in_the_future_has_set_is_dropped_by_command(school: School) -> None:
    school.shows(THURSDAY_AT_9 + YEAR_S)
    with school.serving():
        school.change("exception", target_kind="name", target=SHUT, allow=False, for_s=3 * HOUR_S)
    school.shows(THURSDAY_AT_9)
    options = ("--config", school.config, "--state", school.state.folder)
    with school.serving():
        assert school.standing() == "unknown"
        assert school.blocks(HALL, SHUT)
        assert call("clock", "accept", *options).code == 2
        done = call("clock", "accept", "--reason", "đã xem giờ", "--json", *options)
        assert done.code == 0, done.err
        assert school.standing() == "known"
        row = school.ask("history", limit=1)[0]
        assert (row["kind"], row["author"], row["reason"]) == ("clock-accept", "root", "đã xem giờ")
        school.eventually(lambda: school.blocks(HALL, SHUT))
        again = call("clock", "accept", "--reason", "nữa", *options)
        assert "the clock is believed already" in again.err
    school.passes(MINUTE_S)
    with school.serving(boots=False):
        assert school.standing() == "known"
    with school.serving():
        assert school.standing() == "unconfirmed"
    (school.state.folder / "clock.filterd").unlink()
    with school.serving():
        assert school.standing() == "unconfirmed"


def test_a_clock_before_the_release_is_not_accepted(school: School) -> None:
    school.shows(FIRST_LESSON_OF_1970)
    with school.serving():
        with pytest.raises(FilterdError, match="no clock that shows this time"):
            school.change("clock-accept")
        with pytest.raises(FilterdError, match="filterd clock accept"):
            school.change("clock")
        assert school.standing() == "unknown"


def test_a_jump_forward_ends_nothing_until_it_is_confirmed(school: School) -> None:
    with school.serving():
        school.confirmed()
        school.begin_exam()
        school.shows(THURSDAY_AT_9 + YEAR_S)
        school.becomes("jumped")
        assert school.blocks(LAB, OPEN)
        assert school.blocks(HALL, SHUT)
        assert not school.blocks(HALL, LISTED)
        school.passes(20 * MINUTE_S)
        assert school.standing() == "jumped"
        assert school.blocks(LAB, OPEN)
        school.confirmed()
        school.eventually(lambda: not school.blocks(LAB, OPEN))


def _jump_and_restart(school: School) -> None:
    """Begin an exam of 90 minutes, let the clock jump, and stop after 10 minutes."""
    with school.serving():
        school.confirmed()
        school.begin_exam()
        school.shows(THURSDAY_AT_9 + YEAR_S)
        school.becomes("jumped")
        school.passes(10 * MINUTE_S)


@pytest.mark.parametrize("boots", [False, True])
def test_a_jump_is_believed_no_sooner_for_a_restart_or_a_boot(school: School, boots: bool) -> None:
    _jump_and_restart(school)
    with school.serving(boots=boots):
        assert school.standing() == ("unconfirmed" if boots else "jumped")
        assert school.blocks(LAB, OPEN)
        assert school.blocks(HALL, SHUT)
        assert school.blocks(HALL, LISTED) is boots
        school.passes(20 * MINUTE_S)
        assert school.blocks(LAB, OPEN)
        school.confirmed()
        school.eventually(lambda: not school.blocks(LAB, OPEN))


def test_a_clock_that_jumps_while_no_daemon_runs_is_not_believed(school: School) -> None:
    with school.serving():
        school.confirmed()
        school.begin_exam()
    school.shows(THURSDAY_AT_9 + YEAR_S)
    with school.serving(boots=False):
        school.becomes("jumped")
        assert school.blocks(LAB, OPEN)
        assert not school.blocks(HALL, LISTED)


def test_a_jump_that_a_time_server_vouches_for_is_believed_at_once(school: School) -> None:
    with school.serving():
        school.confirmed()
        school.begin_exam()
        school.shows(THURSDAY_AT_9 + 20 * MINUTE_S, is_set_by_server=True)
        school.eventually(lambda: school.ask("clock")["policy_time"] > THURSDAY_AT_9 + HOUR_S / 4)
        school.passes(30 * MINUTE_S)
        school.eventually(lambda: school.blocks(HALL, LISTED))
        assert school.blocks(LAB, OPEN)


@pytest.mark.parametrize("forward", [20 * MINUTE_S, 86_400.0, YEAR_S])
def test_control_a_credulous_daemon_ends_what_closes(school: School, forward: float) -> None:
    with school.serving("credulous"):
        school.becomes("known")
        school.change("exam", room="lab-a", names=[NEEDED], for_s=15 * MINUTE_S)
        school.shows(THURSDAY_AT_9 + forward)
        school.eventually(lambda: not school.blocks(LAB, OPEN))


@pytest.mark.parametrize("how", ["", "credulous"])
def test_a_jump_back_opens_nothing_that_has_ended(school: School, how: str) -> None:
    """Without the safeguard it does."""
    with school.serving(*filter(None, [how])):
        school.confirmed()
        school.allow(45 * MINUTE_S)
        school.passes(50 * MINUTE_S)
        school.eventually(lambda: school.blocks(HALL, LISTED))
        school.shows(THURSDAY_AT_9 + 10 * MINUTE_S)
        if how:
            school.eventually(lambda: not school.blocks(HALL, LISTED))
            return
        school.becomes("jumped")
        school.passes(HOUR_S)
        assert school.blocks(HALL, LISTED)
        assert school.standing() == "jumped"


def test_what_was_set_by_a_clock_that_was_ahead_keeps_its_length(school: School) -> None:
    school.shows(THURSDAY_AT_9 + 7 * HOUR_S)
    with school.serving():
        school.begin_exam()
        school.passes(30 * MINUTE_S)
        school.shows(THURSDAY_AT_9 + 30 * MINUTE_S, is_set_by_server=True)
        seen: list[bool] = []

        def is_corrected() -> bool:
            seen.extend((school.blocks(LAB, OPEN), school.blocks(HALL, SHUT)))
            at = school.ask("clock")["policy_time"]
            return at is not None and at < THURSDAY_AT_9 + HOUR_S

        school.eventually(is_corrected)
        seen += [school.blocks(LAB, OPEN), school.blocks(HALL, SHUT)]
        assert set(seen) == {True}
        assert not school.blocks(HALL, LISTED)
        school.passes(70 * MINUTE_S)
        school.eventually(lambda: not school.blocks(LAB, OPEN))
        assert school.blocks(HALL, LISTED)
        assert school.blocks(HALL, SHUT)
