# SPDX-License-Identifier: Apache-2.0
"""Public lists beside a signed feed: neither fills what is the other's, nor holds it back."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import GuardError
from filterd.base.state_folder import BesideFolder
from filterd.feed.admission import VersionAdmission
from filterd.lists.index import Index
from filterd.lists.index_files import version_of
from filterd.texts.i18n import say
from tests.support.broken_versions import add, edit
from tests.support.commands import call
from tests.support.feed_candidates import GAMBLING
from tests.support.feed_school import BLOCKED, School, a_school
from tests.support.web import HOST, Page, Web, public_server
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Outcome

pytestmark = pytest.mark.long
BETS = "\n".join(f"bets{n}.example" for n in range(300))


class _Both:
    """A school that follows a feed, and a public list beside it."""

    def __init__(self, school: School, web: Web, folder: Path) -> None:
        self.school, self.web, self.folder = school, web, folder
        config = folder / "site" / "site.yaml"
        config.write_text(config.read_text() + "feed: https://feed.example/\n")
        self.put("entry.example", BETS)

    def put(self, *texts: str, path: str = "/bets.txt") -> str:
        self.web.pages[path] = Page("\n".join((*texts, "")).encode())
        return self.web.address + path

    def do(self, *words: str) -> Outcome:
        where = "--config", self.folder / "site", "--state", self.folder / "state"
        return call(*words, *where)

    def follow(self, address: str, category: str = "gambling") -> Outcome:
        how = "--category", category, "--subtrees"
        return self.do("lists", "follow", address, *how)

    @property
    def versions(self) -> tuple[str | None, str | None]:
        """Of feed and lists, as the index in force has them."""
        return version_of(self.school.index), version_of(self.school.index, BesideFolder.noted_as)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Both]:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    (tmp_path / "tls").mkdir()
    with a_school(tmp_path) as school, public_server(Web(), tmp_path / "tls", monkeypatch) as web:
        yield _Both(school, web, tmp_path)


def test_lists_stand_beside_a_feed_and_each_goes_its_own_way(both: _Both) -> None:
    school, first = both.school, both.school.in_force
    assert both.follow(f"{both.web.address}/bets.txt").code == 0
    done = both.do("lists", "update")
    assert done.code == 0, done.err
    feed, lists = both.versions
    assert (feed, str(lists)[:4]) == (first, "web-")
    assert school.is_blocked("www.bets7.example")
    assert all(map(school.is_blocked, BLOCKED))
    assert not school.is_blocked(HOST)
    found = json.loads(both.do("lists", "search", "bets7.example", "--json").out)
    assert [one["list"] for one in found] == ["web:gambling", "web:lookalike:gambling"]

    # The next night of the feed keeps them, and a broken night of theirs keeps the feed's.
    second = school.publish(add(GAMBLING, "next.example"))
    school.sync()
    assert both.versions == (second, lists)
    assert school.is_blocked("www.bets7.example")
    assert school.is_blocked("next.example")
    both.put("google.com", BETS)
    done = both.do("lists", "update")
    assert not school.is_blocked("google.com")
    assert school.is_blocked("www.bets7.example")

    # A version of the feed that is held delays no public list.
    school.publish(edit(GAMBLING, lambda _: b"only.example\n"))
    with pytest.raises(GuardError):
        school.sync()
    both.put(BETS, "late.example")
    done = both.do("lists", "update")
    assert done.code == 0, done.err
    assert both.versions[0] == second
    assert school.is_blocked("late.example")

    # Each is rolled back by itself.
    third = both.versions[1]
    done = both.do("feed", "rollback", "--lists", "--reason", "bad")
    assert done.code == 0, done.err
    assert both.versions[0] == second
    assert both.versions[1] != third
    assert not school.is_blocked("late.example")
    assert school.is_blocked("next.example")
    with school.site.holding():
        school.site.roll_back(say("a test wants it"))
    assert both.versions[0] == first
    assert school.is_blocked("www.bets7.example")
    assert not school.is_blocked("next.example")

    events = json.loads(both.do("lists", "history", "--json").out)
    assert {str(event["version"])[:4] for event in events} >= {first, second, "web-"}
    status = json.loads(both.do("feed", "status", "--json").out)
    assert (str(status["served"]), status["beside"]["sources"]) == (first, 1)
    assert status["beside"]["served"] == both.versions[1]

    done = both.do("lists", "unfollow", f"{both.web.address}/bets.txt")
    assert done.code == 0, done.err
    assert not school.is_blocked("www.bets7.example")
    assert all(map(school.is_blocked, BLOCKED))


def test_lists_beside_a_feed_fill_no_orders_and_its_protections_hold(both: _Both) -> None:
    done = both.follow(f"{both.web.address}/bets.txt", "law-ordered")
    assert done.code == 2
    assert "not a category for public lists" in done.err

    def protect(folder: Path) -> None:
        entry = {"name": "bets8.example", "subtree": True, "reason": "test"}
        change_yaml(folder / "protect.yaml", lambda data: data["protections"].append(entry))
        add(GAMBLING, "next.example")(folder)

    both.school.publish(protect)
    both.school.sync()
    both.follow(f"{both.web.address}/bets.txt")
    done = both.do("lists", "update")
    assert done.code == 0, done.err
    assert both.school.is_blocked("www.bets7.example")
    assert not both.school.is_blocked("www.bets8.example")
    assert both.school.is_blocked("entry.example")
    words = "entry.example", "--list", "web:gambling", "--reason", "a school's own"
    done = both.do("lists", "exclude", *words)
    assert done.code == 0, done.err
    assert not both.school.is_blocked("entry.example")


def test_a_damaged_set_of_lists_holds_no_version_of_the_feed_back(both: _Both) -> None:
    both.follow(f"{both.web.address}/bets.txt")
    both.do("lists", "update")
    state = BesideFolder(both.folder / "state")
    lists = both.versions[1]
    assert lists is not None
    (state.feed_version(lists) / "catalog.yaml").write_text("lists: [")
    second = both.school.publish(add(GAMBLING, "next.example"))
    both.school.sync()
    assert both.versions == (second, "0")
    assert not Index.open(both.school.index).build.get("beside")
    done = both.do("lists", "update")
    assert done.code == 0, done.err
    assert both.versions == (second, lists)
    assert both.school.is_blocked("www.bets7.example")


def test_lists_that_the_file_has_no_more_open_by_an_update(both: _Both) -> None:
    file = both.folder / "site" / "site.yaml"
    before = file.read_text()
    entry = f"{{url: '{both.web.address}/bets.txt', category: gambling, subtrees: true}}"
    file.write_text(f"{before}follow: [{entry}]\n")
    assert both.do("lists", "update").code == 0
    assert both.school.is_blocked("www.bets7.example")
    file.write_text(before)
    done = both.do("lists", "update")
    assert done.code == 0, done.err
    assert not both.school.is_blocked("www.bets7.example")
    assert all(map(both.school.is_blocked, BLOCKED))


def test_control_judged_without_the_lists_beside_it_a_feed_would_open_them(
    both: _Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.follow(f"{both.web.address}/bets.txt")
    both.do("lists", "update")
    assert both.school.is_blocked("www.bets7.example")
    monkeypatch.setattr(VersionAdmission, "_with", lambda _, blocklists: blocklists)
    both.school.publish(add(GAMBLING, "next.example"))
    both.school.sync()
    assert not both.school.is_blocked("www.bets7.example")
