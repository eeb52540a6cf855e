# SPDX-License-Identifier: Apache-2.0
"""A version is judged by what the school asked for: publisher, guard, daemon and log are real."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import GuardError
from filterd.base.state_folder import StateFolder
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.signed import deltas
from filterd.feed.version_watch import Watching
from filterd.querylog.counts import Batch, CountRow
from filterd.querylog.lookups import LookupContext
from filterd.querylog.totals_file import TotalsFile
from tests.support.asking import Asker
from tests.support.broken_versions import add
from tests.support.commands import call
from tests.support.daemon import SOURCES
from tests.support.day_lookups import ZONE, Known, Looked, begin_of, write_day
from tests.support.feed_candidates import GAMBLING
from tests.support.feed_school import School, a_school
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

LOVED, SCAM, OTHER = "loved.example", "scam.example", "other.example"
ALL, OF_LOVED = 20_000, 2_000
THIRD = LookupContext("3", "", "of-3", "", "pass")


@pytest.fixture(scope="module", autouse=True)
def _no_waiting() -> Iterator[None]:
    """Other tests cut the power, and nothing downloads the files packed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(deltas, "_FULL_LEVELS", (1, *deltas._FULL_LEVELS))
        yield


def yesterday() -> date:
    return datetime.fromtimestamp(SystemClock().wall(), ZONE).date() - timedelta(days=1)


def counted(state: StateFolder) -> None:
    """Count the lookups of yesterday; the log at ``counts`` has no more."""

    async def write() -> None:
        totals = TotalsFile(state.query_log, SystemClock(), lambda: 400)
        row = CountRow(begin_of(yesterday()) + 8 * 3600, "3", "", "pass", ALL, "of-3")
        await totals.write([Batch("w", 1, (row,))])
        await totals.close()

    asyncio.run(write())


def recorded(state: StateFolder) -> None:
    """Record them, too, as at ``full``."""
    counted(state)
    rows = [Looked(30_000, LOVED, THIRD, OF_LOVED), Looked(30_001, OTHER, THIRD, ALL - OF_LOVED)]
    write_day(state.log_days, yesterday().isoformat(), rows)


def named(state: StateFolder) -> None:
    """Record the distinct names of a tier, as at ``names``; one of them is loved."""
    counted(state)
    names = (LOVED, *(f"n{number}.example" for number in range(299)))
    write_day(
        state.log_days, yesterday().isoformat(), (), [Known("primary", name) for name in names]
    )


@dataclass
class Place:
    """A school, and commands for it."""

    school: School
    folder: Path

    def do(self, *words: str) -> Any:
        """Run a command in English."""
        where = ("--config", self.folder / "site", "--state", self.folder / "state")
        return call(*where, "--lang", "en", *words)

    def blocks_after(self, *closed: str) -> str:
        """Take a version that closes names, have a third of all ask for them; return the harm."""
        self.school.pupil.stop()
        self.ask(OTHER, 600)  # the pupil is a bad one, of whom much was blocked
        self.school.publish(add(GAMBLING, *closed))
        self.school.sync()
        self.ask(OTHER, 200)
        self.ask(closed[0], 100)
        assert self.school.is_blocked(closed[0])
        return self.harm()

    def harm(self, **changes: Any) -> str:
        """Return the harm that the watch sees now; ``changes`` are of what it knows."""
        clock, state = SystemClock(), StateFolder(self.folder / "state")
        watch = self.school.site.watches.read(clock)
        assert watch is not None
        watch = replace(watch, **changes)
        return str(Watching(watch, ControlDaemon(state.control_socket), clock).look() or "")

    def ask(self, name: str, times: int) -> None:
        """Ask for a name as a pupil."""
        with Asker(("127.0.0.1", self.school.port), SOURCES["3"]) as asker:
            for number in range(times):
                asker.by_udp(a_query(name, message_id=number))


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    prepare: Callable[[StateFolder], None] = request.param
    with a_school(tmp_path, prepare) as school:
        yield Place(school, tmp_path)


@pytest.mark.parametrize("place", [recorded], indirect=True)
def test_a_version_that_closes_what_was_asked_is_held_shown_and_then_decided(place: Place) -> None:
    before = place.school.in_force
    version = place.school.publish(add(GAMBLING, LOVED))
    with pytest.raises(GuardError, match="2000 of 20000 recorded lookups would be closed"):
        place.school.sync()
    assert place.school.in_force == before

    tried = place.do("policy", "whatif", "--feed", version, "--json")
    assert tried.code == 1, tried.err
    answer = json.loads(tried.out)
    assert answer["changed"] == {"closes": OF_LOVED, "opens": 0, "rewrites": 0}
    assert [(one["name"], one["category"]) for one in answer["rows"]] == [(LOVED, "gambling")]
    assert place.do("policy", "whatif", "--feed", before).code == 0
    assert place.school.in_force == before

    done = place.do("feed", "approve", "--reason", "it is a bookmaker")
    assert done.code == 0, done.err
    shown = done.out.index("would be blocked, 0 would open")
    assert shown < done.out.index(f"Version {version} is in force")
    assert place.school.is_blocked(LOVED)


@pytest.mark.parametrize("place", [recorded], indirect=True)
def test_a_version_that_closes_a_wave_of_scams_stays(place: Place) -> None:
    assert place.blocks_after(SCAM) == ""


@pytest.mark.parametrize("place", [counted], indirect=True)
def test_control_without_names_in_the_log_the_share_of_blocks_ends_it(place: Place) -> None:
    assert "of answers were blocks" in place.blocks_after(SCAM)


@pytest.mark.parametrize("place", [named], indirect=True)
def test_one_of_many_names_that_all_ask_for_is_no_small_thing(place: Place) -> None:
    """The guard lets it pass: of 300 distinct names it is one."""
    assert "of answers were blocks" in place.blocks_after(LOVED)
    assert place.harm(by_log=True) == "", "the control: if names could prove that it is little"
