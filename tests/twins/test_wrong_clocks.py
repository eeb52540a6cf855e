# SPDX-License-Identifier: Apache-2.0
"""By any clock a school is never more open than by the true time, and equal once it is right.

A day of commands at random, on a machine whose clock is ahead, behind, stands still while the
machine is off, or jumps, beside the same commands by the true time.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.resolved_request import dating, work_out_length
from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.daemon.time import known_time
from filterd.daemon.time.timekeeper import ClockStanding, Timekeeper
from filterd.overrides.changes.change_kinds import ChangeRequest
from filterd.overrides.history.history_chain import replay
from filterd.policy.effective_policy import EffectivePolicy, at
from filterd.policy.unknown_time import Certainty, shown
from filterd.version import RELEASED_AT
from tests.support.changes import Book
from tests.support.clock import FakeClock
from tests.support.week import timetabled

BEGIN = float(RELEASED_AT + 10 * 86_400)
MINUTE_S, HOUR_S, DAY_S, YEAR_S = 60.0, 3_600.0, 86_400.0, 366 * 86_400.0
AHEAD_S = (0.0, 0.0, 3 * HOUR_S, DAY_S, 10 * YEAR_S)
NAMES = ("a.example", "b.example")


class School:
    """A machine with a wrong clock, and a book of the same commands by the true time."""

    def __init__(self, folder: Path, chance: Random, boots: list[int]) -> None:
        self.chance, self.state, self.policy = chance, StateFolder(folder), timetabled()
        self.now, self.boots, self.is_server = BEGIN, boots, False
        self.by_clock, self.truly = Book(), Book()
        self.over_a_boot = False
        self.clock = FakeClock(BEGIN)
        self.boot(0.0)
        self.confirm()

    def boot(self, error_s: float) -> None:
        """Boot with a clock that is wrong by so much."""
        self.boots[0] += 1
        self.clock = FakeClock(self.now + error_s)
        self.page = SharedPage()
        known_time.begin(self.state, self.clock, self.page, ())
        known_time.begin_changes(self.state, self.page, self.by_clock.overrides.number)
        self.keeper = Timekeeper(self.state, self.clock, self.page, lambda _: self.is_server)
        self.time = PolicyClock(self.clock, self.page)
        self.setting: Any = SimpleNamespace(time=self.time, page=self.page)
        self.over_a_boot |= any(exception.for_s for exception in self.by_clock.overrides.exceptions)
        self.over_a_boot |= any(exam.for_s for exam in self.by_clock.overrides.exams)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.clock.advance(seconds)
        self.look()

    def look(self) -> None:
        step = self.keeper.look()
        if step is not None:
            payload = dating(step, self.by_clock.overrides, self.setting)
            if payload:
                self._record(self.by_clock, "clock", payload, step.now, None)
            self.keeper.make(step)
        self.keeper.note()

    def confirm(self) -> None:
        """Let a time server set the clock right."""
        self.clock.set_wall(self.now - self.clock.wall())
        self.is_server = True
        self.look()
        self.is_server = False
        assert self.keeper.standing is ClockStanding.KNOWN
        assert self.time.wall() == pytest.approx(self.now)

    def change(self, kind: str, payload: dict[str, Any], for_s: float | None) -> None:
        """Make a change here and there."""
        request = dict(payload) | ({} if for_s is None else {"for_s": for_s})
        work_out_length(request, self.time.least(), self.keeper.standing)
        if kind == "exam" and self.by_clock.overrides.exams:  # of two only one can be
            return
        self._record(self.by_clock, kind, request, self.time.least(), self.time.not_before())
        ends = {} if for_s is None else {"ends_at": self.now + for_s}
        self._record(self.truly, kind, payload | ends, self.now, None)

    @staticmethod
    def _record(
        book: Book, kind: str, payload: dict[str, Any], now: float, not_before: float | None
    ) -> None:
        request = ChangeRequest.of(kind, payload, "lan", "thi")
        row = request.row(now, book.overrides, book, book.replay.last_hash, now, not_before)
        book.replay = replay((row,), book.replay)
        book.rows.append(row)

    def sights(self) -> tuple[EffectivePolicy, EffectivePolicy]:
        """Return what is in force here, and what would be by the true time."""
        here = at(self.policy, self.by_clock.overrides, self.time.wall(), self.time.certain())
        return here, at(self.policy, self.truly.overrides, self.now)

    def act(self) -> str:
        """Do anything."""
        kind = self.chance.choice(
            ("pass", "pass", "pass", "exam", "block", "allow", "forever", "boot", "jump", "confirm")
        )
        length_s = self.chance.choice((10 * MINUTE_S, 45 * MINUTE_S, 3 * HOUR_S))
        target = {"target_kind": "name", "target": self.chance.choice(NAMES)}
        match kind:
            case "pass":
                self.passes(self.chance.choice((1.0, 7 * MINUTE_S, 50 * MINUTE_S, 5 * HOUR_S)))
            case "exam":
                self.change("exam", {"room": "lab", "names": ["thi.example"]}, length_s)
            case "block" | "allow":
                self.change("exception", {**target, "allow": kind == "allow"}, length_s)
            case "forever":
                self.change("exception", {**target, "allow": self.chance.random() < 0.5}, None)
            case "boot":
                off_s = self.chance.choice((30.0, HOUR_S, 14 * HOUR_S))
                stands_still = self.chance.random() < 0.3
                self.now += off_s
                kept = known_time.read(self.state).at
                error_s = kept + 40 - self.now if stands_still else self.chance.choice(AHEAD_S)
                self.boot(error_s)
            case "jump":
                self.clock.set_wall(self.chance.choice((-1, 1)) * self.chance.choice(AHEAD_S))
                self.look()
            case "confirm":
                self.confirm()
        return kind


def _opens_more(here: EffectivePolicy, there: EffectivePolicy, now: float, then: float) -> str:
    """Return what is open here and not there, "" for nothing."""
    sides = [
        (
            {(r.name, r.allow) for r in moment.policy.rules if not r.exam and _holds(r, when)},
            {key for key, grade in moment.policy.grades.items() if grade.allow_only},
            bool(moment.exams),
        )
        for moment, when in ((here, now), (there, then))
    ]
    (rules, _, exam), (true_rules, _, true_exam) = sides
    if true_exam and not exam:
        return "an exam is over"
    for name, allow in true_rules:
        if not allow and (name, allow) not in rules:
            return f"a block of {name!r} is over"
    for name, allow in rules:
        if allow and (name, allow) not in true_rules:
            return f"{name!r} is allowed"
    return ""


def _holds(rule: Any, now: float) -> bool:
    starts_at = float("-inf") if rule.starts_at is None else rule.starts_at
    return starts_at <= now and (rule.ends_at is None or now < rule.ends_at)


def _day(chance: Random, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Go through a day; return what was more open than by the true time, and what was done."""
    found = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        boots = [0]
        monkeypatch.setattr(known_time, "boot_id", lambda: f"boot {boots[0]}")
        monkeypatch.setattr(known_time, "has_own_clock", lambda: False)
        school = School(Path(folder), chance, boots)
        for _ in range(40):
            found[school.act()] += 1
            here, there = school.sights()
            more = _opens_more(here, there, shown(school.time.wall()), school.now)
            if more:
                found["more open"] += 1
            if school.keeper.standing is ClockStanding.KNOWN and not school.over_a_boot:
                found["equal"] += 1
                less = _opens_more(there, here, school.now, shown(school.time.wall()))
                found["less open though confirmed"] += bool(less)
    return found


def _days(count: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    found = Counter[str]()
    for seed in range(count):
        found += _day(Random(seed), monkeypatch)
    return found


def test_no_clock_opens_more_than_the_true_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _days(30, monkeypatch)
    assert min(found[kind] for kind in ("boot", "jump", "confirm", "exam", "equal")) > 20
    assert found["more open"] == 0
    assert found["less open though confirmed"] == 0


@pytest.mark.parametrize("fault", ["a boot vouches for its clock", "what is shown is certain"])
def test_control_a_clock_that_is_believed_opens_more(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "a boot vouches for its clock":
        monkeypatch.setattr(known_time, "UNCONFIRMED_S", 0.0)
    else:
        certain = PolicyClock.certain
        monkeypatch.setattr(
            PolicyClock,
            "certain",
            lambda self: Certainty(min(shown(self.wall()), 1e11), certain(self).since),
        )
    assert _days(8, monkeypatch)["more open"] > 0
