# SPDX-License-Identifier: Apache-2.0
"""A release that serves badly is found out within a minute, or within ten."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.appliance.update.update_watch import (
    LOOK_EVERY_S,
    ORDINARY_NAME,
    SERVES_WITHIN_S,
    ReleaseWatch,
    ServedBefore,
    stated,
)
from filterd.base.errors import ControlError, WireError
from filterd.feed.version_watch import EVERY_S, WATCH_S, Daemon
from filterd.texts.i18n import say
from filterd.wire import EdeCode, Rcode
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence
    from filterd.wire import ParsedResponse

BEFORE = ServedBefore(("bet.example",), 0.1, (ORDINARY_NAME,))


@dataclass
class Gateway(Daemon):
    """A gateway whose port and daemon do what a test wants."""

    clock: FakeClock = field(default_factory=FakeClock)
    answers_from: float = 0.0
    silent_from: float = float("inf")
    open_from: float = float("inf")
    status_from: float = 0.0
    failing: bool = False
    closes: bool = False
    states: Any = None

    def ask(self, name: str) -> ParsedResponse:
        now = self.clock.monotonic() - 1_000.0
        if not self.answers_from <= now < self.silent_from:
            raise TimeoutError
        is_canary = name not in ("localhost", ORDINARY_NAME)
        is_blocked = now < self.open_from if is_canary else self.closes and name == ORDINARY_NAME
        edes = (SimpleNamespace(code=EdeCode.FILTERED),) if is_blocked else ()
        return cast("ParsedResponse", SimpleNamespace(edns=edes, rcode=Rcode.NOERROR))

    def status(self) -> dict[str, Any]:
        now = self.clock.monotonic() - 1_000.0
        if now < self.status_from:
            raise ControlError(say("no daemon"))
        if self.states is not None:
            return cast("dict[str, Any]", self.states)
        answers = {"cached": int(900 * now), "failed": int(100 * now) if self.failing else 0}
        return {"answers": answers, "workers": 1}

    def watch(self) -> ReleaseWatch:
        return ReleaseWatch(self, self.clock, self.ask, self.clock.advance)


@pytest.fixture(autouse=True)
def _edes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filterd.appliance.stub_query.edes_of", lambda edns: edns)


def _harm(watch: ReleaseWatch, before: ServedBefore = BEFORE) -> Sentence:
    return watch.harm_at_start(before) or watch.harm_later("1.1.0", before)


def test_a_good_release_is_watched_for_ten_minutes() -> None:
    gateway = Gateway(answers_from=5.0, status_from=9.0)
    assert not _harm(gateway.watch())
    assert WATCH_S <= gateway.clock.monotonic() - 1_000.0 <= WATCH_S + 60


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"answers_from": 1e9}, "port 53 does not answer"),
        ({"open_from": 0.0}, "bet.example is not blocked, and must be"),
        ({"closes": True}, "example.com is blocked, and was not before"),
        ({"status_from": 1e9}, "the daemon does not answer its commands"),
    ],
)
def test_a_release_that_does_not_serve_is_found_out_in_a_minute(
    bad: dict[str, Any], problem: str
) -> None:
    gateway = Gateway(**bad)
    assert str(_harm(gateway.watch())) == problem
    assert gateway.clock.monotonic() - 1_000.0 <= SERVES_WITHIN_S + 1


def test_a_watch_ends_when_the_release_before_is_put_back() -> None:
    """Its services are started again then: no silence of theirs is harm of the release."""
    gateway = Gateway(silent_from=304.0)
    watch, clock = gateway.watch(), gateway.clock
    assert not watch.harm_later("1.1.0", BEFORE, lambda: clock.monotonic() >= 1_304.0)
    assert clock.monotonic() <= 1_304.0 + LOOK_EVERY_S


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"silent_from": 300.0}, "port 53 does not answer"),
        ({"open_from": 300.0}, "bet.example is not blocked, and must be"),
        ({"failing": True}, "10 % of answers were failures"),
        ({"states": {"answers": [1]}}, "the daemon's answer is late or malformed"),
    ],
)
def test_harm_that_comes_later_is_found_out_too(bad: dict[str, Any], problem: str) -> None:
    gateway = Gateway(**bad)
    assert str(_harm(gateway.watch())) == problem
    assert gateway.clock.monotonic() - 1_000.0 < WATCH_S


def test_one_lost_answer_is_no_harm() -> None:
    gateway = Gateway()
    answers = iter([True] * 20 + [False] * 2)

    def ask(name: str) -> ParsedResponse:
        if not next(answers, True):
            raise TimeoutError
        return Gateway.ask(gateway, name)

    assert not _harm(ReleaseWatch(gateway, gateway.clock, ask, gateway.clock.advance))


def test_only_what_the_release_before_blocked_must_be_blocked() -> None:
    gateway = Gateway(open_from=0.0)
    before = gateway.watch().serves_before(("bet.example",))
    assert before == ServedBefore((), 0.0, (ORDINARY_NAME,))
    assert not _harm(gateway.watch(), before)


def test_a_daemon_that_is_down_has_nothing_to_compare_with() -> None:
    gateway = Gateway(answers_from=1e9, status_from=1e9)
    before = gateway.watch().serves_before(("bet.example",))
    assert before == ServedBefore((), 1.0, (ORDINARY_NAME,), answers=False)


def test_a_port_that_did_not_answer_before_need_not_answer_afterwards() -> None:
    """The site may listen where this machine does not reach it."""
    gateway = Gateway(answers_from=1e9)
    before = gateway.watch().serves_before(("bet.example",))
    assert not _harm(gateway.watch(), before)


@pytest.mark.parametrize("states", [[1], {"answers": "many"}, {"answers": {"blocked": "x"}}])
def test_a_daemon_that_states_nonsense_does_not_stop_an_update(states: object) -> None:
    assert Gateway(states=states).watch().serves_before(()).usual == 1.0


def test_a_daemon_that_is_always_in_a_pause_does_not_make_the_watch_endless() -> None:
    gateway = Gateway(states={"workers": 1, "pauses": ["made up"]})
    assert not _harm(gateway.watch())
    assert gateway.clock.monotonic() - 1_000.0 <= 2 * WATCH_S + 60


def test_what_a_daemon_states_is_bounded_in_time_as_a_whole() -> None:
    ours, other = socket.socketpair()
    with ours, other, pytest.raises(ControlError), stated(0.05):
        ours.recv(1)


def test_an_answer_that_is_malformed_is_a_problem_and_not_the_end_of_the_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def malformed(_: object) -> None:
        raise WireError("an extended error without its code")

    monkeypatch.setattr("filterd.appliance.stub_query.edes_of", malformed)
    gateway = Gateway()
    assert str(_harm(gateway.watch())) == "bet.example is not blocked, and must be"


def test_a_name_that_the_timetable_closes_later_is_no_harm() -> None:
    assert not Gateway(closes=True).watch().harm_later("1.1.0", BEFORE)


def test_control_without_canaries_an_open_release_passes() -> None:
    """The canaries are what finds out that blocks are open."""
    gateway = Gateway(open_from=0.0)
    assert not _harm(gateway.watch(), ServedBefore())


@pytest.mark.parametrize("opens_at", [0.0, 100.0])
def test_an_open_answer_is_harm_at_the_first_look(opens_at: float) -> None:
    gateway = Gateway(open_from=opens_at)
    assert "bet.example is not blocked" in str(_harm(gateway.watch()))
    assert gateway.clock.monotonic() - 1_000.0 - opens_at <= EVERY_S
