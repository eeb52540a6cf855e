# SPDX-License-Identifier: Apache-2.0
"""Broken versions, signed by the right keys, offered to a school that is asking all the while.

Whoever signs lists has signed a bad one once (reliability.md E1). Each is published
by a real publisher and taken by a real run, with a daemon that serves: none comes in
force, the reason is told, and no answer is lost, unfiltered or kept from anybody.
Then the next honest version comes as if nothing had been.

By default a part of the broken versions is offered, of each kind some; all of them
with ``FILTERD_FEED_CANDIDATES=all`` (in ``tests/unit/feeds/guard/test_checks.py`` all
are judged in any case).
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.cli.feed_daemon import ControlDaemon
from filterd.clock import SystemClock
from filterd.errors import GuardError
from filterd.feeds import guard, packing
from filterd.feeds.folders import FolderFetcher
from filterd.feeds.roles import is_ordered
from filterd.feeds.syncing import Became, Site
from filterd.lists.in_force import version_of
from filterd.publish.packaging import targets_of
from filterd.publish.signing import sign_orders
from filterd.sentences import say
from tests.support.asking import Asker, NoAnswerError
from tests.support.broken_versions import BROKEN, POPULAR, add
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.feed_candidates import GAMBLING, Following
from tests.support.publisher import Publisher
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.feeds.syncing import Outcome

    Change = Callable[[Path], None]

SAMPLE = (
    "a catalogue that was cut",
    "one field too many in the catalogue",
    "a version of tables that is not known",
    "an empty list",
    "zeros in place of a list",
    "a list of ten times as many names",
    "a byte order mark",
    "lines of Windows",
    "a list of UTF-16",
    "a line of 50 MB",
    "com as a rule",
    "google.com, as the publisher's own",
    "canaries gone from the list",
    "look-alikes of popular names",
)
OFFERED = tuple(BROKEN) if os.environ.get("FILTERD_FEED_CANDIDATES") == "all" else SAMPLE

BLOCKED = ("www.gambling7.example", "beneath.www.porn7.example", "porn.blocked.filterd.example")
OPEN = (
    "accounts.google.com",
    "google.com",
    "vnedu.vn",
    POPULAR[0],
    POPULAR[155],
    "www.other.example",
)
ADDRESS = "192.0.2.80"
PAUSE_S = 0.005
"""Between two questions, or they would take the time that everything else needs here."""


def answer(query: dns.message.Message) -> dns.message.Message:
    """Say of every name that it is there, as an upstream that filters nothing."""
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
            assert self._turn.wait_for(lambda: self._asked >= until, 30)
            wrong, self._wrong = self._wrong, []
        return wrong

    def stop(self) -> None:
        """Ask nothing more."""
        self._over.set()
        self.join()


@dataclass
class School:
    """A publisher, a site that follows it, the daemon that serves it, and who asks that."""

    making: Following
    publisher: Publisher
    site: Site
    index: Path
    pupil: Pupil

    def publish(self, change: Change | None = None) -> int:
        """Sign a version and publish it; return its number."""
        folder = self.making.prepare(change).folder
        (folder / "README.md").unlink()
        targets = targets_of(folder)
        ordered = [one for one in targets if is_ordered(one.name)]
        signers, now = self.publisher.signers, self.publisher.now
        version = self.publisher.snapshot.signed.version + 1
        orders = sign_orders(ordered, signers["orders"], version=version, now=now)
        files = [one for one in targets if not is_ordered(one.name)]
        how: dict[str, Any] = {"now": now, "orders": orders, "ordered": ordered}
        return self.publisher.repository.publish(files, signers, **how)

    def sync(self) -> Outcome:
        """Take what is published, if it is good."""
        with self.site.holding():
            fetcher = FolderFetcher(self.publisher.folder, SystemClock())
            return self.site.sync(fetcher, at_once=True)

    @property
    def in_force(self) -> int:
        """The version in force, by the pointer and by the lists, which must be of one mind."""
        current = self.site.versions.in_force().current
        assert current is not None
        assert version_of(self.index) == current
        return current


@contextlib.contextmanager
def a_school(folder: Path) -> Iterator[School]:
    """Have a school whose first version of the feed is in force, and which is asking."""
    making = folder / "making"
    making.mkdir()
    port, clock = free_port(), SystemClock()
    publisher = Publisher(folder / "public", now=clock.wall())
    with FakeUpstream(respond=answer) as upstream:
        config = write_site(folder / "site", port=port, upstream=upstream.port)
        state = build_lists(config, folder / "state")
        with serving(config, state.folder) as served:
            site = Site(config, served.state, clock, ControlDaemon(served.state.control_socket))
            site.trust.establish(publisher.root)
            pupil = Pupil(port)
            school = School(Following(making, POPULAR), publisher, site, state.index, pupil)
            school.publish()
            assert school.sync().became is Became.ACTIVATED
            pupil.start()
            try:
                yield school
            finally:
                pupil.stop()


@pytest.fixture(scope="module", autouse=True)
def _no_waiting() -> Iterator[None]:
    """What a power cut leaves is asked elsewhere, and nobody downloads what is packed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(packing, "_FULL_LEVELS", (1, *packing._FULL_LEVELS))
        yield


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with a_school(tmp_path_factory.mktemp("school")) as made:
        yield made


@pytest.mark.parametrize("broken", OFFERED)
def test_a_broken_version_is_not_activated_and_nobody_notices(school: School, broken: str) -> None:
    before = school.in_force
    version = school.publish(BROKEN[broken])
    with pytest.raises(GuardError, match=rf"^version {version} of the feed is (held|refused): "):
        school.sync()
    assert school.in_force == before
    standing = school.site.standing.read()
    assert standing.judgement is not None
    assert standing.judgement["version"] == version
    assert str(version) in standing.problem
    assert school.pupil.wrong_answers() == []


def test_the_next_honest_version_comes_as_if_nothing_had_been(school: School) -> None:
    school.publish(BROKEN["a list of UTF-16"])
    with pytest.raises(GuardError):
        school.sync()
    version = school.publish(add(GAMBLING, "www.new-tonight.example"))
    assert school.sync().version == version == school.in_force
    assert school.pupil.wrong_answers() == []
    assert school.site.standing.read().problem == ""


def test_control_without_the_guard_a_broken_version_comes_and_is_noticed(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = guard.judge

    def lenient(*words: Any, **how: Any) -> guard.Judgement:
        return replace(judge(*words, **how), findings=())

    monkeypatch.setattr(guard, "judge", lenient)
    before = school.in_force
    version = school.publish(BROKEN["popular names"])
    assert school.sync().version == version == school.in_force
    assert any(one.startswith(POPULAR[155]) for one in school.pupil.wrong_answers())
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="control")) == before
    school.pupil.wrong_answers()  # it has asked while that went
    assert school.pupil.wrong_answers() == []
