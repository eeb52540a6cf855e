# SPDX-License-Identifier: Apache-2.0
"""What a school decides on public lists; ``tests/unit/cli`` has the commands that call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_folder import BesideFolder, StateFolder
from filterd.feed.appliance_files import Wanted
from filterd.feed.public_lists import PublicLists
from filterd.feed.school_lists import SchoolLists
from filterd.feed.sync import Became, Outcome
from filterd.feed.version_watch import Daemon
from tests.support.clock import FakeClock
from tests.support.daemon import write_site
from tests.support.feed_folders import put_in_force

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.feed_config import Followed

ADDRESS = "https://lists.example/bets.txt"
GAMES = Wanted("", category="games")
FEED = "feed: https://feed.example/\n"


@pytest.fixture
def lists(tmp_path: Path) -> PublicLists:
    config = write_site(tmp_path / "site", port=5353)
    (tmp_path / "state" / "feed").mkdir(parents=True)
    state = StateFolder(tmp_path / "state")
    return PublicLists(SchoolLists(config, state, FakeClock(), Daemon()))


@pytest.mark.parametrize(
    ("address", "how", "message"),
    [
        ("urlhau", GAMES, "is not a list of the catalogue"),
        ("http://lists.example/x", GAMES, "is not an address of a list"),
        ("https://u:p@lists.example/x", GAMES, "is not an address of a list"),
        ("https://10.0.0.1/x", GAMES, "'10.0.0.1' is not a host of the public"),
        ("https://[::ffff:10.0.0.1]/x", GAMES, "is not a host of the public"),
        ("https://nas.lan/x", GAMES, "'nas.lan' is not a host of the public"),
        ("https://lists.example:99999/x", GAMES, "is not an address of a list"),
        ("https://lists.example:0/x", GAMES, "is not an address of a list"),
        (f"https://{'a' * 64}.vn/x", GAMES, "is not an address of a list"),
        ("https://lists..example/x", GAMES, "is not a host of the public"),
        ("https://[::1/x", GAMES, "is not an address of a list"),
        (ADDRESS, Wanted(""), "--category is missing"),
        (ADDRESS, Wanted("", category="law-ordered"), "is not a category for public lists"),
        (ADDRESS, Wanted("", category="child-abuse"), "is not a category for public lists"),
        (ADDRESS, Wanted("", category="games", format="csv"), "'csv' is not a format"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    lists: PublicLists, address: str, how: Wanted, message: str
) -> None:
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        lists.chosen([address], how)


def test_an_address_is_followed_by_an_id_of_its_own(lists: PublicLists) -> None:
    known, own = lists.chosen(["urlhaus", ADDRESS], GAMES)
    assert (known, own.url, own.category) == (Wanted("urlhaus"), ADDRESS, "games")
    assert lists.follow([known, own]).row == {"followed": ["urlhaus", own.id]}
    assert {source.id for source in lists.school.followed.sources} == {"urlhaus", own.id}
    assert lists.unfollow([ADDRESS]).row == {"unfollowed": [own.id]}


def test_lists_that_the_file_has_no_more_go_out_of_force(
    lists: PublicLists, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_site(lists.school.config, port=5353, more=FEED)
    put_in_force(BesideFolder(lists.school.state.folder), "web-1", "bets.example")
    runs = list[tuple[int, bool]]()

    def run(_: object, feed: Followed, *, beside: bool, **__: object) -> Outcome:
        runs.append((len(feed.sources), beside))
        return Outcome(Became.CURRENT, "web-2")

    monkeypatch.setattr(SchoolLists, "run", run)
    assert lists.update().version == "web-2"
    assert runs == [(0, True)]


def test_what_has_come_since_the_night_is_left_out_of_its_category(lists: PublicLists) -> None:
    lists.follow([Wanted("urlhaus")])
    row = lists.exclude("x.example", "feed-fresh-malware", "a mistake").row
    assert (row["name"], row["list"]) == ("x.example", "feed-malware")
    [left] = lists.school.site().followed.read().left_out
    assert (left.name, left.list) == ("x.example", "feed-malware")
    with pytest.raises(ConfigError, match="is not followed"):
        lists.exclude("x.example", "feed-fresh-porn", "a mistake")
