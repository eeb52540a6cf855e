# SPDX-License-Identifier: Apache-2.0
"""Versions arrive by a folder and by a signed feed; all are judged, kept and left alike."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import (
    ForeignContentError,
    GuardError,
    NoTrustError,
    RollbackError,
    SignatureError,
)
from filterd.config.lists_build import build_lists
from filterd.feed import guard, schedule
from filterd.feed.guard.judgement import CHECKS, found
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.signed.version_download import Taken
from filterd.feed.standing import Event, overview
from filterd.feed.sync import Became
from filterd.feed.version_files import is_of, publication_of, write_manifest
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists, version_of
from filterd.texts.i18n import say
from tests.support.feed_folders import write_blocklists
from tests.support.feed_site import Follower, Published
from tests.support.publisher import NOW, Publisher, Server, Site, make_signers, send, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from filterd.feed.guard import Judgement
    from filterd.feed.signed.arrival import Moment, Progress
    from filterd.feed.sync import Outcome
    from filterd.feed.versions import Candidate, Versions
    from filterd.texts.i18n import Sentence


class FolderOffer:
    """A folder that is offered as a version."""

    in_rings, remarks, retry_after_s = True, (), 0.0

    def __init__(self, folder: Path, version: str, now: float) -> None:
        self._folder, self._publication = folder, publication_of(folder, version)
        self.version, self.urgent, self.clock_known = version, 0, True
        self.issued_at, self.expires_at = now, now + 86_400.0

    def is_in(self, folder: Path) -> bool:
        return is_of(folder, self._publication)

    def take(self, versions: Versions, progress: Progress) -> Taken:
        folder = versions.folder_of(self.version)
        shutil.rmtree(folder, ignore_errors=True)
        partial = versions.partial_of(self.version)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(self._folder, partial)
        write_manifest(partial, self._publication)
        progress(self._publication.octets, self._publication.octets)
        return Taken(versions.finish(self.version), self._publication.octets)

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        del judgement, now
        return None


class FolderArrival:
    """Offers one folder."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder, self._version = folder, version

    def refresh(self, moment: Moment) -> FolderOffer:
        return FolderOffer(self._folder, self._version, moment.now)

    def urgent(self) -> int:
        return 0


MONDAY, TUESDAY = "followed-20261123", "followed-20261124"


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follower:
    """Have a site whose guard compiles, and holds a version that lists a popular name."""

    def judge(candidate: Candidate, _: Any, site: guard.JudgedSchool, **__: Any) -> guard.Judgement:
        folder = Blocklists(candidate.folder, candidate.version)
        build_lists(None, folder, site.fresh_index, now=0.0)
        digest = Index.open(site.fresh_index).digest.hex()
        text = (candidate.folder / "lists" / "gambling.txt").read_text(encoding="ascii")
        finding = found("popular", guard.Severity.HELD, say("it lists a popular name"))
        findings = (finding,) if "popular" in text else ()
        return guard.Judgement(candidate.version, findings, digest, CHECKS, seconds=1.0)

    monkeypatch.setattr(guard, "judge", judge)
    made = Follower(tmp_path / "school", Published(tmp_path / "published", count=0))
    made.found()
    return made


def take(school: Follower, folder: Path, version: str, *names: str) -> Outcome:
    content = folder / version
    if not content.exists():
        write_blocklists(content, *names)
    site = school.site
    with site.holding():
        return site.sync(FolderArrival(content, version), at_once=True)


def test_its_id_may_have_letters_and_stands_everywhere(school: Follower, tmp_path: Path) -> None:
    outcome = take(school, tmp_path, MONDAY, "monday.example")
    assert (outcome.became, outcome.version) == (Became.ACTIVATED, MONDAY)
    assert version_of(school.state.index) == MONDAY
    assert school.state.feed_version(MONDAY).is_dir()
    standing = overview("https://feed.example/", school.state, school.clock)
    assert (standing["in_force"], standing["served"], standing["published"]) == (
        MONDAY,
        MONDAY,
        MONDAY,
    )
    assert [(line.event, line.version) for line in school.site.history.lines()] == [
        (Event.ACTIVATED, MONDAY)
    ]
    assert take(school, tmp_path, MONDAY, "monday.example").became is Became.CURRENT


def test_one_that_is_left_is_never_taken_again(school: Follower, tmp_path: Path) -> None:
    take(school, tmp_path, MONDAY, "monday.example")
    take(school, tmp_path, TUESDAY, "tuesday.example")
    site = school.site
    with site.holding():
        assert site.roll_back(say("{why}", why="a test")) == MONDAY
    assert version_of(school.state.index) == MONDAY
    with pytest.raises(GuardError, match=f"version {TUESDAY} of the feed was refused"):
        take(school, tmp_path, TUESDAY, "tuesday.example")


