# SPDX-License-Identifier: Apache-2.0
"""A harmful version that the guard let pass is rolled back under questions.

Daemon, counters and the follower of the feed are real; only the follower's clock is a
test's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.feed_config import Followed
from filterd.feed.follower import Keeper
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.standing import Event
from filterd.feed.version_watch import EVERY_S
from tests.support.asking import Asker, NoAnswerError
from tests.support.daemon import SOURCES, WITHIN_S, free_port, serving, write_site
from tests.support.feed_site import (
    FIRST,
    MUST_BLOCK,
    SECOND,
    Follower,
    Published,
    judged_at_once,
    name_of,
)
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

FEED = Followed("https://feed.example/", "Asia/Ho_Chi_Minh")
LOVED = name_of(SECOND)
"""The popular name that the second version blocks by mistake."""
QUICKLY_S, SLOWLY_S = 0.002, 0.2
"""Between two questions. At the slow pace ``LEAST_ANSWERS`` take 40 s."""


def _answer(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "198.18.0.80"))
    return response


class Class(threading.Thread):
    """Asks for the popular name and one that must be blocked, until it is stopped."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port, self._over = port, threading.Event()
        self._turn = threading.Condition()
        self.loved, self.lost, self.unfiltered = list[int](), 0, 0
        self.every_s = QUICKLY_S

    def run(self) -> None:
        with Asker(("127.0.0.1", self._port), SOURCES["3"]) as asker:
            number = 0
            while not self._over.wait(self.every_s):
                number += 1
                self._ask(asker, MUST_BLOCK if number % 10 == 0 else LOVED, number % 65_536)

    def _ask(self, asker: Asker, name: str, number: int) -> None:
        try:
            rcode = asker.by_udp(a_query(name, message_id=number))[3] & 15
        except NoAnswerError:
            rcode = -1
        with self._turn:
            self.lost += rcode == -1
            if name == LOVED:
                self.loved.append(rcode)
            else:
                self.unfiltered += rcode == dns.rcode.NOERROR
            self._turn.notify_all()

    def wait_for(self, rcode: int, times: int) -> None:
        """Wait until the last answers for the loved name were these."""
        with self._turn:
            assert self._turn.wait_for(lambda: self.loved[-times:] == [rcode] * times, WITHIN_S)

    def stop(self) -> None:
        """Ask nothing more."""
        self._over.set()
        self.join()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("published"))


@pytest.fixture
def served(published: Published, tmp_path: Path) -> Iterator[tuple[Follower, Class]]:
    """A school with the first version in force, and a class that asks."""
    port, school = free_port(), Follower(tmp_path, published)
    school.found()
    with FakeUpstream(respond=_answer) as upstream, judged_at_once(published):
        feed = f"feed: {FEED.address}\n"
        write_site(school.config, port=port, upstream=upstream.port, more=feed)
        school.run(FIRST)
        with serving(school.config, school.state.folder) as daemon:
            school.daemon = ControlDaemon(daemon.state.control_socket)
            pupils = Class(port)
            pupils.start()
            try:
                yield school, pupils
            finally:
                pupils.stop()


def test_a_version_that_blocks_popular_names_is_rolled_back_and_no_query_is_lost(
    served: tuple[Follower, Class],
) -> None:
    school, pupils = served
    keeper = Keeper(
        school.site,
        lambda: FEED,
        lambda _: TufArrival(
            school.site.trust, FolderFetcher(school.published.at(SECOND), school.clock)
        ),
        school.clock,
        school.daemon,
        lambda: 0.5,
    )
    pupils.wait_for(dns.rcode.NOERROR, 250)
    pupils.every_s = SLOWLY_S
    school.run(SECOND)
    keeper.work()
    assert school.site.versions.in_force().current == SECOND  # too few answers to judge
    pupils.every_s = QUICKLY_S
    pupils.wait_for(dns.rcode.NXDOMAIN, 250)
    school.clock.advance(EVERY_S)
    keeper.work()
    pupils.wait_for(dns.rcode.NOERROR, 20)
    assert (pupils.lost, pupils.unfiltered) == (0, 0)
    assert school.check_consistent(FIRST) == FIRST
    [taken_back] = [line for line in school.site.history.lines() if line.event is Event.ROLLED_BACK]
    assert taken_back.version == SECOND
    assert "% of answers were blocks" in taken_back.why
