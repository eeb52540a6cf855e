# SPDX-License-Identifier: Apache-2.0
"""A school that follows public lists: commands, a web server with TLS, a daemon, questions."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.message
import pytest

from tests.support.asking import Asker
from tests.support.commands import call
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.feed_school import answer
from tests.support.upstream import FakeUpstream
from tests.support.web import HOST, Page, Web, public_server
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.state_folder import StateFolder
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
    [row] = [one for one in json.loads(school.do("sources", "--json").out) if one["followed"]]
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
    told = " ".join(one["why"] for one in events)
    assert "followed: " in told
    assert "left out: bets.example" in told
    assert "followed no more: " in told