def test_one_that_the_guard_holds_waits_for_an_administrator(
    school: Follower, tmp_path: Path
) -> None:
    take(school, tmp_path, MONDAY, "monday.example")
    with pytest.raises(GuardError, match="it lists a popular name"):
        take(school, tmp_path, TUESDAY, "popular.example")
    assert version_of(school.state.index) == MONDAY
    site = school.site
    with site.holding():
        site.approve(TUESDAY, "meant so")
    assert version_of(school.state.index) == TUESDAY


def test_control_without_the_guard_what_it_would_hold_is_in_force(
    school: Follower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard.Judgement, "may_come_in_force", lambda *_, **__: True)
    take(school, tmp_path, TUESDAY, "popular.example")
    assert version_of(school.state.index) == TUESDAY


def test_a_folder_that_was_damaged_is_taken_anew(school: Follower, tmp_path: Path) -> None:
    take(school, tmp_path, MONDAY, "monday.example")
    (school.state.feed_version(MONDAY) / "pins.yaml").write_bytes(b"pins: []\n")
    assert take(school, tmp_path, MONDAY, "monday.example").became is Became.ACTIVATED


def test_the_last_three_are_kept(school: Follower, tmp_path: Path) -> None:
    for day in range(20, 25):
        take(school, tmp_path, f"followed-202611{day}", f"day{day}.example")
    kept = sorted(path.name for path in (school.state.feed / "versions").iterdir())
    assert kept == [f"followed-202611{day}" for day in (22, 23, 24)]


TIMESTAMP = "/metadata/timestamp.json"
STARTED = schedule.Now(1_000.0, NOW)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("a.example")
    return publisher


@pytest.fixture
def server(publisher: Publisher) -> Iterator[Server]:
    """Serve the folder; the timestamp's mark is its version, as ``tag`` writes it."""
    with served(publisher.folder) as running:
        running.answers[TIMESTAMP] = with_marks(publisher)
        yield running


@pytest.fixture
def site(tmp_path: Path, publisher: Publisher) -> Site:
    site = Site(tmp_path / "site", publisher.root)
    site.refresh(publisher.folder)
    return site


def with_marks(publisher: Publisher, mark: str = '"v{}"') -> Any:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = (publisher.metadata / "timestamp.json").read_bytes()
        etag = mark.format(publisher.timestamp.signed.version)
        if handler.headers.get("If-None-Match") == etag:
            send(handler, b"", status=304)
        else:
            send(handler, content, kind="application/json", ETag=etag)

    return answer


def checked(site: Site, server: Server) -> int:
    return TufArrival(site.trust, WebFetcher(server.url, site.clock)).urgent()


def marks_sent(server: Server) -> list[str]:
    return [headers.get("If-None-Match", "") for path, headers in server.asked if path == TIMESTAMP]


def after(site: Site, server: Server, handled: int) -> schedule.ScheduleState:
    standing = schedule.ScheduleState(0.0, NOW, handled=handled)
    return schedule.after_check(standing, checked(site, server), STARTED)


def work(standing: schedule.ScheduleState) -> schedule.ScheduledWork:
    place = schedule.Place(0.5, 0.5, 0.5)
    return schedule.next_step(place, schedule.Night("Asia/Ho_Chi_Minh"), standing, STARTED)


def test_something_urgent_has_a_run_at_once(
    site: Site, server: Server, publisher: Publisher
) -> None:
    publisher.publish("b.example", urgent=True)
    assert work(after(site, server, 2)) == (schedule.Work.RUN, STARTED.monotonic)


def test_something_merely_newer_waits_for_its_slot(
    site: Site, server: Server, publisher: Publisher
) -> None:
    publisher.publish("b.example")
    assert checked(site, server) == 0
    assert work(after(site, server, 2)).work is schedule.Work.CHECK


def test_an_urgent_version_is_not_missed_under_one_that_is_not(
    site: Site, server: Server, publisher: Publisher
) -> None:
    publisher.publish("b.example", urgent=True)
    publisher.publish("c.example")
    assert checked(site, server) == 3
    assert work(after(site, server, 2)).work is schedule.Work.RUN


def test_unsigned_urgency_causes_no_run(site: Site, server: Server, publisher: Publisher) -> None:
    stranger = make_signers()["timestamp"]
    publisher.forge_timestamp(
        lambda one: one.unrecognized_fields.__setitem__("urgent", 99), stranger
    )
    with pytest.raises(SignatureError):
        checked(site, server)


def test_an_older_timestamp_has_no_effect(site: Site, server: Server, publisher: Publisher) -> None:
    old = (publisher.metadata / "timestamp.json").read_bytes()
    publisher.publish("b.example", urgent=True)
    site.refresh(publisher.folder)
    publisher.put("timestamp.json", old)
    with pytest.raises(RollbackError):
        checked(site, server)


