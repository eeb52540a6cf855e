# SPDX-License-Identifier: Apache-2.0
"""Versions made here, of public lists: what they are made of, and what releases them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base import process_memory
from filterd.base.clock import SystemClock
from filterd.base.errors import FetchError, ListError, TooLargeError
from filterd.base.state_folder import StateFolder
from filterd.config.lists_build import build_lists
from filterd.feed.appliance_files import (
    FollowFile,
    FollowState,
    LeftOut,
    Wanted,
    followed_lists,
)
from filterd.feed.feed_config import own_source
from filterd.feed.followed import followed_arrival
from filterd.feed.followed.followed_arrival import FollowedArrival
from filterd.feed.followed.source_limits import NIGHTLY
from filterd.feed.followed.version_content import make_in_child
from filterd.feed.guard import Judgement
from filterd.feed.guard.judgement import Severity, found
from filterd.feed.signed.arrival import Moment
from filterd.feed.sync import SiteFeed
from filterd.feed.version_files import verify
from filterd.feed.version_watch import Daemon
from filterd.feed.versions import Versions, is_followed
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists
from filterd.texts.i18n import say
from filterd.wire.name import from_text, to_text
from tests.support.feed_folders import write_blocklists
from tests.support.web import HOST, Page, Web, public_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.feed.followed.followed_arrival import FollowedOffer
    from filterd.feed.followed.source_limits import FetchRules
    from filterd.lists.catalogs.catalog import PublicSource


class _Site:
    """A feed's state folder, and a web server with two lists."""

    def __init__(self, web: Web, folder: Path) -> None:
        self.web, self.folder, self.versions = web, folder, Versions(folder)
        web.pages["/a.txt"] = Page(b"bets.example\n", headers={"ETag": '"1"'})
        web.pages["/b.txt"] = Page(b"more.example\n")
        self.sources: tuple[PublicSource, ...] = (self.source("/a.txt"), self.source("/b.txt"))

    def source(self, path: str) -> PublicSource:
        return own_source(Wanted("", self.web.address + path, "gambling"))

    def offer(
        self, rules: FetchRules | None = NIGHTLY, now: float = 1e9, feed: Path | None = None
    ) -> FollowedOffer:
        arrival = FollowedArrival(
            self.sources, self.folder, self.versions, SystemClock(), rules=rules, feed=feed
        )
        assert arrival.urgent() == 0
        return arrival.refresh(Moment(now))

    def take(self, offer: FollowedOffer) -> Path:
        folder = offer.take(self.versions, lambda *_: None).candidate.folder
        self.versions.promote(offer.version)
        return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Site]:
    """Have children's work done in this process; tests of that work have real ones."""
    monkeypatch.setattr("filterd.feed.followed.sources.judge", lambda text, _limit_s: text.judged())
    monkeypatch.setattr(
        followed_arrival, "make_in_child", lambda wanted, made, **_: wanted.write(made)
    )
    with public_server(Web(), tmp_path, monkeypatch) as web:
        yield _Site(web, tmp_path / "state")


def test_a_version_is_made_of_what_ships_and_of_the_lists(site: _Site) -> None:
    offer = site.offer()
    assert is_followed(offer.version)
    folder = site.take(offer)
    assert verify(folder) == ()
    assert offer.is_in(folder)
    assert (folder / "lists" / "feed-gambling.txt").read_text() == "bets.example\nmore.example\n"
    catalog = load_catalog(folder)
    assert {source.id for source in catalog.sources} == {source.id for source in site.sources}
    assert any(one.id == "starter-gambling" for one in catalog.lists)


