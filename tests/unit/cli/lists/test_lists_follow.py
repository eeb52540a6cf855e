# SPDX-License-Identifier: Apache-2.0
"""``tests/e2e/test_followed_lists.py`` has these commands with a server and a daemon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base import process_memory
from filterd.base.errors import (
    FetchError,
    FilterdError,
    ForeignContentError,
    ListError,
    TooLargeError,
)
from filterd.feed import public_lists
from filterd.feed.followed.sources import SourceOutcome, SourceReport
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.texts.i18n import say
from tests.support.commands import call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.catalogs.catalog import PublicSource
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
        return {row["id"]: row["followed"] for row in rows if row["followed"]}


def _looked(source: PublicSource, *_: object) -> SourceReport:
    return SourceReport(source.id, SourceOutcome.TAKEN, entries=7)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Site:
    monkeypatch.setattr(public_lists, "look_at", _looked)
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

    monkeypatch.setattr(public_lists, "look_at", foreign)
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

    monkeypatch.setattr(public_lists, "look_at", away)
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


def test_what_cannot_be_followed_is_refused(site: _Site) -> None:
    assert "SOURCE or --recommended is missing (the lists" in site.do("follow").err
    done = site.do("follow", ADDRESS, "--category", "games", "--format", "csv")
    assert done.code == 2
    assert "'csv' is not a format" in done.err
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


def test_nothing_followed_is_reported_with_a_remedy(site: _Site) -> None:
    assert "filterd lists follow --recommended" in site.do("update").err
    assert "'urlhaus' is not followed" in site.do("unfollow", "urlhaus").err
    done = site.do("exclude", "x.example", "--list", "urlhaus", "--reason", "x")
    assert "'urlhaus' is not followed" in done.err


def test_the_sources_name_what_is_thin(site: _Site) -> None:
    shown = " ".join(site.do("sources", "--lang", "en").out.split())
    assert "No list is recommended, what ships is all: " in shown
    assert "self-harm" in shown.partition("what ships is all: ")[2]
    assert "gore (23)" in shown


def test_the_starter_lists_are_called_what_they_are(site: _Site) -> None:
    assert site.do("build", "--quiet").code == 0
    shown = " ".join(site.do("status").out.split())
    assert "categories stand on their starter lists, and most of what they mean is open" in shown


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
