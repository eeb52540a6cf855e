# SPDX-License-Identifier: Apache-2.0
"""An alert is sent once when it begins and once when it ends, whatever restarts or flaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.monitor import alerting as module
from filterd.monitor.alerting import Alerting
from filterd.monitor.status_source import Observation
from filterd.policy.reporting_settings import AlertSettings
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOTHING: dict[str, Any] = {"time_is_known": True, "clock": {"standing": "known"}}
NOTHING |= {"pauses": []}
PAUSE = NOTHING | {"pauses": [{}]}
JUMPED = NOTHING | {"clock": {"standing": "jumped"}}
"""An alert that counts after a minute."""


class Watched:
    """A daemon that is observed by the monitor."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, FakeClock()
        self.restart()

    def restart(self) -> None:
        self.alerting = Alerting(self.path, self.clock)

    def after(self, seconds: float, status: dict[str, Any] | None) -> list[str]:
        """Return the events of an observation after so many seconds: ``+id`` and ``-id``."""
        self.clock.advance(seconds)
        events = self.alerting.judge(Observation(self.clock.wall(), status))
        return [f"{'-' if event.is_end else '+'}{event.alert.id}" for event in events]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "monitor" / "monitor.filterd")


def test_an_alert_is_sent_when_it_begins_and_when_it_ends(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    assert watched.after(15, PAUSE) == []
    assert watched.after(15, NOTHING) == ["-pause"]
    assert watched.after(15, NOTHING) == []


def test_one_that_must_last_is_not_sent_before(watched: Watched) -> None:
    assert watched.after(0, JUMPED) == []
    assert watched.after(45, JUMPED) == []
    assert watched.after(1, NOTHING) == []
    assert watched.after(15, JUMPED) == []
    assert watched.after(60, JUMPED) == ["+clock"]


def test_a_restart_of_the_monitor_repeats_nothing(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    watched.restart()
    assert watched.after(15, PAUSE) == []
    watched.restart()
    assert watched.after(15, NOTHING) == ["-pause"]
    watched.restart()
    assert watched.after(15, NOTHING) == []


def test_control_without_its_file_a_restart_repeats_an_alert(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    watched.path.unlink()
    watched.restart()
    assert watched.after(15, PAUSE) == ["+pause"]


def test_one_that_flaps_is_sent_once_until_it_lasts(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    assert watched.after(15, NOTHING) == ["-pause"]
    for _ in range(20):
        assert watched.after(300, PAUSE) == []
        assert watched.after(15, NOTHING) == []
    assert watched.after(300, PAUSE) == []
    assert watched.after(599, PAUSE) == []
    assert watched.after(1, PAUSE) == ["+pause"]
    assert watched.after(15, NOTHING) == ["-pause"]


def test_one_that_begins_again_later_is_sent_again(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    assert watched.after(15, NOTHING) == ["-pause"]
    assert watched.after(600, NOTHING) == []
    assert watched.after(0, PAUSE) == ["+pause"]


def test_a_daemon_that_does_not_answer_for_a_minute_is_an_alert(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    assert watched.after(59, None) == []
    assert watched.after(1, None) == ["+daemon-silent"]
    watched.restart()
    assert watched.after(61, None) == []
    assert watched.after(15, PAUSE) == ["-daemon-silent"], "the pause is as it was"


def _verified(ok: bool | None) -> dict[str, Any]:
    return NOTHING | {"signals": {"history": {"ok": ok}}}


def test_what_is_not_known_yet_ends_no_alert(watched: Watched) -> None:
    assert watched.after(0, _verified(ok=False)) == ["+history-altered"]
    assert watched.after(15, _verified(ok=None)) == [], "the daemon has just started again"
    assert watched.after(15, NOTHING) == [], "a daemon of before"
    assert watched.after(60, _verified(ok=False)) == []
    assert watched.after(15, _verified(ok=True)) == ["-history-altered"]


def test_events_are_in_the_journal(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    watched.after(0, PAUSE)
    watched.after(15, NOTHING)
    watched.after(75, None)
    assert "WARNING  filterd.alerts" in caplog.text
    assert "alert: 1 pause is in force (it ends by itself" in caplog.text
    assert "the alert is over: 1 pause is in force" in caplog.text
    assert "ERROR    filterd.alerts" in caplog.text


def test_settings_are_kept_for_a_daemon_that_does_not_answer(watched: Watched) -> None:
    settings = AlertSettings("Mẫu", "Asia/Ho_Chi_Minh", "vi")
    watched.alerting.note_settings(settings)
    watched.after(0, PAUSE)
    watched.restart()
    assert watched.alerting.settings == settings


def test_a_disk_that_refuses_and_a_damaged_file_stop_no_alert(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.path.parent.parent.joinpath("monitor").write_bytes(b"in the way")
    assert watched.after(0, PAUSE) == ["+pause"]
    assert watched.after(15, NOTHING) == ["-pause"]
    assert caplog.text.count("a restart will repeat alerts") == 1
    watched.path.parent.unlink()
    watched.path.parent.mkdir()
    watched.path.write_bytes(b"filterd monitor 1\nbroken\n")
    watched.restart()
    assert watched.after(15, PAUSE) == ["+pause"]


def test_a_clock_that_is_set_back_ends_the_quiet_time(watched: Watched) -> None:
    assert watched.after(0, PAUSE) == ["+pause"]
    assert watched.after(15, NOTHING) == ["-pause"]
    watched.clock.set_wall(-86_400)
    assert watched.after(15, NOTHING) == []
    assert module.FORMAT.load(watched.path).alerts == ()