MORE = b"".join(b"n%d.example\n" % number for number in range(40))
SHAPES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "a mark and Windows lines": (b"\xef\xbb\xbfX1.example\r\ny1.Example.\r\n", ("x1", "y1")),
    "old Macintosh lines": (b"x2.example\ry2.example\r", ("x2", "y2")),
    "a line of a megabyte": (
        b"x3.example\n" + b"a" * 1_000_000 + b"\ny3.example\n",
        ("x3", "y3"),
    ),
    "NULs": (MORE * 200 + b"x4\0.example\n\0\ny4.example\n", ("y4",)),
    "spaces, comments": (b" x5.example  \n\ty5.example\t# c\n", ("x5", "y5")),
    "U-labels": ("việt-nam.example\n".encode(), ("xn--vit-nam-zv4c",)),
    "another encoding": (b"caf\xe9.example\nx6.example\n", ("x6",)),
    "no names": (b".\n*\n..\n1.2.3.4\n::1\n-\n" + b"a." * 130 + b"example\n", ()),
}


def test_texts_of_any_shape_name_what_they_name(site: _Site) -> None:
    for number, (text, _) in enumerate(SHAPES.values()):
        site.web.pages[f"/{number}.txt"] = Page(MORE + text)
        site.sources = (*site.sources, site.source(f"/{number}.txt"))
    listed = (site.take(site.offer()) / "lists" / "feed-gambling.txt").read_text()
    of_them = {one for one in listed.split() if not one.startswith("n")}
    names = [name for _, names in SHAPES.values() for name in ("bets", "more", *names)]
    assert of_them == {f"{one}.example" for one in names}


def test_no_list_closes_a_public_suffix_what_everybody_needs_or_its_own_server(
    site: _Site,
) -> None:
    wrong = "com vn gov.vn edu.vn com.vn *.vn google.com www.google.com moet.gov.vn thi.gov.vn"
    site.web.pages["/b.txt"] = Page(MORE + "\n".join((*wrong.split(), HOST, "")).encode())
    folder = site.take(site.offer())
    build_lists(None, Blocklists(folder, "web-1"), site.folder / "index", now=1.0)
    index = Index.open(site.folder / "index")
    open_names = (*wrong.replace("*.", "a.").split(), HOST, f"www.{HOST}")
    assert [name for name in open_names if index.lookup(from_text(name))] == []
    assert index.lookup(from_text("n5.example"))


def test_where_lists_come_from_is_pinned(site: _Site) -> None:
    pins = load_catalog(site.take(site.offer())).pins
    assert {to_text(pin.name) for pin in pins if pin.reason == "feed"} == {HOST}


def test_the_same_texts_make_the_same_version_and_another_text_another(site: _Site) -> None:
    first = site.offer()
    assert site.offer().version == first.version
    assert site.offer(rules=None).version == first.version
    site.web.pages["/b.txt"] = Page(b"other.example\n")
    assert site.offer().version != first.version


def test_an_entry_that_is_left_out_makes_another_version(site: _Site) -> None:
    first = site.offer()
    one = LeftOut("bets.example", site.sources[0].id, "", 0.0, 2e9)
    FollowFile(site.folder).write(FollowState(left_out=(one,)))
    offer = site.offer()
    assert offer.version != first.version
    assert "bets" not in (site.take(offer) / "lists" / "feed-gambling.txt").read_text()
    assert site.offer(now=3e9).version == first.version


def test_what_is_damaged_is_made_anew(site: _Site) -> None:
    offer = site.offer()
    folder = site.take(offer)
    (folder / "lists" / "feed-gambling.txt").write_text("")
    assert not offer.is_in(folder)
    assert offer.is_in(site.take(offer))


def test_a_list_that_does_not_come_keeps_its_text_and_is_reported(site: _Site) -> None:
    first = site.offer()
    site.web.pages["/b.txt"] = Page(status=404)
    offer = site.offer()
    assert offer.version == first.version
    kept, total = offer.remarks
    assert "not taken, its last text stays" in kept
    assert total == "lists: 0 new, 1 unchanged, 1 not taken"


