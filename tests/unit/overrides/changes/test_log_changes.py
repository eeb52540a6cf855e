# SPDX-License-Identifier: Apache-2.0
"""Levels of the log: set, confirmed by a second person, taken back, verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError
from filterd.base.state_folder import StateFolder
from filterd.overrides.changes import log_changes
from filterd.overrides.changes.change_kinds import parse
from filterd.overrides.changes.log_changes import check_clock
from filterd.overrides.history.store import Store
from filterd.policy.log_levels import LONGEST_FULL_S, holds
from filterd.policy.temporary_rules import LogSetting
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400.0
FULL: dict[str, Any] = {"level": "full", "tier": "primary", "ends_at": NOW + 3 * DAY}


class Log:
    """A store with one tier's levels."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(wall=NOW)
        self.store = Store(StateFolder(folder), self.clock)
        self.store.start()

    def set(self, author: str = "lan", **payload: Any) -> tuple[LogSetting, ...]:
        return self.change("log-level", author, **payload)

    def confirm(self, number: int, author: str = "minh") -> tuple[LogSetting, ...]:
        return self.change("log-confirm", author, id=number)

    def change(self, kind: str, author: str, **payload: Any) -> tuple[LogSetting, ...]:
        done = self.store.change(kind, payload, author=author, reason="điều tra")
        return done.overrides.log_settings


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_a_level_is_set_taken_back_and_in_a_history_that_verifies(log: Log) -> None:
    setting = LogSetting(1, "primary", "names", "điều tra", "lan", NOW, NOW + DAY)
    assert log.set(level="names", tier="primary", ends_at=NOW + DAY) == (setting,)
    assert log.change("undo", "lan") == ()
    log.set(level="off")
    assert log.change("revoke", "lan", id=3) == ()
    assert log.store.verify().is_sound


def test_a_level_without_an_end_replaces_what_was_set_for_its_tiers(log: Log) -> None:
    log.set(level="off", tier="staff")
    log.set(level="names", tier="primary", ends_at=NOW + DAY)
    log.set(level="blocked", tier="primary", ends_at=NOW + 60)
    assert [one.id for one in log.set(level="counts", tier="primary")] == [1, 4]
    assert [one.id for one in log.set(level="off")] == [5]
    assert [one.id for one in log.change("undo", "lan")] == [1, 4]


def test_full_that_waits_is_replaced_by_the_next_level_of_its_tier(log: Log) -> None:
    log.set(**FULL)
    assert [one.id for one in log.set(**FULL)] == [2]
    assert [one.id for one in log.set(level="names", tier="staff", ends_at=NOW + 60)] == [2, 3]
    assert [one.id for one in log.set(level="blocked", ends_at=NOW + 60)] == [3, 4]


def test_full_holds_from_the_confirmation_by_a_second_person_to_the_end_that_was_set(
    log: Log,
) -> None:
    (waiting,) = log.set(**FULL)
    assert not holds(waiting, NOW)
    log.clock.advance(DAY)
    (confirmed,) = log.confirm(1)
    assert (confirmed.id, confirmed.author, confirmed.confirmed_by) == (2, "lan", "minh")
    assert (confirmed.starts_at, confirmed.ends_at) == (NOW + DAY, NOW + 3 * DAY)
    assert log.store.verify().is_sound


def test_full_that_was_set_by_a_clock_that_was_ahead_is_not_confirmed_for_longer(log: Log) -> None:
    log.clock.advance(365 * DAY)
    log.set(level="full", tier="primary", ends_at=NOW + 366 * DAY)
    log.clock.advance(-365 * DAY)
    with pytest.raises(ChangeError, match="7 days at most"):
        log.confirm(1)


@pytest.mark.parametrize("same", ["lan", "web:lan", "api:lan"])
def test_the_author_of_full_does_not_confirm_it(log: Log, same: str) -> None:
    """At the gateway and by the web it is one person."""
    log.set(**FULL)
    with pytest.raises(ChangeError, match="a second person confirms it"):
        log.confirm(1, same)


