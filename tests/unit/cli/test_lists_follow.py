# SPDX-License-Identifier: Apache-2.0
"""``tests/e2e/test_followed_lists.py`` has these commands with a server and a daemon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd import process_memory
from filterd.errors import FetchError, FilterdError, ForeignContentError, ListError, TooLargeError
from filterd.feed import school_lists
from filterd.feed.appliance_files import FollowFile
from filterd.feed.school_lists import SchoolLists
from filterd.feed.sources import SourceOutcome, SourceReport
from filterd.feed.sync import Became
from filterd.feed.sync import Outcome as Run
from filterd.i18n import say
from filterd.lists.catalog import shipped_sources
from filterd.state_folder import BesideFolder
from tests.support.commands import call
from tests.support.daemon import write_site
from tests.support.feed_folders import put_in_force

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.feed_config import Followed
    from filterd.lists.catalog import PublicSource
    from tests.support.commands import Outcome

ADDRESS = "https://lists.example/bets.txt"
RECOMMENDED = {one.id for one in shipped_sources() if one.recommended}


class _Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("")

    def write(self, more: str) -> None:
        write_site(self.folder / "site", port=5353, more=more)

    def do(self, *words: str) -> Outcome:
        where = ("--config", self.folder / "site", "--state", self.folder / "state")
        return call("lists", *words, *where)

    def followed(self) -> dict[str, str]:
        rows = json.loads(self.do("sources", "--json").out)
        return {one["id"]: one["followed"] for one in rows if one["followed"]}


def _looked(source: PublicSource, *_: object) -> SourceReport:
    return SourceReport(source.id, SourceOutcome.TAKEN, entries=7)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Site:
    monkeypatch.setattr(school_lists, "look_at", _looked)
    (tmp_path / "state" / "feed").mkdir(parents=True)
    return _Site(tmp_path)


def test_the_recommended_set_is_followed_and_left(site: _Site) -> None:
    assert site.do("follow", "--recommended").code == 0
    assert site.followed() == dict.fromkeys(RECOMMENDED, "command")
    assert site.do("unfollow", "urlhaus").code == 0
    assert site.followed().keys() == RECOMMENDED - {"urlhaus"}
    assert site.do("unfollow", "recommended", *RECOMMENDED - {"urlhaus"}).code in (0, 2)


OWN = (ADDRESS, "--category", "gambling")


@pytest.mark.parametrize("json_", [(), ("--json",)])
@pytest.mark.parametrize(
    "error",
    [
        ForeignContentError(say("a web page came instead of a list")),
        ListError(say("the text is damaged")),
    ],
)
def test_what_is_no_list_is_not_followed(
    site: _Site, monkeypatch: pytest.MonkeyPatch, error: FilterdError, json_: tuple[str, ...]
) -> None:
    def foreign(*_: object) -> SourceReport:
        raise error

    monkeypatch.setattr(school_lists, "look_at", foreign)
    done = site.do("follow", *OWN, *json_)
    assert done.code == 2
    assert str(error) in done.err
    assert "--format" in done.err
    assert site.followed() == {}


def test_a_list_that_does_not_come_now_is_followed_with_a_warning(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> SourceReport:
        raise FetchError(say("no Internet"))

    monkeypatch.setattr(school_lists, "look_at", away)
    done = site.do("follow", *OWN)
    assert done.code == 0
    assert "was not looked at, the next night tries: no Internet" in done.err
    assert len(site.followed()) == 1


def test_what_was_seen_of_a_list_is_told(site: _Site) -> None:
    assert "7 names" in site.do("follow", *OWN).err


def test_the_state_of_the_feed_counts_followed_lists(site: _Site) -> None:
    site.do("follow", "--recommended")
    where = ("--config", site.folder / "site", "--state", site.folder / "state")
    assert json.loads(call("feed", "status", "--json", *where).out)["sources"] == len(RECOMMENDED)


def test_the_file_names_what_commands_do_not_change(site: _Site) -> None:
    more = f"{{url: '{ADDRESS}', category: gambling, format: hosts, id: mine}}"
    site.write(f"follow: [urlhaus, {more}]\n")
    assert site.followed() == {"urlhaus": "site.yaml", "mine": "site.yaml"}
    done = site.do("unfollow", "urlhaus")
    assert done.code == 2
    assert "is followed by this file" in done.err
    assert site.do("follow", "abpvn").code == 0
    assert site.followed()["abpvn"] == "command"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "SOURCE or --recommended is missing (the lists"),
        (("urlhau",), "is not a list of the catalogue"),
        (("http://lists.example/x", "--category", "games"), "is not an address of a list"),
        (("https://u:p@lists.example/x", "--category", "games"), "is not an address of a list"),
        (("https://10.0.0.1/x", "--category", "games"), "'10.0.0.1' is not a host of the public"),
        (("https://[::ffff:10.0.0.1]/x", "--category", "games"), "is not a host of the public"),
        (("https://nas.lan/x", "--category", "games"), "'nas.lan' is not a host of the public"),
        (("https://lists.example:99999/x", "--category", "games"), "is not an address of a list"),
        (("https://lists.example:0/x", "--category", "games"), "is not an address of a list"),
        ((f"https://{'a' * 64}.vn/x", "--category", "games"), "is not an address of a list"),
        (("https://lists..example/x", "--category", "games"), "is not a host of the public"),
        (("https://[::1/x", "--category", "games"), "is not an address of a list"),
        ((ADDRESS,), "--category is missing"),
        ((ADDRESS, "--category", "law-ordered"), "is not a category for public lists"),
        ((ADDRESS, "--category", "child-abuse"), "is not a category for public lists"),
        ((ADDRESS, "--category", "games", "--format", "csv"), "'csv' is not a format"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    site: _Site, words: tuple[str, ...], message: str
) -> None:
    done = site.do("follow", *words)
    assert done.code == 2
    assert message in done.err
    assert site.followed() == {}


def test_too_many_names_are_refused_before_the_night(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_memory, "machine_octets", lambda: 900_000_000)
    done = site.do("follow", "--recommended", "ut1-adult")
    assert done.code != 0
    assert "this machine takes at most 3391304" in done.err
    assert site.followed() == {}


def test_lists_are_followed_beside_a_feed(site: _Site) -> None:
    site.write("feed: https://feed.example/\n")
    assert "filterd lists follow" in site.do("update").err
    assert site.do("follow", "urlhaus").code == 0
    assert site.followed() == {"urlhaus": "command"}


def test_lists_that_the_file_has_no_more_go_out_of_force(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("feed: https://feed.example/\n")
    put_in_force(BesideFolder(site.folder / "state"), "web-1", "bets.example")
    runs = list[tuple[int, bool]]()

    def run(_: object, feed: Followed, *, beside: bool, **__: object) -> Run:
        runs.append((len(feed.sources), beside))
        return Run(Became.CURRENT, "web-2")

    monkeypatch.setattr(SchoolLists, "run", run)
    assert site.do("update").code == 0
    assert runs == [(0, True)]


def test_nothing_followed_is_reported_with_a_remedy(site: _Site) -> None:
    assert "filterd lists follow --recommended" in site.do("update").err
    assert "'urlhaus' is not followed" in site.do("unfollow", "urlhaus").err
    done = site.do("exclude", "x.example", "--list", "urlhaus", "--reason", "x")
    assert "'urlhaus' is not followed" in done.err


def test_what_has_come_since_the_night_is_left_out_of_its_category(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SchoolLists, "_serves_lists", lambda _: False)
    site.do("follow", "urlhaus")
    wanted = ("x.example", "--reason", "a mistake", "--list")
    assert site.do("exclude", *wanted, "feed-fresh-malware").code == 0
    [left] = FollowFile(site.folder / "state" / "feed").read().left_out
    assert (left.name, left.list) == ("x.example", "feed-malware")
    assert site.do("exclude", *wanted, "feed-fresh-porn").code == 2


def test_the_sources_name_what_is_thin(site: _Site) -> None:
    shown = " ".join(site.do("sources", "--lang", "en").out.split())
    assert "No list is recommended, what ships is all: " in shown
    assert "self-harm" in shown.partition("what ships is all: ")[2]
    assert "gore (23)" in shown


def test_the_starter_lists_are_called_what_they_are(site: _Site) -> None:
    assert site.do("build", "--quiet").code == 0
    assert "starter lists only, most of what a school must block is open" in site.do("status").out


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_table_fits_80_columns(site: _Site, lang: str) -> None:
    site.do("follow", "--recommended")
    assert max(map(len, site.do("sources", "--lang", lang).out.splitlines())) <= 80


def test_what_does_not_fit_this_machine_is_refused_and_the_history_has_why(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.do("follow", "--recommended").code == 0
    monkeypatch.setattr(process_memory, "machine_octets", lambda: 200_000_000)
    done = site.do("update")
    assert done.code == TooLargeError.exit_code
    assert "this machine takes at most" in done.err
    assert "this machine takes at most" in site.do("history", "--json").out
