# SPDX-License-Identifier: Apache-2.0
"""A release that serves badly is found out within a minute, or within ten."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.appliance.update_watch import SERVES_WITHIN_S, ReleaseWatch, ServedBefore
from filterd.errors import ControlError
from filterd.feed.version_watch import WATCH_S, Daemon
from filterd.i18n import say
from filterd.wire import EdeCode
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from filterd.i18n import Sentence
    from filterd.wire import ParsedResponse

BEFORE = ServedBefore(("bet.example",), 0.1)


@dataclass
class Gateway(Daemon):
    """A gateway whose port and daemon do what a test wants."""

    clock: FakeClock = field(default_factory=FakeClock)
    answers_from: float = 0.0
    silent_from: float = float("inf")
    open_from: float = float("inf")
    status_from: float = 0.0
    failing: bool = False

    def ask(self, name: str) -> ParsedResponse:
        now = self.clock.monotonic() - 1_000.0
        if not self.answers_from <= now < self.silent_from:
            raise TimeoutError
        is_blocked = name != "localhost" and now < self.open_from
        edes = (SimpleNamespace(code=EdeCode.FILTERED),) if is_blocked else ()
        return cast("ParsedResponse", SimpleNamespace(edns=edes))

    def status(self) -> dict[str, Any]:
        now = self.clock.monotonic() - 1_000.0
        if now < self.status_from:
            raise ControlError(say("no daemon"))
        answers = {"cached": int(900 * now), "failed": int(100 * now) if self.failing else 0}
        return {"answers": answers, "workers": 1}

    def watch(self) -> ReleaseWatch:
        return ReleaseWatch(self, self.clock, self.ask, self.clock.advance)


@pytest.fixture(autouse=True)
def _edes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filterd.appliance.update_watch.edes_of", lambda edns: edns)


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
        ({"status_from": 1e9}, "the daemon does not answer its commands"),
    ],
)
def test_a_release_that_does_not_serve_is_found_out_in_a_minute(
    bad: dict[str, Any], problem: str
) -> None:
    gateway = Gateway(**bad)
    assert str(_harm(gateway.watch())) == problem
    assert gateway.clock.monotonic() - 1_000.0 <= SERVES_WITHIN_S + 1


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"silent_from": 300.0}, "port 53 does not answer"),
        ({"open_from": 300.0}, "bet.example is not blocked, and must be"),
        ({"failing": True}, "10 % of answers were failures"),
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
    assert before == ServedBefore((), 0.0)
    assert not _harm(gateway.watch(), before)


def test_a_daemon_that_is_down_has_nothing_to_compare_with() -> None:
    gateway = Gateway(answers_from=1e9, status_from=1e9)
    assert gateway.watch().serves_before(("bet.example",)) == ServedBefore((), 1.0)


def test_control_without_canaries_an_open_release_passes() -> None:
    """The canaries are what finds out that blocks are open."""
    gateway = Gateway(open_from=0.0)
    assert not _harm(gateway.watch(), ServedBefore())