def test_the_author_of_full_by_the_web_does_not_confirm_it_at_the_gateway(log: Log) -> None:
    log.change("log-level", "web:lan", **FULL)
    for same in ("lan", "web:lan"):
        with pytest.raises(ChangeError, match="a second person confirms it"):
            log.confirm(1, same)
    assert log.confirm(1, "web:minh")[0].confirmed_by == "web:minh"


def _end_and_take_the_end_back(log: Log, end: str) -> LogSetting:
    log.set(**FULL)
    log.confirm(1)
    log.change(end, "minh", **({"number": 2} if end == "undo" else {"id": 2}))
    return log.change("undo", "lan", number=3)[0]


@pytest.mark.parametrize("end", ["undo", "revoke"])
def test_full_that_was_ended_and_comes_back_by_an_undo_is_to_be_confirmed_anew(
    log: Log, end: str
) -> None:
    back = _end_and_take_the_end_back(log, end)
    assert not holds(back, NOW)
    assert holds(log.confirm(back.id)[0], NOW)


def test_control_else_one_person_goes_on_with_what_the_other_has_ended(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_changes, "unconfirmed", lambda overrides: overrides)
    assert holds(_end_and_take_the_end_back(log, "undo"), NOW)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"ends_at": None}, "lasts 7 days at most.*--for 3d"),
        ({"ends_at": NOW + LONGEST_FULL_S + 1}, "lasts 7 days at most"),
        ({"ends_at": NOW}, "its end is past"),
        ({"level": "ful"}, "did you mean 'full'"),
        ({"tier": "6A"}, "tier: '6A' is not a tier .known: preschool"),
        ({"tier": "primry"}, "did you mean 'primary'"),
        ({"level": None}, "'level' is missing"),
        ({"name": "a.example"}, "unknown: 'name'"),
    ],
)
def test_a_level_that_cannot_be_is_refused(log: Log, payload: dict[str, Any], problem: str) -> None:
    with pytest.raises(ChangeError, match=problem):
        log.set(**FULL | payload)


def test_a_level_needs_a_reason(log: Log) -> None:
    with pytest.raises(ChangeError, match="a reason is missing"):
        log.store.change("log-level", {"level": "off"}, author="lan", reason=" ")


def test_a_level_that_needs_no_confirmation_or_has_ended_is_not_confirmed(log: Log) -> None:
    log.set(level="off")
    with pytest.raises(ChangeError, match="log level 1 needs no confirmation"):
        log.confirm(1)
    with pytest.raises(ChangeError, match="there is no log level 9"):
        log.confirm(9)
    log.set(**FULL)
    log.clock.advance(3 * DAY)
    with pytest.raises(ChangeError, match="2 has already ended"):
        log.confirm(2)


@pytest.mark.parametrize(("kind", "payload"), [("log-level", FULL), ("log-confirm", {"id": 1})])
def test_full_is_neither_set_nor_confirmed_while_the_time_is_not_known(
    kind: str, payload: dict[str, Any]
) -> None:
    with pytest.raises(ChangeError, match="clock accept"):
        check_clock(parse(kind, payload))
    check_clock(parse("log-level", {"level": "off"}))


def test_a_level_that_was_set_before_the_time_was_known_lasts_from_when_it_is(log: Log) -> None:
    log.set(level="off", ends_at=NOW + 60, for_s=60)
    log.clock.advance(DAY)
    (dated,) = log.change("clock", "filterd")
    assert (dated.starts_at, dated.ends_at, dated.for_s) == (NOW + DAY, NOW + DAY + 60, None)


def test_full_may_last_to_the_second_that_is_allowed(log: Log) -> None:
    (setting,) = log.set(level="full", tier="primary", ends_at=NOW + LONGEST_FULL_S)
    assert setting.ends_at == NOW + LONGEST_FULL_S
