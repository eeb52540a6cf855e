# SPDX-License-Identifier: Apache-2.0
"""The safeguards that filterd adds to TUF, each with its control."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Root, TargetFile

from filterd.base.errors import (
    ExpiredError,
    FeedError,
    ForeignContentError,
    MissingFileError,
    RedirectError,
    SignatureError,
    TooLargeError,
    TooSlowError,
)
from filterd.feed.signed import fetchers, tuf_refresh
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.signed.tuf_refresh import look
from filterd.http import http_download
from filterd.http.http_download import DownloadLimits, Pace
from tests.support import feed_attacks
from tests.support.feed_attacks import Stage, drip
from tests.support.publisher import (
    DAY_S,
    NOW,
    Publisher,
    Server,
    Site,
    expired,
    make_signers,
    send,
    served,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMESTAMP = "/metadata/timestamp.json"
ONE, TWO = {"lists/a.txt": b"one.example"}, {"lists/a.txt": b"two.example"}


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """What a power cut leaves is asked elsewhere; a killed process loses nothing by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("one.example")
    return publisher


@pytest.fixture
def server(publisher: Publisher) -> Iterator[Server]:
    with served(publisher.folder) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, publisher: Publisher) -> Site:
    return Site(tmp_path / "site", publisher.root)


def attack(name: str, publisher: Publisher, server: Server, site: Site) -> None:
    one = next(attack for attack in feed_attacks.ATTACKS if attack.name == name)
    one.do(Stage(publisher, server, site.clock))


@pytest.mark.parametrize("header", [False, True])
def test_control_without_our_pace_a_slow_drip_keeps_the_run_for_hours(
    publisher: Publisher,
    server: Server,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    header: bool,
) -> None:
    answer = drip(Stage(publisher, server, site.clock), header=header)
    server.answers[TIMESTAMP] = answer
    with pytest.raises(TooSlowError):
        site.take(server.url)
    watch = site.clock.monotonic
    monkeypatch.setattr(Pace, "count", lambda *_: watch())
    began = site.clock.wall()
    assert site.take(server.url) == ONE
    assert site.clock.wall() - began > 3_600


def test_a_run_of_many_files_ends_at_its_deadline_though_each_is_fast(
    server: Server, site: Site
) -> None:
    def five_minutes(handler: Any) -> None:
        site.clock.advance(300)
        server.hand_out(handler)

    server.answers[""] = five_minutes
    with pytest.raises(TooSlowError, match="within 900 s"):
        site.take(server.url, DownloadLimits(window_s=1_000))


def test_a_silent_server_is_left(server: Server, site: Site) -> None:
    hung_up = []

    def silence(handler: Any) -> None:
        hung_up.append(handler.rfile.read(1))  # until the other side closes

    server.answers[TIMESTAMP] = silence
    with pytest.raises(TooSlowError, match="sent nothing"):
        site.take(server.url, DownloadLimits(silence_s=0.05))


