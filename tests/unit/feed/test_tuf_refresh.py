# SPDX-License-Identifier: Apache-2.0
"""One run; ``tests/e2e/test_feed_attacks`` and ``test_feed_safeguards`` have the hostile ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.metadata import DelegatedRole
from tuf.ngclient import Updater

from filterd.errors import (
    FilterdError,
    ForeignContentError,
    MetadataFormatError,
    NoTrustError,
    RollbackError,
    SignatureError,
    StoreError,
)
from filterd.feed import schedule
from filterd.feed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.trust import TrustFolder
from filterd.feed.tuf_refresh import Announcement, Moment, check, look, refresh
from filterd.version import RELEASED_AT
from tests.support.publisher import DAY_S, NOW, Publisher, Server, Site, make_signers, send, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("a.example", urgent=True)
    return publisher


@pytest.fixture
def site(tmp_path: Path, publisher: Publisher) -> Site:
    return Site(tmp_path / "site", publisher.root)


def test_a_run_tells_all_that_is_signed(site: Site, publisher: Publisher) -> None:
    verified = site.refresh(publisher.folder)
    assert verified.publication.version == verified.urgent == 2
    assert [file.path for file in verified.publication.files] == ["lists/a.txt"]
    assert (verified.issued_at, verified.expires_at) == (NOW, NOW + 30 * DAY_S)
    assert verified.clock_known


def test_a_run_that_finds_nothing_new_changes_nothing(site: Site, publisher: Publisher) -> None:
    site.refresh(publisher.folder)
    before = site.kept()
    written = (site.trust.metadata / "timestamp.json").stat().st_mtime_ns
    assert site.refresh(publisher.folder).publication.version == 2
    assert site.kept() == before
    assert (site.trust.metadata / "timestamp.json").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("now", "floor", "known"),
    [
        (RELEASED_AT - 1, 0.0, False),
        (NOW - 1, 0.0, False),  # a publication was signed later than that
        (NOW, 0.0, True),
        (NOW, NOW + 1, False),
        (NOW + 1, NOW + 1, True),
    ],
)
def test_a_clock_is_known_from_the_latest_time_that_is_certain(
    site: Site, publisher: Publisher, now: float, floor: float, known: bool
) -> None:
    site.refresh(publisher.folder)
    fetcher = FolderFetcher(publisher.folder, site.clock)
    assert refresh(site.trust, fetcher, Moment(now, floor)).clock_known is known


def test_a_publisher_with_a_wild_clock_does_not_move_the_floor(
    site: Site, publisher: Publisher
) -> None:
    publisher.publish("b.example", now=NOW + 30 * 365 * DAY_S)
    site.refresh(publisher.folder)
    assert site.refresh(publisher.folder).clock_known


@pytest.mark.parametrize("value", ["9", -1, True, None, [1], 2**70])
def test_numbers_of_the_timestamp_that_are_none_are_refused(
    site: Site, publisher: Publisher, value: object
) -> None:
    publisher.forge_timestamp(lambda one: one.unrecognized_fields.__setitem__("urgent", value))
    if value == 2**70:
        assert site.refresh(publisher.folder).urgent == value
        return
    with pytest.raises(MetadataFormatError, match="`urgent` is not a number"):
        site.refresh(publisher.folder)
    with pytest.raises(MetadataFormatError, match="`urgent` is not a number"):
        look(site.trust, FolderFetcher(publisher.folder, site.clock))


def test_a_site_without_a_root_asks_nobody(tmp_path: Path, publisher: Publisher) -> None:
    fetcher = FolderFetcher(tmp_path / "none", Site(tmp_path / "s", publisher.root).clock)
    for work in (lambda trust: refresh(trust, fetcher, Moment(NOW)), lambda t: look(t, fetcher)):
        with pytest.raises(NoTrustError):
            work(TrustFolder(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_feed_without_orders_is_one_too(site: Site, publisher: Publisher) -> None:
    def without(targets: object) -> None:
        targets.delegations = None  # type: ignore[attr-defined]

    publisher.forge_targets(without)
    assert site.take(publisher.folder) == {"lists/a.txt": b"a.example"}


def test_orders_are_verified_though_another_role_stands_before_them(
    site: Site, publisher: Publisher
) -> None:
    """What is kept of an older run must not stand for what the snapshot names."""
    site.refresh(publisher.folder)
    shadow = DelegatedRole("shadow", [], 1, terminating=True, paths=["orders/*"])

    def change(targets: object) -> None:
        roles = targets.delegations.roles  # type: ignore[attr-defined]
        targets.delegations.roles = {"shadow": shadow, **roles}  # type: ignore[attr-defined]

    publisher.forge_targets(change)
    with pytest.raises(FilterdError):
        site.refresh(publisher.folder)


def test_a_disk_that_fails_within_tuf_is_told_in_one_line(
    site: Site, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Updater, "_persist_metadata", full)
    with pytest.raises(StoreError, match="cannot be kept: No space left on device"):
        site.refresh(publisher.folder)
    assert site.kept() == {"root.json": publisher.root}


TIMESTAMP = "/metadata/timestamp.json"
STARTED = schedule.Now(1_000.0, NOW)


@pytest.fixture
def marked_publisher(tmp_path: Path) -> Publisher:
    marked_publisher = Publisher(tmp_path / "www")
    marked_publisher.publish("a.example")
    return marked_publisher


@pytest.fixture
def server(marked_publisher: Publisher) -> Iterator[Server]:
    """Serve the folder; the timestamp's mark is its version, as ``tag`` writes it."""
    with served(marked_publisher.folder) as running:
        running.answers[TIMESTAMP] = with_marks(marked_publisher)
        yield running


