# SPDX-License-Identifier: Apache-2.0
"""A site finds a whole publication, old or new, after any kill."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import FeedError
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.signed.tuf_refresh import look
from filterd.publish.parcels import make_parcel
from filterd.publish.repository import Repository
from tests.support.dying import killed_after
from tests.support.publisher import DAY_S, NOW, Publisher, Site, a_file

if TYPE_CHECKING:
    from pathlib import Path


OLD, NEW = {"lists/a.txt": b"old.example"}, {"lists/a.txt": b"new.example"}


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("old.example")
    return publisher


def site(publisher: Publisher, name: str = "site") -> Site:
    return Site(publisher.folder.parent / name, publisher.root)


def test_wherever_a_publication_is_killed_readers_find_a_whole_and_it_can_be_repeated(
    publisher: Publisher,
) -> None:
    killed, files = True, 0
    while killed:
        folder = shutil.copytree(publisher.folder, publisher.folder.parent / f"www {files}")
        copy = Publisher(folder, signers=publisher.signers)
        reader = site(copy, f"site {files}")
        reader.take(publisher.folder)
        killed = killed_after(files, lambda copy=copy: copy.publish("new.example"))  # type: ignore[misc]
        assert reader.take(folder) == (OLD if killed else NEW)
        assert site(copy, f"new {files}").take(folder) == (OLD if killed else NEW)
        copy.publish("new.example")
        assert reader.take(folder) == NEW
        files += 1
    assert files == 5  # killed before the list, targets, snapshot, timestamp; and not at all


def test_what_was_urgent_last_stays_announced(publisher: Publisher) -> None:
    reader = site(publisher)

    def seen() -> tuple[int, int]:
        announced = look(reader.trust, FolderFetcher(publisher.folder, reader.clock))
        assert announced is not None
        return announced.version, announced.urgent

    assert seen() == (2, 0)
    publisher.publish("new.example", urgent=True)
    assert seen() == (3, 3)
    publisher.publish("other.example")
    assert seen() == (4, 3)
    publisher.repository.renew(publisher.signers, now=NOW)
    assert seen() == (5, 3)
    publisher.repository.renew(publisher.signers, now=NOW, urgent=True)
    assert seen() == (6, 6)


def test_a_version_is_renewed_before_it_expires(publisher: Publisher) -> None:
    reader, later = site(publisher), NOW + 60 * DAY_S
    reader.clock.advance(60 * DAY_S)
    with pytest.raises(FeedError, match="expired"):
        reader.take(publisher.folder)
    publisher.repository.renew(publisher.signers, now=later)
    assert reader.take(publisher.folder) == OLD


def test_lists_of_the_law_are_published_as_their_own_key_signed_them(publisher: Publisher) -> None:
    ordered = [a_file("orders/1.txt", b"order.example")]
    orders = make_parcel("orders", ordered, publisher.signers["orders"], version=2, now=NOW)
    with pytest.raises(FeedError, match="the file is missing"):
        publisher.publish("new.example", parcels=[replace(orders, targets=())])
    publisher.publish("new.example", parcels=[orders])
    taken = {**NEW, "orders/1.txt": b"order.example"}
    assert site(publisher).take(publisher.folder) == taken
    publisher.publish("new.example")
    assert site(publisher).take(publisher.folder) == taken


def test_only_the_law_s_keys_sign_the_law_and_they_sign_nothing_else(publisher: Publisher) -> None:
    forged = make_parcel("orders", [], publisher.signers["targets"], version=2, now=NOW)
    with pytest.raises(FeedError, match="not signed by its key"):
        publisher.publish("new.example", parcels=[forged])
    file = a_file("lists/b.txt", b"b.example")
    foreign = make_parcel("orders", [file], publisher.signers["orders"], version=2, now=NOW)
    with pytest.raises(FeedError, match="may not name it"):
        publisher.publish("new.example", parcels=[foreign])
    again = make_parcel("orders", [], publisher.signers["orders"], version=1, now=NOW)
    with pytest.raises(FeedError, match="version 1 before"):
        publisher.publish("new.example", parcels=[again])
    with pytest.raises(FeedError, match="only the role orders"):
        publisher.repository.publish([a_file("orders/1.txt", b"x")], publisher.signers, now=NOW)
    assert site(publisher).take(publisher.folder) == OLD


def test_a_publication_is_not_begun_twice(publisher: Publisher) -> None:
    with pytest.raises(FeedError, match="already is a publication"):
        Repository(publisher.folder).create(publisher.signers, now=NOW)


def test_what_no_recent_snapshot_names_is_removed_and_nothing_else(publisher: Publisher) -> None:
    reader = site(publisher)
    reader.take(publisher.folder)
    slow = reader.refresh(publisher.folder)
    publisher.renew_root()
    for number in range(3):
        publisher.publish(f"{number}.example")
    assert publisher.repository.prune(keep=4) == 2  # snapshot and targets of the empty version 1
    assert slow.fetch("lists/a.txt.zst") == b"old.example"
    assert publisher.repository.prune(keep=1) == 9
    assert reader.take(publisher.folder) == {"lists/a.txt": b"2.example"}
    assert site(publisher, "new").take(publisher.folder) == {"lists/a.txt": b"2.example"}
    assert sorted(path.name for path in publisher.metadata.iterdir()) == [
        "1.orders.json",
        "1.program.json",
        "1.root.json",
        "2.root.json",
        "5.snapshot.json",
        "5.targets.json",
        "timestamp.json",
    ]