def test_where_none_comes_the_night_has_failed(site: _Site) -> None:
    site.offer()
    for path in site.web.pages:
        site.web.pages[path] = Page(status=429, headers={"Retry-After": "7000"})
    with pytest.raises(FetchError, match="none of the 2 followed lists came") as error:
        site.offer()
    assert 6_900 < error.value.retry_after_s <= 7_000
    assert len(followed_lists(site.folder)) == 2, "status tells of its trouble"
    assert site.offer(rules=None).version


def test_more_names_than_the_machine_takes_are_refused_in_words(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_memory, "machine_octets", lambda: 120_000_300)
    with pytest.raises(TooLargeError, match="have 2 names; this machine takes at most 1"):
        site.offer()
    assert site.web.asked, "how much there is was not known"


def test_what_was_too_large_is_not_fetched_again(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sources = tuple(replace(source, names=2_500_000) for source in site.sources)
    monkeypatch.setattr(process_memory, "machine_octets", lambda: 950_000_000)
    with pytest.raises(TooLargeError, match="have 5000000 names; this machine takes at most 36"):
        site.offer()
    assert not site.web.asked


def test_a_version_that_cannot_be_made_within_bounds_leaves_the_one_in_force(
    site: _Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.offer().version
    site.take(site.offer())
    site.web.pages["/b.txt"] = Page(b"other.example\n")
    offer = site.offer()
    monkeypatch.setattr(followed_arrival, "make_in_child", make_in_child)
    monkeypatch.setattr(followed_arrival, "night_octets", lambda: 1 << 20)
    with pytest.raises((ListError, TooLargeError), match="followed lists"):
        site.take(offer)
    assert site.versions.in_force().current == before
    assert not site.versions.folder_of(offer.version).exists()


def test_the_history_has_why_the_system_ended_a_build(
    site: _Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = SiteFeed(tmp_path / "site", StateFolder(tmp_path), SystemClock(), Daemon())
    arrival = FollowedArrival(site.sources, tmp_path / "feed", school.versions, SystemClock())
    killed = ["/bin/sh", "-c", "kill -9 $$"]
    monkeypatch.setattr(followed_arrival, "make_in_child", make_in_child)
    monkeypatch.setattr("filterd.base.bounded_child.command", lambda _: killed)
    with pytest.raises(ListError), school.holding():
        school.sync(arrival)
    assert "cannot be merged: the kernel ended it" in school.history.lines()[-1].why


def _held(*kinds: str) -> Judgement:
    findings = (found(kind, Severity.HELD, say("{why}", why=kind)) for kind in kinds)
    return Judgement("web-1", tuple(findings))


def test_a_change_of_what_is_followed_releases_growth_and_nothing_else(site: _Site) -> None:
    site.take(site.offer())
    site.sources = site.sources[:1]
    offer = site.offer()
    assert offer.release_of(_held("growth", "tables"), None)
    assert offer.release_of(_held("growth", "popular"), None) is None


def test_control_without_a_change_growth_is_held(site: _Site) -> None:
    site.take(site.offer())
    offer = site.offer()
    assert offer.release_of(_held("growth"), None) is None
    assert offer.release_of(_held("tables"), None)  # those are the program's own


def test_a_list_that_never_came_releases_nothing_until_it_comes(site: _Site) -> None:
    page = site.web.pages.pop("/b.txt")
    site.take(site.offer())
    assert site.offer().release_of(_held("growth"), None) is None
    site.web.pages["/b.txt"] = page
    assert site.offer().release_of(_held("growth"), None)


def test_a_list_that_the_feed_has_no_category_for_is_not_fetched_and_releases_nothing(
    site: _Site, tmp_path: Path
) -> None:
    feed = write_blocklists(tmp_path / "feed", "entry.example")
    ordered = own_source(Wanted("", site.web.address + "/ordered.txt", "law-ordered"))
    site.sources = (*site.sources, ordered)
    site.take(site.offer(feed=feed))
    assert site.offer(feed=feed).release_of(_held("growth"), None) is None
    assert len(followed_lists(site.folder)) == 3