def test_control_without_our_bound_an_endless_answer_is_read_to_its_end(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    count = Pace.count

    def counted(pace: Pace, octets: int) -> None:
        nonlocal read
        read += octets
        count(pace, octets)

    monkeypatch.setattr(Pace, "count", counted)
    attack("15 endless metadata", publisher, server, site)
    with pytest.raises(TooLargeError):
        site.take(server.url)
    assert read < 1_000_000

    bounded = fetchers.Fetcher.download_bytes
    monkeypatch.setattr(
        fetchers.Fetcher, "download_bytes", lambda self, url, _: bounded(self, url, 10**12)
    )
    with pytest.raises(FeedError):
        site.take(server.url)
    assert read > feed_attacks.ENDLESS_OCTETS


def test_a_redirect_within_the_server_is_followed(server: Server, site: Site) -> None:
    server.answers[TIMESTAMP] = lambda handler: send(
        handler, b"", status=302, Location="/moved/timestamp.json"
    )
    server.answers["/moved/timestamp.json"] = lambda handler: send(
        handler, (server.folder / "metadata/timestamp.json").read_bytes()
    )
    assert site.take(server.url) == ONE


def test_control_without_our_rule_a_redirect_leads_to_another_server(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(publisher.folder) as other:
        server.answers[TIMESTAMP] = lambda handler: send(
            handler, b"", status=307, Location=f"{other.url}metadata/timestamp.json"
        )
        with pytest.raises(RedirectError):
            site.take(server.url)
        assert not other.asked
        monkeypatch.setattr(http_download, "_origin", lambda _: "anywhere")
        assert site.take(server.url) == ONE
        assert other.asked


def test_a_request_reveals_nothing_of_the_school(
    server: Server, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login school password 12345\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    server.answers["/metadata/2.root.json"] = lambda handler: send(
        handler, b"", status=404, Set_Cookie="id=1"
    )
    site.take(server.url)
    sent = {"Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"}
    assert {name for _, headers in server.asked for name in headers} == sent
    assert {headers["User-Agent"] for _, headers in server.asked} == {"filterd"}


def test_control_without_a_copy_a_timestamp_without_snapshot_stops_all_updates(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2025-2888 of tough: it was signed, it was kept, and nothing newer ever came."""
    site.take(server.url)
    honest = (publisher.metadata / "timestamp.json").read_bytes()
    attack("13 fast-forward to nothing", publisher, server, site)
    with pytest.raises(MissingFileError):
        site.take(server.url)
    forged = (publisher.metadata / "timestamp.json").read_bytes()
    publisher.put("timestamp.json", honest)
    publisher.publish("two.example")
    assert site.take(server.url) == TWO

    @contextlib.contextmanager
    def no_copy(trust: TrustFolder) -> Iterator[Path]:
        yield trust.metadata

    monkeypatch.setattr(TrustFolder, "working_copy", no_copy)
    honest = (publisher.metadata / "timestamp.json").read_bytes()
    publisher.put("timestamp.json", forged)
    with pytest.raises(MissingFileError):
        site.take(server.url)
    publisher.put("timestamp.json", honest)
    with pytest.raises(FeedError):
        site.take(server.url)


def test_control_without_keeping_roots_a_stolen_key_counts_again(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root that took the key out of use is remembered, though that run failed later."""
    stolen = publisher.signers["timestamp"]
    new = CryptoSigner.generate_ed25519()
    publisher.root_changes.rotate_key("timestamp", stolen[0], new, publisher.signers, now=NOW)

    def run_that_fails() -> None:
        server.answers[TIMESTAMP] = lambda handler: send(handler, b"", status=500)
        with pytest.raises(FeedError, match="500"):
            site.take(server.url)
        del server.answers[TIMESTAMP]

    def old_world_again() -> None:
        server.answers["/metadata/2.root.json"] = lambda handler: send(handler, b"", status=404)

    keep_roots = TrustFolder._keep_roots
    monkeypatch.setattr(TrustFolder, "_keep_roots", lambda *_: None)
    run_that_fails()
    old_world_again()
    publisher.forge_timestamp(lambda _: None, stolen)
    assert site.take(server.url) == ONE  # the control: forgotten, and the thief is believed

    monkeypatch.setattr(TrustFolder, "_keep_roots", keep_roots)
    server.answers.clear()
    run_that_fails()
    old_world_again()
    with pytest.raises(SignatureError, match="timestamp was signed by 0/1"):
        site.take(server.url)


def test_control_without_the_injected_time_a_freeze_is_not_seen(
    server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.take(server.url)
    with pytest.raises(ExpiredError):
        site.take(server.url, now=NOW + 31 * DAY_S)
    monkeypatch.setattr(tuf_refresh, "_floor", lambda *_: 1e12)  # no clock is ever known
    assert site.take(server.url, now=NOW + 31 * DAY_S) == ONE


@pytest.mark.parametrize("now", [0.0, NOW - 400 * DAY_S, -1e9])
def test_while_the_clock_is_unknown_expiry_is_not_judged_and_all_else_is(
    publisher: Publisher, server: Server, site: Site, now: float
) -> None:
    publisher.forge_timestamp(lambda one: setattr(one, "expires", expired("root", NOW)))
    with pytest.raises(ExpiredError):
        site.take(server.url)
    verified = site.refresh(server.url, now=now)
    assert not verified.clock_known
    assert verified.fetch("lists/a.txt.zst") == b"one.example"
    publisher.forge_timestamp(lambda _: None, make_signers()["timestamp"])
    with pytest.raises(SignatureError):
        site.take(server.url, now=now)


def test_what_was_taken_with_an_unknown_clock_is_judged_by_the_first_known_one(
    server: Server, site: Site
) -> None:
    assert not site.refresh(server.url, now=0).clock_known
    with pytest.raises(ExpiredError):
        site.refresh(server.url, now=NOW + 31 * DAY_S)
    assert site.refresh(server.url).clock_known


@pytest.mark.parametrize("days", [1, 20 * 365, 100 * 365])
def test_no_clock_ends_a_run_with_anything_but_an_answer_or_a_reason(
    server: Server, site: Site, days: int
) -> None:
    """A day later all is fresh; decades later, and past 2038, it is stale."""
    outcome = contextlib.nullcontext() if days == 1 else pytest.raises(ExpiredError)
    with outcome:
        site.take(server.url, now=NOW + days * DAY_S)


def test_control_without_our_rule_the_online_keys_make_law(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack("2 orders named online", publisher, server, site)
    with pytest.raises(SignatureError):
        site.take(server.url)
    monkeypatch.setattr(tuf_refresh, "check_names", lambda *_: None)
    assert site.take(server.url)["orders/x.txt"] == b"news.example"


def test_control_without_signatures_or_hashes_anything_goes(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.forge_timestamp(lambda _: None, make_signers()["timestamp"])
    stage = Stage(publisher, server, site.clock)
    server.answers[stage.target] = lambda handler: send(handler, b"bad.example")
    with pytest.raises(SignatureError):
        site.take(server.url)
    monkeypatch.setattr(Root, "verify_delegate", lambda *_: None)
    with pytest.raises(FeedError):
        site.take(server.url)
    monkeypatch.setattr(TargetFile, "verify_length_and_hashes", lambda *_: None)
    assert site.take(server.url) == {"lists/a.txt": b"bad.example"}


def test_a_fast_forward_is_recovered_from_by_changing_the_keys(
    publisher: Publisher, server: Server, site: Site
) -> None:
    """Stolen keys of timestamp and snapshot put the versions as high as they go."""
    site.take(server.url)
    honest = {path.name: path.read_bytes() for path in publisher.metadata.iterdir()}
    publisher.forge_snapshot(lambda one: setattr(one, "version", 2**31))
    publisher.forge_timestamp(lambda one: setattr(one, "version", 2**31))
    site.take(server.url)
    for path in publisher.metadata.iterdir():
        path.unlink() if path.name not in honest else path.write_bytes(honest[path.name])
    with pytest.raises(FeedError):
        site.take(server.url)

    for role in ("timestamp", "snapshot"):
        new = CryptoSigner.generate_ed25519()
        old = publisher.signers[role][0]
        publisher.root_changes.rotate_key(role, old, new, publisher.signers, now=NOW)
        publisher.signers[role] = [new]
    publisher.publish("two.example")
    assert site.take(server.url) == TWO


def test_a_site_at_the_first_root_reaches_the_third(
    publisher: Publisher, server: Server, site: Site
) -> None:
    """All root keys but one are exchanged, one by one; the site has seen none of it."""
    for number in (0, 1):
        old, new = publisher.signers["root"][number], CryptoSigner.generate_ed25519()
        others = [signer for signer in publisher.signers["root"] if signer is not old]
        publisher.root_changes.rotate_key(
            "root", old, new, {**publisher.signers, "root": others}, now=NOW
        )
        publisher.signers["root"][number] = new
    publisher.publish("two.example")
    assert site.take(server.url) == TWO
    assert site.trust.newest_root().version == 3
    assert Site(site.folder, publisher.root).take(server.url) == TWO


def test_no_run_follows_more_roots_than_are_allowed(
    publisher: Publisher, server: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tuf_refresh._ROTATIONS == 256
    monkeypatch.setattr(tuf_refresh, "_ROTATIONS", 8)
    root = publisher.newest_root
    for version in range(2, 14):
        root.signed.version = version
        publisher.put(f"{version}.root.json", publisher.sign("root", root))
    site.take(server.url)
    assert site.trust.newest_root().version == 9
    site.take(server.url)
    assert site.trust.newest_root().version == 13


def test_a_light_check_asks_for_one_file_and_writes_nothing(
    publisher: Publisher, server: Server, site: Site
) -> None:
    site.take(server.url)
    publisher.publish("two.example", urgent=True)
    publisher.publish("three.example")
    before, server.asked[:] = site.kept(), []
    seen = look(site.trust, WebFetcher(server.url, site.clock))
    assert seen is not None
    assert (seen.version, seen.urgent) == (4, 3)
    assert [path for path, _ in server.asked] == [TIMESTAMP]
    assert site.kept() == before


@pytest.mark.parametrize(
    "name", ["2 another key", "6 timestamp rollback", "20 signed, and no number"]
)
def test_a_light_check_refuses_what_a_run_refuses(
    publisher: Publisher, server: Server, site: Site, name: str
) -> None:
    first = (publisher.metadata / "timestamp.json").read_bytes()
    publisher.publish("two.example")
    site.take(server.url)
    one = next(attack for attack in feed_attacks.ATTACKS if attack.name == name)
    one.do(Stage(publisher, server, site.clock, first))
    with pytest.raises(one.refused):
        look(site.trust, WebFetcher(server.url, site.clock))


def test_a_folder_is_verified_as_a_server_is(publisher: Publisher, site: Site) -> None:
    assert site.take(publisher.folder) == ONE
    publisher.forge_timestamp(lambda _: None, make_signers()["timestamp"])
    with pytest.raises(SignatureError):
        site.take(publisher.folder)


def test_control_without_our_rule_a_link_in_a_folder_shows_other_files(
    publisher: Publisher, tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.json"
    (publisher.metadata / "timestamp.json").rename(secret)
    (publisher.metadata / "timestamp.json").symlink_to(secret)
    with pytest.raises(ForeignContentError, match="link"):
        site.take(publisher.folder)
    monkeypatch.setattr(
        FolderFetcher, "_open", lambda fetcher, name: (fetcher._folder / name).open("rb")
    )
    assert site.take(publisher.folder) == ONE
