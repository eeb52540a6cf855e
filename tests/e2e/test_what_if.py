# SPDX-License-Identifier: Apache-2.0
"""What would have changed, by a real daemon and its log: shown, recorded, and nothing in force."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from filterd.daemon.handlers.what_if_commands import CHILD
from filterd.feed.followed.sources import SourceFolder, read_sources
from filterd.feed.public_lists import PublicLists
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.querylog.lookups import LookupContext
from tests.support.commands import call
from tests.support.daemon import copy_lists, free_port, serving, write_site
from tests.support.day_lookups import ZONE, Known, Looked, write_day
from tests.support.processes import family
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
THIRD = LookupContext("3", "", "of-3", "", "pass")
BLOCKED = LookupContext("3", "", "of-3", "social-media", "blocked", "starter-social")
SIX_S, DAY_S = 6 * 3600, 86_400


class School:
    """A site whose log has a day; ``ask`` runs the command."""

    def __init__(self, folder: Path, built: StateFolder) -> None:
        self.state = copy_lists(built, folder / "state")
        self.config = write_site(
            folder / "site", port=free_port(), more="time_zone: Asia/Ho_Chi_Minh\n"
        )
        yesterday = datetime.fromtimestamp(SystemClock().wall() - DAY_S, ZONE).date().isoformat()
        rows = [Looked(SIX_S, "new.example", THIRD, 4), Looked(SIX_S + 1, "other.example", THIRD)]
        rows.append(Looked(SIX_S + 2, "www.tiktok.com", BLOCKED, 2))
        write_day(self.state.log_days, yesterday, rows, [Known("staff", "new.example")])

    def ask(self, *words: str) -> tuple[int, Any]:
        """Return the exit code and what ``policy whatif --json`` prints."""
        where = ("--config", str(self.config), "--state", str(self.state.folder))
        ended = call(*where, "policy", "whatif", "--json", *words)
        return ended.code, json.loads(ended.out)

    def shown(self, *words: str) -> str:
        """Return what the command prints for people."""
        where = ("--config", str(self.config), "--state", str(self.state.folder), "--lang", "en")
        return call(*where, *words).out

    def copy(self, folder: Path, text: str = "") -> str:
        """Return a folder with the site, and some more text in its file."""
        shutil.copytree(self.config, folder)
        with (folder / "site.yaml").open("a") as file:
            file.write(text)
        return str(folder)


def trials(daemon: int) -> list[int]:
    """Return the children of threads of a daemon's processes that judge."""
    found = list[int]()
    for thread in (each for one in family(daemon) for each in Path(f"/proc/{one}").glob("task/*")):
        with contextlib.suppress(OSError):  # one has ended meanwhile
            children = map(int, (thread / "children").read_text().split())
            found += (one for one in children if CHILD in Path(f"/proc/{one}/cmdline").read_text())
    return found


def test_a_stop_waits_for_no_trial_and_after_it_another_one_is_made(
    tmp_path: Path, built: StateFolder
) -> None:
    school, words = School(tmp_path, built), ("--list", str(tmp_path / "l"), "--category", "games")
    (tmp_path / "l").write_text("new.example\n")
    with serving(school.config, school.state.folder) as served, ThreadPoolExecutor(1) as pool:
        first = pool.submit(school.ask, *words)
        until(lambda: bool(trials(served.process.pid)), "a trial")
        (child,) = trials(served.process.pid)
        os.kill(child, signal.SIGSTOP)
        code, answer = school.ask("--source", "ut1-games")
        assert (code, answer["error"].partition(";")[0]) == (2, "another trial is at work")
        assert served.end() == 0
        # The supervisor has not had to end the manager, which then leaves its socket.
        assert not served.state.control_socket.exists()
        code, answer = first.result()
        assert (code, "filterd did not answer" in answer["error"]) == (2, True)
        until(lambda: not Path(f"/proc/{child}").exists(), "the end of its child")
    with serving(school.config, school.state.folder):
        assert school.ask(*words)[0] == 1
    assert not [*school.state.what_if.iterdir()]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[School]:
    made = School(tmp_path_factory.mktemp("school"), built)
    with serving(made.config, made.state.folder):
        yield made


def test_a_list_closes_what_was_asked_and_nothing_in_force_changes(
    school: School, tmp_path: Path
) -> None:
    (tmp_path / "games.txt").write_text("new.example\n")
    before = school.state.index.read_bytes()
    code, answer = school.ask("--list", str(tmp_path / "games.txt"), "--category", "games")
    assert code == 1
    assert answer["changed"] == {"closes": 4, "opens": 0, "rewrites": 0}
    (row,) = answer["rows"]
    assert (row["name"], row["n"], row["grades"]) == ("new.example", 4, ["3"])
    assert answer["lookups"] == 7
    assert school.state.index.read_bytes() == before
    assert not [*school.state.what_if.iterdir()]
    assert "log-view" in school.shown("history", "list", "--views", "--json")


def test_another_site_is_tried_with_all_its_files(school: School, tmp_path: Path) -> None:
    assert school.ask("--policy", school.copy(tmp_path / "same"))[0] == 0
    opened = "exceptions:\n  - {allow: www.tiktok.com, reason: bài học}\n"
    code, answer = school.ask("--policy", school.copy(tmp_path / "other", opened))
    assert (code, answer["changed"]["opens"]) == (1, 2)
    assert answer["rows"][0]["category"] == "social-media"
    (tmp_path / "other" / "site.yaml").write_text("networks: 7\n")
    code, answer = school.ask("--policy", str(tmp_path / "other"))
    assert code == 2
    assert answer["error"].startswith(f"{tmp_path}/other/site.yaml:1:")


def test_what_cannot_be_tried_is_refused_in_a_line(school: School) -> None:
    for words in (["--feed", "7"], ["--feed", "../.."], ["--source", "none"], []):
        code, answer = school.ask(*words)
        assert code == 2, words
        assert "Traceback" not in answer["error"]


def test_before_lists_are_followed_it_is_shown_or_why_it_cannot_be(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PublicLists, "look_at", lambda *_: "seen")  # there is no such server
    kept = SourceFolder(school.state.feed / "sources")
    ut1 = next(source for source in shipped_sources() if source.id == "ut1-gambling")
    (given := school.config.parent / "given").mkdir()
    (given / f"{ut1.id}.txt").write_text("new.example\n")
    read_sources([ut1], kept, given)
    shown = school.shown("lists", "follow", ut1.id)
    assert "4 would be blocked" in shown
    assert "Followed from the next night on" in shown
    shutil.rmtree(school.state.what_if)
    school.state.what_if.write_text("in the way")
    own = ("https://lists.example/list", "--category", "games")
    for words in (own, ("--recommended",)):
        shown = school.shown("lists", "follow", *words)
        first, *rest = shown.splitlines()
        assert first.startswith("What this would have changed is not known: "), shown
        assert "Followed from the next night on" in rest[-1]
    school.state.what_if.unlink()


def test_without_names_popular_ones_are_judged(tmp_path: Path, built: StateFolder) -> None:
    school = School(tmp_path, built)
    shutil.rmtree(school.state.log_days)
    (tmp_path / "all.txt").write_text("wikipedia.org\n")
    words = "--list", str(tmp_path / "all.txt"), "--category", "games", "--format", "domains"
    with serving(school.config, school.state.folder):
        assert school.ask(*words)[1]["judged"] == "popular"
        assert "popular names were judged instead" in school.shown("policy", "whatif", *words)
