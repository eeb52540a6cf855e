# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.cli import terminal
from filterd.daemon.time import known_time
from tests.support.clock import FakeClock
from tests.support.daemon import copy_lists, write_site
from tests.support.fake_daemon import MONDAY_AT_8, ROOM, FakeDaemon
from tests.support.feed_desk import set_up
from tests.support.feed_fixtures import founded, published, school
from tests.support.publisher import NOW
from tests.support.site_fixtures import config, state

__all__ = ["config", "founded", "published", "school", "state"]

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.feed_desk import Desk


@pytest.fixture(autouse=True)
def _warm(warm_children: None) -> None:
    """Start the compilers of policies and versions warm."""


@pytest.fixture
def places(config: Path, state: StateFolder) -> list[str]:
    """The options that name them."""
    return ["--config", str(config), "--state", str(state.folder)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of every command: it is Monday, 08:00."""
    clock = FakeClock(MONDAY_AT_8)
    monkeypatch.setattr(SystemClock, "wall", lambda _: clock.wall())
    monkeypatch.setattr(known_time, "RELEASED_AT", 0)  # it is before the release
    return clock


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school with a room that has a timetable."""
    return write_site(tmp_path_factory.mktemp("week"), port=5353, more=ROOM)


@pytest.fixture
def quiet(state: StateFolder, tmp_path: Path, clock: FakeClock) -> StateFolder:  # noqa: ARG001
    """A state folder in which nothing has been set, at a time that stands still."""
    return copy_lists(state, tmp_path / "state")


@pytest.fixture
def here(week: Path, quiet: StateFolder) -> list[str]:
    """The options that name that school and its state."""
    return ["--config", str(week), "--state", str(quiet.folder), "--lang", "en"]


@pytest.fixture
def daemon(
    monkeypatch: pytest.MonkeyPatch, week: Path, quiet: StateFolder, clock: FakeClock
) -> FakeDaemon:
    """What answers the commands for that state."""
    daemon = FakeDaemon(quiet, clock, site=week)
    daemon.start(monkeypatch)
    monkeypatch.setattr(terminal, "pause", lambda _: False)
    return daemon


@pytest.fixture
def evening(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of the publisher, which no school would take for a wrong one: 2027-01-15."""
    clock = FakeClock(NOW)
    monkeypatch.setattr(SystemClock, "wall", lambda _: clock.wall())
    return clock


@pytest.fixture(scope="session")
def published_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A publisher whose version 2 is published since that evening; tests take a copy."""
    desk = set_up(tmp_path_factory.mktemp("desk") / "desk")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(SystemClock, "wall", lambda _: NOW)
        assert (desk.init().code, desk.build().code, desk.publish().code) == (0, 0, 0)
    return desk


@pytest.fixture
def desk(published_desk: Desk, tmp_path: Path, evening: FakeClock) -> Desk:  # noqa: ARG001
    """A copy of it, at that time."""
    return published_desk.copy(tmp_path / "desk")


@pytest.fixture
def new_desk(tmp_path: Path, evening: FakeClock) -> Desk:  # noqa: ARG001
    """A publisher that has not begun."""
    return set_up(tmp_path / "desk")