@pytest.fixture
def checked_site(tmp_path: Path, marked_publisher: Publisher) -> Site:
    checked_site = Site(tmp_path / "site", marked_publisher.root)
    checked_site.refresh(marked_publisher.folder)
    return checked_site


def with_marks(marked_publisher: Publisher, mark: str = '"v{}"') -> Any:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = (marked_publisher.metadata / "timestamp.json").read_bytes()
        etag = mark.format(marked_publisher.timestamp.signed.version)
        if handler.headers.get("If-None-Match") == etag:
            send(handler, b"", status=304)
        else:
            send(handler, content, kind="application/json", ETag=etag)

    return answer


def checked(checked_site: Site, server: Server) -> Announcement:
    return check(checked_site.trust, WebFetcher(server.url, checked_site.clock))


def marks_sent(server: Server) -> list[str]:
    return [headers.get("If-None-Match", "") for path, headers in server.asked if path == TIMESTAMP]


def after(checked_site: Site, server: Server, handled: int) -> schedule.Standing:
    standing = schedule.Standing(0.0, NOW, handled=handled)
    return schedule.after_check(standing, checked(checked_site, server).urgent, STARTED)


def work(standing: schedule.Standing) -> schedule.Step:
    place = schedule.Place(0.5, 0.5, 0.5)
    return schedule.next_step(place, schedule.Night("Asia/Ho_Chi_Minh"), standing, STARTED)