def test_the_second_check_brings_no_octet_of_the_file(site: Site, server: Server) -> None:
    first = checked(site, server)
    assert checked(site, server) == first
    assert marks_sent(server) == ["", '"v2"']


def test_a_new_timestamp_comes_whole_whatever_mark_is_known(
    site: Site, server: Server, publisher: Publisher
) -> None:
    checked(site, server)
    publisher.publish("b.example", urgent=True)
    assert checked(site, server) == 3


def test_a_mark_ends_with_the_next_run_that_finds_something(
    site: Site, server: Server, publisher: Publisher
) -> None:
    checked(site, server)
    publisher.publish("b.example")
    site.refresh(publisher.folder)
    checked(site, server)
    assert marks_sent(server) == ["", ""]


def test_a_run_sends_the_server_no_mark(site: Site, server: Server) -> None:
    checked(site, server)
    site.refresh(server.url)
    assert marks_sent(server) == ["", ""]


def test_a_mark_ends_with_the_address(site: Site, server: Server) -> None:
    checked(site, server)
    server.answers["/x" + TIMESTAMP] = server.answers[TIMESTAMP]
    TufArrival(site.trust, WebFetcher(f"{server.url}x/", site.clock)).urgent()
    assert [headers.get("If-None-Match") for _, headers in server.asked] == [None, None]


def test_a_mark_ends_with_the_root(tmp_path: Path, site: Site, server: Server) -> None:
    checked(site, server)
    other = Publisher(tmp_path / "other")
    site.trust.establish(other.root, replace=True)
    with pytest.raises(SignatureError):
        checked(site, server)
    assert marks_sent(server) == ["", ""]


@pytest.mark.parametrize("mark", ["v{}", '"{}' + "x" * 64 + '"', '"{} "', '""'])
def test_a_mark_that_is_none_or_long_is_not_sent_back(
    site: Site, server: Server, publisher: Publisher, mark: str
) -> None:
    server.answers[TIMESTAMP] = with_marks(publisher, mark)
    checked(site, server)
    checked(site, server)
    assert marks_sent(server) == ["", ""]


def test_an_unasked_304_is_no_answer(site: Site, server: Server) -> None:
    server.answers[TIMESTAMP] = lambda handler: send(handler, b"", status=304)
    with pytest.raises(Exception, match="status 304"):
        checked(site, server)


def test_what_an_earlier_release_has_seen_counts(site: Site, server: Server) -> None:
    first, path = checked(site, server), site.folder / "last-check.json"
    basis = json.loads(path.read_bytes().splitlines()[2])["basis"]
    path.write_text(f'{{"basis": "{basis}", "version": 2, "urgent": 0, "etag": "\\"v2\\""}}')
    assert checked(site, server) == first
    assert marks_sent(server) == ["", '"v2"']


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"basis": 1}', b"[" * 900, b'{"basis": "", "version": 1}']
)
def test_what_was_kept_and_is_damaged_costs_a_file(
    site: Site, server: Server, damage: bytes
) -> None:
    first = checked(site, server)
    (site.folder / "last-check.json").write_bytes(damage)
    assert checked(site, server) == first
    assert marks_sent(server) == ["", ""]


def test_a_disk_that_keeps_nothing_does_not_stop_the_check(
    site: Site, server: Server, publisher: Publisher
) -> None:
    (site.folder / "last-check.json").mkdir()
    publisher.publish("b.example", urgent=True)
    assert checked(site, server) == 3


def test_a_check_that_finds_the_same_writes_nothing(site: Site, publisher: Publisher) -> None:
    path = site.folder / "last-check.json"
    TufArrival(site.trust, FolderFetcher(publisher.folder, site.clock)).urgent()
    before = path.stat()
    TufArrival(site.trust, FolderFetcher(publisher.folder, site.clock)).urgent()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_page_of_a_captive_portal_is_no_news(site: Site, server: Server) -> None:
    server.answers[""] = lambda handler: send(handler, b"<html>", kind="text/html")
    del server.answers[TIMESTAMP]
    with pytest.raises(ForeignContentError):
        checked(site, server)
    assert not (site.folder / "last-check.json").exists()


def test_without_a_root_no_server_is_asked(tmp_path: Path, server: Server, site: Site) -> None:
    with pytest.raises(NoTrustError):
        TufArrival(TrustFolder(tmp_path / "new"), WebFetcher(server.url, site.clock)).urgent()
    assert server.asked == []


def test_the_request_names_no_school(site: Site, server: Server) -> None:
    checked(site, server)
    _, headers = server.asked[0]
    assert headers["User-Agent"] == "filterd"
    assert set(headers) <= {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
