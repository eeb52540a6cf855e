# SPDX-License-Identifier: Apache-2.0
"""What sources that change all day have got since the night, through the same guard."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import GuardError
from filterd.base.paths import shipped
from filterd.base.state_folder import StateFolder
from filterd.config.lists_build import build_lists
from filterd.feed.appliance_files import FollowFile, FollowState, LeftOut, Wanted
from filterd.feed.feed_config import own_source
from filterd.feed.followed import followed_arrival
from filterd.feed.followed.followed_arrival import FollowedArrival
from filterd.feed.followed.fresh_arrival import FreshArrival
from filterd.feed.followed.fresh_names import FRESH
from filterd.feed.sync import Became, SiteFeed
from filterd.feed.version_files import verify
from filterd.feed.version_watch import Daemon
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists
from filterd.wire.name import from_text
from tests.support.daemon import write_site
from tests.support.web import Page, Web, public_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.feed.sync import Outcome
    from filterd.lists.catalogs.catalog import PublicSource

pytestmark = pytest.mark.usefixtures("warm_children")

NIGHTLY, HOURLY = "/adult.txt", "/scam.txt"


class _School:
    """A school with a list of each night and one that changes all day."""

    def __init__(self, web: Web, folder: Path) -> None:
        self.web, self.clock = web, SystemClock()
        self.config, self.state = write_site(folder / "site", port=5353), StateFolder(folder)
        self.state.feed.mkdir(parents=True)
        web.pages[NIGHTLY] = Page(b"adult.example\n")
        web.pages[HOURLY] = Page(b"old-scam.example\n")
        self.sources: tuple[PublicSource, ...] = (
            own_source(Wanted("adult", web.address + NIGHTLY, "porn")),
            replace(own_source(Wanted("scam", web.address + HOURLY, "scam")), between_nights=True),
        )
        build_lists(
            self.config, Blocklists(shipped("blocklists")), self.state.index, now=self.clock.wall()
        )
        self.site = SiteFeed(self.config, self.state, self.clock, Daemon())

    @property
    def version(self) -> str:
        return self.site.versions.in_force().current or ""

    def night(self) -> Outcome:
        arrival = FollowedArrival(self.sources, self.state.feed, self.site.versions, self.clock)
        with self.site.holding():
            return self.site.sync(arrival)

    def between(self) -> Outcome | None:
        arrival = FreshArrival(self.sources, self.state.feed, self.site.versions, self.clock)
        with self.site.holding():
            return self.site.freshen(arrival)

    def lists_of(self, name: str) -> set[str]:
        index = Index.open(self.state.index)
        return {
            index.lists[index.claims[claim][0]].id
            for hit in index.lookup(from_text(name))
            for claim, _ in index.entries(hit.rank)
        }


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_School]:
    """Have children's work done in this process, but for the guard's."""
    monkeypatch.setattr("filterd.feed.followed.sources.judge", lambda text, _limit_s: text.judged())
    monkeypatch.setattr(
        followed_arrival, "make_in_child", lambda wanted, made, **_: wanted.write(made)
    )
    with public_server(Web(), tmp_path, monkeypatch) as web:
        yield _School(web, tmp_path / "state")


def test_a_name_that_comes_by_day_is_closed_before_the_next_night(school: _School) -> None:
    school.night()
    night = school.version
    school.web.pages[HOURLY] = Page(b"old-scam.example\nnew-scam.example\n")
    outcome = school.between()
    assert outcome is not None
    assert outcome.became is Became.ACTIVATED
    assert school.version.startswith(f"{night}-")
    assert school.lists_of("new-scam.example") == {f"{FRESH}scam"}
    assert school.lists_of("old-scam.example") == {"feed-scam"}
    assert school.lists_of("adult.example") == {"feed-porn"}
    assert verify(school.site.versions.folder_of(school.version)) == ()


def test_only_lists_that_change_all_day_are_asked_for_by_day(school: _School) -> None:
    school.night()
    school.web.asked.clear()
    school.between()
    assert school.web.asked
    assert not any(NIGHTLY in str(one) for one in school.web.asked)


@pytest.mark.long
def test_a_text_that_is_the_same_makes_no_version(school: _School) -> None:
    school.night()
    night = school.version
    assert school.between() is None
    assert school.version == night


def test_before_the_first_night_nothing_is_asked_for(school: _School) -> None:
    assert school.between() is None
    assert not school.web.asked


@pytest.mark.long
def test_a_second_time_the_names_of_both_are_closed_and_the_night_stays_the_way_back(
    school: _School,
) -> None:
    school.night()
    night = school.version
    for n in range(1, 5):
        names = "".join(f"scam{one}.example\n" for one in range(n))
        school.web.pages[HOURLY] = Page(f"old-scam.example\n{names}".encode())
        school.between()
    assert school.lists_of("scam0.example") == school.lists_of("scam3.example")
    assert school.lists_of("scam3.example") == {f"{FRESH}scam"}
    assert school.site.versions.in_force().previous == (night,)


@pytest.mark.long
def test_the_next_night_makes_one_list_of_all_again(school: _School) -> None:
    school.night()
    school.web.pages[HOURLY] = Page(b"old-scam.example\nnew-scam.example\n")
    school.between()
    school.night()
    assert "-" not in school.version.removeprefix("web-")
    assert school.lists_of("new-scam.example") == {"feed-scam"}


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["google.com", "truong.edu.vn", "www.mit.edu", "tongdai111.vn", "chess.com"]
)
def test_pins_protections_and_popular_names_hold_against_what_is_new(
    school: _School, name: str
) -> None:
    school.night()
    school.web.pages[HOURLY] = Page(f"old-scam.example\nnew-scam.example\n{name}\n".encode())
    school.between()
    assert not any(one.startswith(FRESH) for one in school.lists_of(name))
    assert school.lists_of("new-scam.example")


@pytest.mark.long
def test_an_entry_that_a_person_has_left_out_stays_out(school: _School) -> None:
    school.night()
    entry = LeftOut("mine.example", "scam", "a mistake", 0.0, school.clock.wall() + 1e6)
    FollowFile(school.state.feed).write(FollowState(left_out=(entry,)))
    school.web.pages[HOURLY] = Page(b"old-scam.example\nnew-scam.example\nmine.example\n")
    school.between()
    assert school.lists_of("mine.example") == set()


@pytest.mark.long
def test_a_text_that_turns_into_a_page_is_not_taken(school: _School) -> None:
    school.night()
    school.web.pages[HOURLY] = Page(b"<!doctype html><title>Sign in</title>\n")
    assert school.between() is None
    assert school.lists_of("old-scam.example") == {"feed-scam"}


@pytest.mark.long
def test_a_version_that_is_held_by_hand_takes_nothing_new(school: _School) -> None:
    school.night()
    night = school.version
    school.site.hold("exam week")
    school.web.pages[HOURLY] = Page(b"old-scam.example\nnew-scam.example\n")
    with pytest.raises(GuardError):
        school.between()
    assert school.version == night


def test_an_answer_by_day_says_nothing_of_the_age_of_the_nights(school: _School) -> None:
    school.night()
    before = school.site.standing.read().verified_at
    school.web.pages[HOURLY] = Page(b"old-scam.example\nnew-scam.example\n")
    school.between()
    assert school.site.standing.read().verified_at == before


@pytest.mark.long
def test_the_files_of_the_night_are_linked_and_the_new_list_is_small(school: _School) -> None:
    school.night()
    night = school.site.versions.folder_of(school.version)
    school.web.pages[HOURLY] = Page(b"old-scam.example\nnew-scam.example\n")
    school.between()
    made = school.site.versions.folder_of(school.version)
    assert (made / "lists/feed-porn.txt").samefile(night / "lists/feed-porn.txt")
    assert (made / f"lists/{FRESH}scam.txt").read_text() == "new-scam.example\n"
    assert {one.id for one in load_catalog(made).lists if one.id.startswith(FRESH)} == {
        f"{FRESH}scam"
    }
