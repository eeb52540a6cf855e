# SPDX-License-Identifier: Apache-2.0
"""A school that follows public lists: commands, a web server with TLS, a daemon, questions."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.message
import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import FetchError
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.appliance_files import Wanted
from filterd.feed.feed_config import own_source
from filterd.feed.followed.followed_arrival import FollowedArrival
from filterd.feed.standing import Event
from filterd.feed.sync import SiteFeed
from tests.support.asking import Asker
from tests.support.commands import call
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.feed_school import answer
from tests.support.upstream import FakeUpstream
from tests.support.web import HOST, Page, Web, public_server
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.commands import Outcome

pytestmark = pytest.mark.long


@dataclass
class _School:
    """A site, its daemon, and a web server."""

    config: Path
    state: StateFolder
    web: Web
    port: int

    def do(self, *words: str) -> Outcome:
        """Run a command of the group ``lists``."""
        return call("lists", *words, "--config", self.config, "--state", self.state.folder)

    def is_blocked(self, name: str) -> bool:
        """Return whether a name is blocked for a pupil now, by its socket."""
        with Asker(("127.0.0.1", self.port), SOURCES["3"]) as asker:
            return not dns.message.from_wire(asker.by_udp(a_query(name, message_id=1))).answer


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_School]:
    port = free_port()
    with (
        FakeUpstream(respond=answer) as upstream,
        contextlib.ExitStack() as until_the_end,
    ):
        config = write_site(tmp_path / "site", port=port, upstream=upstream.port)
        state = build_lists(config, tmp_path / "state")
        served = until_the_end.enter_context(serving(config, state.folder))
        (tmp_path / "tls").mkdir()
        web = until_the_end.enter_context(public_server(Web(), tmp_path / "tls", monkeypatch))
        yield _School(config, served.state, web, port)


def test_an_address_is_followed_blocked_and_left(school: _School) -> None:
    school.web.pages["/bets.txt"] = Page(b"0.0.0.0 bets.example\n0.0.0.0 more.example\n")
    address = f"{school.web.address}/bets.txt"
    how = ("--category", "gambling", "--format", "hosts", "--subtrees")
    assert not school.is_blocked("www.bets.example")
    done = school.do("follow", address, *how)
    assert done.code == 0, done.err
    done = school.do("update")
    assert done.code == 0, done.err
    assert "1 new" in done.out
    assert school.is_blocked("www.bets.example")
    assert not school.is_blocked(HOST)
    [row] = [load for load in json.loads(school.do("sources", "--json").out) if load["followed"]]
    assert (row["followed"], row["names"], row["here"]) == ("command", 2, True)
    assert "nothing new" in school.do("update").out

    done = school.do("exclude", "bets.example", "--list", row["id"], "--reason", "a school")
    assert done.code == 0, done.err
    assert not school.is_blocked("www.bets.example")
    assert school.is_blocked("more.example")

    done = school.do("unfollow", address)
    assert done.code == 0, done.err
    assert not school.is_blocked("more.example")
    events: list[dict[str, Any]] = json.loads(school.do("history", "--json").out)
    reasons = " ".join(event["why"] for event in events)
    assert "followed: " in reasons
    assert "left out: bets.example" in reasons
    assert "no longer followed: " in reasons


class _NightClock(SystemClock):
    """A clock that goes on by days."""

    days = 0

    def wall(self) -> float:
        return super().wall() + self.days * 86_400.0

    def monotonic(self) -> float:
        return super().monotonic() + self.days * 86_400.0


class _Night(NamedTuple):
    """What the server gives by path, what the history then has, and names asked for."""

    pages: Mapping[str, Page]
    event: Event
    reason: str
    blocked: str = "a0.example"
    passes: str = "google.com"


def _text(*more: str, names: range = range(600)) -> Page:
    return Page("".join(f"{one}\n" for one in (*(f"a{n}.example" for n in names), *more)).encode())


GONE, BUSY = Page(status=404), Page(status=429, headers={"Retry-After": "5000"})
B = Page(b"".join(b"b%d.example\n" % n for n in range(300)))


def _a(page: Page, reason: str, event: Event = Event.SOURCES, **asked: str) -> _Night:
    """Return a night of list ``a``, whose mirror has nothing."""
    return _Night({"/a": page}, event, reason, **asked)


def _moved(address: str) -> Page:
    return Page(status=302, headers={"Location": address})


NIGHTS = [
    _a(_text(), "", Event.ACTIVATED, blocked="b299.example"),
    _a(_text(), "lists: 0 new, 2 unchanged, 0 not taken"),
    _Night({"/a": GONE, "/mirror": _text()}, Event.SOURCES, "taken from"),
    _a(GONE, "status 404"),
    _a(Page(status=403), "status 403"),
    _Night({"/a": BUSY, "/b": BUSY}, Event.FAILED, "none of the 2 followed lists came"),
    _a(Page(status=429), "none of the 2 followed lists came", Event.FAILED),
    _a(_text(), "lists: 0 new, 2 unchanged, 0 not taken"),
    _a(Page(b""), "has no names"),
    _a(Page(b"# back soon\n" * 50), "has no names"),
    _a(Page(b"<html>Log in", headers={"Content-Type": "text/html"}), "want a login"),
    _a(Page(b"\n <!DOCTYPE html><title>Log in"), "a web page came instead of a list"),
    _a(_text(names=range(6_000)), "has 6000 names and had 600"),
    _a(_text(names=range(200)), "has 200 names and had 600"),
    _a(_text("google.com", "n15.example"), "", Event.ACTIVATED, blocked="n15.example"),
    _a(_text("com", "vn", "edu.vn"), "", Event.ACTIVATED, passes="vnu.edu.vn"),
    _a(_text(HOST, "www.moet.gov.vn"), "", Event.ACTIVATED, passes=HOST),
    _a(_text("n18.example", "n19.example"), "", Event.ACTIVATED, blocked="n18.example"),
    _a(Page(_text().body.decode().encode("utf-16")), "is not text"),
    _a(Page(b"\0" * 5_000), "is not text"),
    _a(Page(b"||a.example^$third-party\n" * 600), "not in the format"),
    _a(Page(_text().body, breaks_off=999), "ended before the end"),
    _a(Page(status=500), "status 500"),
    _a(Page(_text().body, headers={"Content-Encoding": "gzip"}), "compressed"),
    _a(_moved("https://elsewhere.example/a"), "redirects to another server"),
    _a(_moved("http://lists.example/a"), "redirects to another server"),
    _a(_moved("/a"), "in a circle"),
    _a(_text(names=range(560)), "", Event.ACTIVATED, passes="a599.example"),
    _a(_text("kenh14.vn", "n29.example"), "", Event.ACTIVATED, passes="kenh14.vn"),
    _Night({"/a": GONE, "/b": GONE}, Event.FAILED, "status 404", blocked="n29.example"),
    _a(_text("n31.example"), "", Event.ACTIVATED, blocked="n31.example", passes="n29.example"),
]


def test_nights_of_a_server_that_misbehaves(school: _School) -> None:
    clock, daemon = _NightClock(), ControlDaemon(school.state.control_socket)
    site = SiteFeed(school.config, school.state, clock, daemon)
    a, b = (own_source(Wanted(one, f"{school.web.address}/{one}", "porn")) for one in "ab")
    followed = (replace(a, mirrors=(f"{school.web.address}/mirror",)), b)
    for number, night in enumerate(NIGHTS, 1):
        clock.days = number
        school.web.pages = {"/b": B, **night.pages}
        before = site.history.lines()
        with site.holding(), contextlib.suppress(FetchError):
            site.sync(FollowedArrival(followed, school.state.feed, site.versions, clock))
        new = [line for line in site.history.lines() if line not in before]
        found = [one for one in new if one.event is night.event and night.reason in one.why]
        assert found, (number, [(one.event, str(one.why)) for one in new])
        asked = school.is_blocked(night.blocked), school.is_blocked(night.passes)
        assert asked == (True, False), (number, night)
    assert len(NIGHTS) >= 30
