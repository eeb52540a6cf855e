# SPDX-License-Identifier: Apache-2.0
"""A school that follows a real feed, its daemon, and a pupil that asks."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import dns.rrset

from filterd.base.clock import SystemClock
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.sync import Became, SiteFeed
from filterd.feed.version_files import is_ordered
from filterd.lists.index_files import version_of
from filterd.publish.parcels import make_parcel
from filterd.publish.signing import targets_of
from tests.support.asking import Asker, NoAnswerError
from tests.support.broken_versions import POPULAR
from tests.support.daemon import SOURCES, WITHIN_S, build_lists, free_port, serving, write_site
from tests.support.feed_candidates import Following
from tests.support.publisher import Publisher
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.feed.sync import Outcome

    Change = Callable[[Path], None]

BLOCKED = ("www.gambling7.example", "beneath.www.porn7.example", "porn.blocked.filterd.example")
OPEN = (
    "accounts.google.com",
    "google.com",
    "vnedu.vn",
    POPULAR[0],
    POPULAR[155],
    "www.other.example",
)
ADDRESS = "198.18.0.80"
PAUSE_S = 0.005
"""Between two questions, or they would take the time that everything else needs here."""


def answer(query: dns.message.Message) -> dns.message.Message:
    """Answer every name, as an upstream without a filter."""
    response = dns.message.make_response(query)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", ADDRESS))
    return response


class Pupil(threading.Thread):
    """Asks without end for names that must be blocked and names that must not be."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port, self._over = port, threading.Event()
        self._turn = threading.Condition()
        self._asked, self._wrong = 0, list[str]()

    def run(self) -> None:
        with Asker(("127.0.0.1", self._port), SOURCES["3"]) as asker:
            for number, name in enumerate(cycle((*BLOCKED, *OPEN))):
                if self._over.wait(PAUSE_S):
                    return
                self._note(self._ask(asker, name, number))

    def _ask(self, asker: Asker, name: str, number: int) -> str:
        """Ask once; return what is wrong with the answer, nothing if it is right."""
        ask = asker.by_tcp if number % 7 == 0 else asker.by_udp
        try:
            reply = ask(a_query(name, message_id=number % 65_536))
        except NoAnswerError:
            return f"{name}: no answer"
        response = dns.message.from_wire(reply)
        found = [str(rdata) for rrset in response.answer for rdata in rrset]
        right = (dns.rcode.NXDOMAIN, []) if name in BLOCKED else (dns.rcode.NOERROR, [ADDRESS])
        return "" if (response.rcode(), found) == right else f"{name}: {response}"

    def _note(self, wrong: str) -> None:
        with self._turn:
            self._asked += 1
            self._wrong += [wrong] if wrong else []
            self._turn.notify_all()

    def wrong_answers(self) -> list[str]:
        """Ask for everything once more; return what was wrong since the last time."""
        with self._turn:
            until = self._asked + len(BLOCKED + OPEN) + 1
            assert self._turn.wait_for(lambda: self._asked >= until, WITHIN_S)
            wrong, self._wrong = self._wrong, []
        return wrong

    def stop(self) -> None:
        """Ask nothing more."""
        self._over.set()
        self.join()


@dataclass
class School:
    """A publisher, a site that follows it, its daemon, and a pupil that asks."""

    making: Following
    publisher: Publisher
    site: SiteFeed
    index: Path
    pupil: Pupil
    port: int

    def is_blocked(self, name: str) -> bool:
        """Return whether a name is blocked for a pupil now."""
        with Asker(("127.0.0.1", self.port), SOURCES["3"]) as asker:
            reply = dns.message.from_wire(asker.by_udp(a_query(name, message_id=1)))
        return not reply.answer  # what has something pinned beneath it is no NXDOMAIN

    def publish(self, change: Change | None = None, *, urgent: bool = False) -> str:
        """Sign a version and publish it; return its number."""
        folder = self.making.prepare(change).folder
        (folder / "README.md").unlink()
        targets = targets_of(folder)
        ordered = [target for target in targets if is_ordered(target.name)]
        signers, now = self.publisher.signers, self.publisher.now
        version = self.publisher.snapshot.signed.version + 1
        orders = make_parcel("orders", ordered, signers["orders"], version=version, now=now)
        files = [target for target in targets if not is_ordered(target.name)]
        how: dict[str, Any] = {"now": now, "parcels": [orders], "urgent": urgent}
        return str(self.publisher.repository.publish(files, signers, **how))

    def sync(self) -> Outcome:
        """Take what is published, if it is good."""
        with self.site.holding():
            fetcher = FolderFetcher(self.publisher.folder, SystemClock())
            return self.site.sync(TufArrival(self.site.trust, fetcher), at_once=True)

    @property
    def in_force(self) -> str:
        """The version in force, by the pointer and by the lists, which must be of one mind."""
        current = self.site.versions.in_force().current
        assert current is not None
        assert version_of(self.index) == current
        return current


@contextlib.contextmanager
def a_school(
    folder: Path,
    prepare: Callable[[StateFolder], None] = lambda _: None,
    *,
    is_new: bool = False,
) -> Iterator[School]:
    """Have a school whose first version of the feed is in force, and which is asking.

    Args:
        folder: an empty one; the site and its state are in ``site`` and ``state``.
        prepare: adds to the state before a daemon runs.
        is_new: nothing is published yet, and what ships is in force.
    """
    making = folder / "making"
    making.mkdir()
    port, clock = free_port(), SystemClock()
    publisher = Publisher(folder / "public", now=clock.wall())
    with FakeUpstream(respond=answer) as upstream:
        config = write_site(folder / "site", port=port, upstream=upstream.port)
        state = build_lists(config, folder / "state")
        prepare(state)
        with serving(config, state.folder) as served:
            site = SiteFeed(config, served.state, clock, ControlDaemon(served.state.control_socket))
            site.trust.establish(publisher.root)
            pupil = Pupil(port)
            school = School(Following(making, POPULAR), publisher, site, state.index, pupil, port)
            if not is_new:
                school.publish()
                assert school.sync().became is Became.ACTIVATED
            pupil.start()
            try:
                yield school
            finally:
                pupil.stop()
