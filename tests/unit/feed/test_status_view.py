# SPDX-License-Identifier: Apache-2.0
"""How a site stands with its feed, read off the disk."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import FetchError
from filterd.feed.folder_fetcher import FolderFetcher
from filterd.feed.status_view import overview
from filterd.feed.version_watch import AnswerCounts, Watch
from tests.support.feed_site import FIRST, SECOND, Follower

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "https://feed.example/"
DAY_S = 86_400.0


def _told(school: Follower) -> dict[str, Any]:
    return overview(ADDRESS, school.state, school.clock)


def test_before_the_first_run_the_lists_that_ship_are_served(school: Follower) -> None:
    told = _told(school)
    assert (told["served"], told["in_force"], told["freshness"]) == (0, None, "never")
    assert told["trusted"]


def test_after_a_run_its_version_is_served_and_fresh(school: Follower) -> None:
    school.run(FIRST)
    school.run(SECOND)
    told = _told(school)
    assert (told["served"], told["in_force"], told["previous"]) == (SECOND, SECOND, [FIRST])
    assert (told["published"], told["freshness"], told["problem"]) == (SECOND, "fresh", "")


@pytest.mark.parametrize(("days", "freshness"), [(6, "fresh"), (8, "old"), (31, "very-old")])
def test_what_does_not_come_any_more_gets_old(
    school: Follower, days: int, freshness: str, tmp_path: Path
) -> None:
    school.run(FIRST)
    school.clock.advance(days * DAY_S)
    site = school.site
    with site.holding(), pytest.raises(FetchError):
        site.sync(FolderFetcher(tmp_path, school.clock))
    told = _told(school)
    assert told["freshness"] == freshness
    assert "not found" in told["problem"]
    assert told["sentence"][0] == "not found: {what}"


def test_what_is_watched_is_told_by_the_clock(school: Follower) -> None:
    school.run(FIRST)
    assert _told(school)["watched_until"] is None
    school.site.watches.begin(Watch(FIRST, school.clock.monotonic(), AnswerCounts(), 0.0))
    school.clock.advance(200)
    assert _told(school)["watched_until"] == school.clock.wall() + 400


def test_nothing_that_fetches_or_verifies_is_loaded_for_it() -> None:
    heavy = "{'tuf', 'requests', 'securesystemslib', 'pydantic', 'typer', 'yaml'}"
    code = f"import sys, filterd.feed.status_view; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
