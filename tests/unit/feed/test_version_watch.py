# SPDX-License-Identifier: Apache-2.0
"""Harm that shows only once a version serves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.feed.version_watch import (
    EVERY_S,
    WATCH_S,
    AnswerCounts,
    Daemon,
    Watch,
    WatchFile,
    Watching,
    counts_of,
    harm,
    usual_part,
)
from filterd.texts.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.texts.i18n import Sentence

BEFORE = AnswerCounts(total=10_000, blocked=1_000, failed=10)
WATCH = Watch("13", 1_000.0, BEFORE, usual=0.10, canaries=("bet.example",))


def _status(total: int, *, blocked: int = 0, failed: int = 0, **more: Any) -> dict[str, Any]:
    """Return a status after so many more answers."""
    answers = {
        "blocked": BEFORE.blocked + blocked,
        "failed": BEFORE.failed + failed,
        "cached": BEFORE.total - BEFORE.blocked - BEFORE.failed + total - blocked - failed,
    }
    return {"answers": answers, "workers": 1, **more}


class ReportingDaemon(Daemon):
    """Reports what a test sets, look by look; the last is repeated."""

    def __init__(self, *statuses: dict[str, Any], open_names: tuple[str, ...] = ()) -> None:
        self._statuses, self._open, self.looks = list(statuses), open_names, 0

    def status(self) -> dict[str, Any]:
        self.looks += 1
        status = self._statuses[min(self.looks, len(self._statuses)) - 1]
        if "error" in status:
            raise ControlError(say("no daemon"))
        return status

    def is_blocked(self, name: str) -> bool:
        return name not in self._open


@pytest.mark.parametrize(("blocked", "bad"), [(300, False), (301, True)])
def test_three_times_as_many_blocks_are_harm(blocked: int, bad: bool) -> None:
    assert (harm(WATCH, _status(1_000, blocked=blocked)) is not None) is bad


def test_of_a_version_judged_by_the_log_a_wave_of_blocks_is_no_harm() -> None:
    """Half of all is one all the same: then something else is wrong with it."""
    judged = replace(WATCH, by_log=True)
    assert harm(judged, _status(1_000, blocked=500)) is None
    assert harm(WATCH, _status(1_000, blocked=500)) is not None, "the control: by the share"
    assert harm(judged, _status(1_000, blocked=501)) is not None
    assert harm(judged, _status(1_000, failed=51)) is not None


def test_few_answers_say_nothing() -> None:
    assert harm(WATCH, _status(199, blocked=199)) is None


def test_a_school_that_blocks_hardly_anything_may_block_a_little_more() -> None:
    calm = Watch("13", 0.0, BEFORE, usual=0.001)
    assert harm(calm, _status(1_000, blocked=60)) is None
    assert harm(calm, _status(1_000, blocked=61)) is not None


@pytest.mark.parametrize(("failed", "bad"), [(50, False), (51, True)])
def test_one_failure_in_twenty_is_harm(failed: int, bad: bool) -> None:
    assert (harm(WATCH, _status(1_000, failed=failed)) is not None) is bad


def test_a_dead_line_is_not_the_lists_fault() -> None:
    down, up = {"down": True}, {"down": False}
    assert harm(WATCH, _status(1_000, failed=900, upstreams=[down, down])) is None
    assert harm(WATCH, _status(1_000, failed=900, upstreams=[down, up])) is not None


def test_a_worker_that_began_anew_counts_from_nothing() -> None:
    fresh = {"answers": {"blocked": 10, "cached": 990}}
    assert harm(WATCH, fresh) is None
    assert counts_of(fresh).since(BEFORE) == AnswerCounts(1_000, 10, 0)


def _watch(daemon: ReportingDaemon, clock: FakeClock) -> Sentence | None:
    """Look every ten seconds until something is found or it is over."""
    watching = Watching(WATCH, daemon, clock)
    while (found := watching.look()) is None and not watching.is_over:
        clock.advance(EVERY_S)
    return found


def test_ten_minutes_without_harm_are_the_end_of_it() -> None:
    clock, daemon = FakeClock(), ReportingDaemon(_status(5_000, blocked=500))
    assert _watch(daemon, clock) is None
    assert clock.monotonic() - WATCH.since == WATCH_S
    assert daemon.looks == WATCH_S / EVERY_S + 1


def test_harm_is_reported_at_the_next_look() -> None:
    clock = FakeClock()
    found = _watch(ReportingDaemon(_status(100), _status(1_000, blocked=900)), clock)
    assert str(found) == "90 % of answers were blocks; before, 10 %"
    assert clock.monotonic() - WATCH.since == EVERY_S


def _paused(total: int, *, blocked: int = 0) -> dict[str, Any]:
    return _status(total, blocked=blocked, pauses=[{"id": 1}])


AT_ONCE = (
    _paused(3_000),
    _paused(6_000),
    _status(7_000, blocked=100),
    _status(9_000, blocked=1_000),
)
"""A pause, its end, and then a third of answers is blocked."""


def test_what_a_pause_opened_is_not_compared_and_harm_after_it_is_seen() -> None:
    assert (
        str(_watch(ReportingDaemon(*AT_ONCE), FakeClock()))
        == "33 % of answers were blocks; before, 10 %"
    )
    calm = (*AT_ONCE[:3], _status(10_000, blocked=1_000))
    assert _watch(ReportingDaemon(*calm), FakeClock()) is None


def test_control_with_the_time_of_the_pause_the_harm_is_hidden() -> None:
    paused: dict[str, Any] = {"pauses": []}
    assert _watch(ReportingDaemon(*({**one, **paused} for one in AT_ONCE)), FakeClock()) is None


def test_a_pause_makes_the_watch_longer() -> None:
    clock = FakeClock()
    assert _watch(ReportingDaemon(_status(0), *[_paused(100)] * 6, _status(5_000)), clock) is None
    assert clock.monotonic() - WATCH.since == WATCH_S + 6 * EVERY_S


class _Usual(Daemon):
    def __init__(self, usual: float) -> None:
        self._usual = usual

    def usual_blocks(self) -> float:
        return self._usual


def test_the_end_of_a_pause_that_began_before_the_swap_is_no_harm() -> None:
    """By the counters of a first day hardly anything is blocked: the school was paused."""
    before = {"answers": {"blocked": 10, "cached": 990}, "pauses": [{"id": 1}]}
    usual = usual_part(_Usual(0.0), before)
    after = {"answers": {"blocked": 310, "cached": 1_690}, "workers": 1}
    watch = Watch("13", 1_000.0, counts_of(before), usual)
    assert harm(watch, after) is None
    assert usual_part(_Usual(0.2), before) == 0.2


def test_control_the_counters_of_a_pause_make_its_end_look_like_harm() -> None:
    before = {"answers": {"blocked": 10, "cached": 990}}
    watch = Watch("13", 1_000.0, counts_of(before), usual_part(_Usual(0.0), before))
    assert harm(watch, {"answers": {"blocked": 310, "cached": 1_690}}) is not None


def test_a_canary_that_passes_is_reported_at_once() -> None:
    daemon = ReportingDaemon(_status(10), open_names=("bet.example",))
    assert str(_watch(daemon, FakeClock())) == "bet.example is not blocked, and must be"


def test_workers_that_die_over_it_are_reported_within_a_minute() -> None:
    clock = FakeClock()
    assert str(_watch(ReportingDaemon({"answers": {}, "workers": 0}), clock)) == "no worker answers"
    assert clock.monotonic() - WATCH.since <= 60


def test_a_daemon_that_was_stopped_is_no_harm() -> None:
    assert _watch(ReportingDaemon({"error": True}), FakeClock()) is None


def test_a_later_watch_goes_on_and_after_a_power_cut_begins_anew(tmp_path: Path) -> None:
    clock, file = FakeClock(), WatchFile(tmp_path)
    assert file.read(clock) is None
    file.begin(WATCH)
    assert file.read(clock) == WATCH
    clock.advance(-500)
    again = file.read(clock)
    assert again is not None
    assert (again.since, again.at_swap, again.canaries) == (500.0, AnswerCounts(), WATCH.canaries)
    file.end()
    file.end()
    assert file.read(clock) is None


def test_a_note_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    file = WatchFile(tmp_path)
    file.path.write_bytes(
        b'{"version": 13, "since": 1000.0, "at_swap": {"total": 100, "blocked": 10, "failed": 1}, '
        b'"usual": 0.1, "canaries": ["bet.example"]}'
    )
    assert file.read(FakeClock()) == replace(WATCH, at_swap=AnswerCounts(100, 10, 1))


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"at_swap": 1}'])
def test_a_damaged_note_watches_nothing(tmp_path: Path, damage: bytes) -> None:
    file = WatchFile(tmp_path)
    file.path.write_bytes(damage)
    assert file.read(FakeClock()) is None


def test_without_a_daemon_nothing_is_refused_and_nothing_is_reported() -> None:
    without_daemon = Daemon()
    without_daemon.reload()
    assert without_daemon.status() == {}
    assert without_daemon.is_blocked("bet.example")
    assert without_daemon.usual_blocks() == 0.0
    assert without_daemon.passed() == {}