def test_something_urgent_has_a_run_at_once(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    marked_publisher.publish("b.example", urgent=True)
    assert work(after(checked_site, server, 2)) == (schedule.Work.RUN, STARTED.monotonic)


def test_something_merely_newer_waits_for_its_slot(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    marked_publisher.publish("b.example")
    assert checked(checked_site, server).version == 3
    assert work(after(checked_site, server, 2)).work is schedule.Work.CHECK


def test_an_urgent_version_is_not_missed_under_one_that_is_not(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    marked_publisher.publish("b.example", urgent=True)
    marked_publisher.publish("c.example")
    assert checked(checked_site, server).urgent == 3
    assert work(after(checked_site, server, 2)).work is schedule.Work.RUN


def test_urgency_that_nobody_signed_has_no_run(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    stranger = make_signers()["timestamp"]
    marked_publisher.forge_timestamp(
        lambda one: one.unrecognized_fields.__setitem__("urgent", 99), stranger
    )
    with pytest.raises(SignatureError):
        checked(checked_site, server)


def test_an_older_timestamp_says_nothing(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    old = (marked_publisher.metadata / "timestamp.json").read_bytes()
    marked_publisher.publish("b.example", urgent=True)
    checked_site.refresh(marked_publisher.folder)
    marked_publisher.put("timestamp.json", old)
    with pytest.raises(RollbackError):
        checked(checked_site, server)


def test_the_second_check_brings_no_octet_of_the_file(checked_site: Site, server: Server) -> None:
    first = checked(checked_site, server)
    assert checked(checked_site, server) == first
    assert marks_sent(server) == ["", '"v2"']


def test_a_new_timestamp_comes_whole_whatever_mark_is_known(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    checked(checked_site, server)
    marked_publisher.publish("b.example", urgent=True)
    assert checked(checked_site, server) == Announcement(3, 3, '"v3"')


def test_a_mark_ends_with_the_next_run_that_finds_something(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    checked(checked_site, server)
    marked_publisher.publish("b.example")
    checked_site.refresh(marked_publisher.folder)
    checked(checked_site, server)
    assert marks_sent(server) == ["", ""]


def test_a_run_tells_the_server_no_mark(checked_site: Site, server: Server) -> None:
    checked(checked_site, server)
    checked_site.refresh(server.url)
    assert marks_sent(server) == ["", ""]


def test_a_mark_ends_with_the_address(checked_site: Site, server: Server) -> None:
    checked(checked_site, server)
    server.answers["/x" + TIMESTAMP] = server.answers[TIMESTAMP]
    check(checked_site.trust, WebFetcher(f"{server.url}x/", checked_site.clock))
    assert [headers.get("If-None-Match") for _, headers in server.asked] == [None, None]


def test_a_mark_ends_with_the_root(tmp_path: Path, checked_site: Site, server: Server) -> None:
    checked(checked_site, server)
    other = Publisher(tmp_path / "other")
    checked_site.trust.establish(other.root, replace=True)
    with pytest.raises(SignatureError):
        checked(checked_site, server)
    assert marks_sent(server) == ["", ""]


@pytest.mark.parametrize("mark", ["v{}", '"{}' + "x" * 64 + '"', '"{} "', '""'])
def test_a_mark_that_is_none_or_long_is_not_sent_back(
    checked_site: Site, server: Server, marked_publisher: Publisher, mark: str
) -> None:
    server.answers[TIMESTAMP] = with_marks(marked_publisher, mark)
    checked(checked_site, server)
    checked(checked_site, server)
    assert marks_sent(server) == ["", ""]


def test_an_unasked_304_is_no_answer(checked_site: Site, server: Server) -> None:
    server.answers[TIMESTAMP] = lambda handler: send(handler, b"", status=304)
    with pytest.raises(Exception, match="status 304"):
        checked(checked_site, server)


def test_what_an_earlier_release_has_seen_counts(checked_site: Site, server: Server) -> None:
    first, path = checked(checked_site, server), checked_site.folder / "last-check.json"
    basis = json.loads(path.read_bytes().splitlines()[2])["basis"]
    path.write_text(f'{{"basis": "{basis}", "version": 2, "urgent": 0, "etag": "\\"v2\\""}}')
    assert checked(checked_site, server) == first
    assert marks_sent(server) == ["", '"v2"']


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"basis": 1}', b"[" * 900, b'{"basis": "", "version": 1}']
)
def test_what_was_kept_and_is_damaged_costs_a_file(
    checked_site: Site, server: Server, damage: bytes
) -> None:
    first = checked(checked_site, server)
    (checked_site.folder / "last-check.json").write_bytes(damage)
    assert checked(checked_site, server) == first
    assert marks_sent(server) == ["", ""]


def test_a_disk_that_keeps_nothing_does_not_stop_the_check(
    checked_site: Site, server: Server, marked_publisher: Publisher
) -> None:
    (checked_site.folder / "last-check.json").mkdir()
    marked_publisher.publish("b.example", urgent=True)
    assert checked(checked_site, server).urgent == 3


def test_a_check_that_finds_the_same_writes_nothing(
    checked_site: Site, marked_publisher: Publisher
) -> None:
    path = checked_site.folder / "last-check.json"
    check(
        checked_site.trust,
        FolderFetcher(marked_publisher.folder, checked_site.clock),
    )
    before = path.stat()
    check(
        checked_site.trust,
        FolderFetcher(marked_publisher.folder, checked_site.clock),
    )
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_page_of_a_captive_portal_is_no_news(checked_site: Site, server: Server) -> None:
    server.answers[""] = lambda handler: send(handler, b"<html>", kind="text/html")
    del server.answers[TIMESTAMP]
    with pytest.raises(ForeignContentError):
        checked(checked_site, server)
    assert not (checked_site.folder / "last-check.json").exists()


def test_without_a_root_nobody_is_asked(tmp_path: Path, server: Server, checked_site: Site) -> None:
    with pytest.raises(NoTrustError):
        check(TrustFolder(tmp_path / "new"), WebFetcher(server.url, checked_site.clock))
    assert server.asked == []


def test_the_request_names_no_school(checked_site: Site, server: Server) -> None:
    checked(checked_site, server)
    _, headers = server.asked[0]
    assert headers["User-Agent"] == "filterd"
    assert set(headers) <= {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
