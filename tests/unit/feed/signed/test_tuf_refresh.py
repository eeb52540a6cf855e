# SPDX-License-Identifier: Apache-2.0
"""One run; ``tests/e2e/test_feed_attacks`` and ``test_feed_safeguards`` have the hostile ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tuf.api.metadata import DelegatedRole
from tuf.ngclient import Updater

from filterd.base.errors import (
    FilterdError,
    MetadataFormatError,
    NoTrustError,
    StoreError,
)
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.signed.tuf_refresh import look, refresh
from filterd.version import RELEASED_AT
from tests.support.publisher import DAY_S, NOW, Publisher, Site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("a.example", urgent=True)
    return publisher


@pytest.fixture
def site(tmp_path: Path, publisher: Publisher) -> Site:
    return Site(tmp_path / "site", publisher.root)


def test_a_run_returns_all_that_is_signed(site: Site, publisher: Publisher) -> None:
    verified = site.refresh(publisher.folder)
    assert (verified.publication.version, verified.urgent) == ("2", 2)
    assert [file.path for file in verified.publication.files] == ["lists/a.txt"]
    assert (verified.issued_at, verified.expires_at) == (NOW, NOW + 30 * DAY_S)
    assert verified.clock_known


def test_a_run_that_finds_nothing_new_changes_nothing(site: Site, publisher: Publisher) -> None:
    site.refresh(publisher.folder)
    before = site.kept()
    written = (site.trust.metadata / "timestamp.json").stat().st_mtime_ns
    assert site.refresh(publisher.folder).publication.version == "2"
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


def test_a_site_without_a_root_asks_no_server(tmp_path: Path, publisher: Publisher) -> None:
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


def test_a_disk_that_fails_within_tuf_is_reported_in_one_line(
    site: Site, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Updater, "_persist_metadata", full)
    with pytest.raises(StoreError, match="cannot be saved: No space left on device"):
        site.refresh(publisher.folder)
    assert site.kept() == {"root.json": publisher.root}
