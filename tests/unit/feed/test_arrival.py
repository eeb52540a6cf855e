# SPDX-License-Identifier: Apache-2.0
"""However a version arrives: judged, kept, watched, left and remembered alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.config.lists_build import build_lists
from filterd.errors import GuardError
from filterd.feed import guard
from filterd.feed.guard.judgement import CHECKS, found
from filterd.feed.standing import overview
from filterd.feed.sync import Became
from filterd.feed.version_history import Event
from filterd.i18n import say
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists, version_of
from tests.support.feed_arrival import FolderArrival
from tests.support.feed_folders import write_blocklists
from tests.support.feed_site import Follower, Published

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.sync import Outcome
    from filterd.feed.versions import Candidate

MONDAY, TUESDAY = "followed-20261123", "followed-20261124"


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follower:
    """Have a site whose guard compiles, and holds a version that lists a popular name."""

    def judge(candidate: Candidate, _: Any, site: guard.JudgedSchool, **__: Any) -> guard.Judgement:
        folder = Blocklists(candidate.folder, candidate.version)
        build_lists(None, folder, site.fresh_index, now=0.0)
        digest = Index.open(site.fresh_index).digest.hex()
        text = (candidate.folder / "lists" / "gambling.txt").read_text(encoding="ascii")
        finding = found("popular", guard.Severity.HELD, say("it lists a popular name"))
        findings = (finding,) if "popular" in text else ()
        return guard.Judgement(candidate.version, findings, digest, CHECKS, seconds=1.0)

    monkeypatch.setattr(guard, "judge", judge)
    made = Follower(tmp_path / "school", Published(tmp_path / "published", count=0))
    made.found()
    return made


def take(school: Follower, folder: Path, version: str, *names: str) -> Outcome:
    content = folder / version
    if not content.exists():
        write_blocklists(content, *names)
    site = school.site
    with site.holding():
        return site.sync(FolderArrival(content, version), at_once=True)


def test_its_id_may_have_letters_and_stands_everywhere(school: Follower, tmp_path: Path) -> None:
    outcome = take(school, tmp_path, MONDAY, "monday.example")
    assert (outcome.became, outcome.version) == (Became.ACTIVATED, MONDAY)
    assert version_of(school.state.index) == MONDAY
    assert school.state.feed_version(MONDAY).is_dir()
    told = overview("https://feed.example/", school.state, school.clock)
    assert (told["in_force"], told["served"], told["published"]) == (MONDAY, MONDAY, MONDAY)
    assert [(one.event, one.version) for one in school.site.history.lines()] == [
        (Event.ACTIVATED, MONDAY)
    ]
    assert take(school, tmp_path, MONDAY, "monday.example").became is Became.CURRENT


def test_one_that_is_left_is_never_taken_again(school: Follower, tmp_path: Path) -> None:
    take(school, tmp_path, MONDAY, "monday.example")
    take(school, tmp_path, TUESDAY, "tuesday.example")
    site = school.site
    with site.holding():
        assert site.roll_back(say("{why}", why="a test")) == MONDAY
    assert version_of(school.state.index) == MONDAY
    with pytest.raises(GuardError, match=f"version {TUESDAY} of the feed was refused"):
        take(school, tmp_path, TUESDAY, "tuesday.example")


def test_one_that_the_guard_holds_waits_for_an_administrator(
    school: Follower, tmp_path: Path
) -> None:
    take(school, tmp_path, MONDAY, "monday.example")
    with pytest.raises(GuardError, match="it lists a popular name"):
        take(school, tmp_path, TUESDAY, "popular.example")
    assert version_of(school.state.index) == MONDAY
    site = school.site
    with site.holding():
        site.approve(TUESDAY, "meant so")
    assert version_of(school.state.index) == TUESDAY


def test_control_without_the_guard_what_it_would_hold_is_in_force(
    school: Follower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard.Judgement, "may_come_in_force", lambda *_, **__: True)
    take(school, tmp_path, TUESDAY, "popular.example")
    assert version_of(school.state.index) == TUESDAY


def test_a_folder_that_was_damaged_is_taken_anew(school: Follower, tmp_path: Path) -> None:
    take(school, tmp_path, MONDAY, "monday.example")
    (school.state.feed_version(MONDAY) / "pins.yaml").write_bytes(b"pins: []\n")
    assert take(school, tmp_path, MONDAY, "monday.example").became is Became.ACTIVATED


def test_the_last_three_are_kept(school: Follower, tmp_path: Path) -> None:
    for day in range(20, 25):
        take(school, tmp_path, f"followed-202611{day}", f"day{day}.example")
    kept = sorted(path.name for path in (school.state.feed / "versions").iterdir())
    assert kept == [f"followed-202611{day}" for day in (22, 23, 24)]
