# SPDX-License-Identifier: Apache-2.0
"""What a publication's folder holds, and whether a new appliance could take it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import DigestError, ExpiredError, FeedError, MissingFileError, StoreError
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.deltas import pack
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.publish.publication import Published, refuse_second, soon_expired, verify
from filterd.publish.signing import NewTarget
from tests.support.clock import FakeClock
from tests.support.feed_desk import files_of
from tests.support.packages_offered import Maker
from tests.support.publisher import DAY_S, NOW, Publisher

if TYPE_CHECKING:
    from pathlib import Path


OLD, NEW = {"a.txt": b"old.example\n", "b.txt": b"same.example\n"}, {"a.txt": b"new.example\n"}
ROLES = {"root", "targets", "orders", "snapshot", "timestamp"}


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    """A publisher whose versions 2 and 3 have files; version 1 is empty."""
    publisher = Publisher(tmp_path / "www")
    _publish(publisher, OLD)
    _publish(publisher, OLD | NEW)
    return publisher


@pytest.fixture
def published(publisher: Publisher) -> Published:
    return Published(publisher.folder)


def _publish(publisher: Publisher, files: dict[str, bytes]) -> None:
    targets = []
    for path, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        custom = {"path": path, "length": len(content), "sha256": digest}
        targets.append(NewTarget(f"{path}.zst", pack(content), custom))
    publisher.repository.publish(targets, publisher.signers, now=NOW)


def test_the_last_version_is_the_one_that_the_timestamp_names(published: Published) -> None:
    assert (published.version, published.versions()) == (3, (3, 2, 1))
    assert published.targets(1) == {}
    assert set(published.targets(3)) == {"a.txt.zst", "b.txt.zst"}


def test_what_was_begun_and_not_published_is_no_version(
    published: Published, publisher: Publisher
) -> None:
    (publisher.metadata / "4.snapshot.json").write_bytes(b"{}")
    (publisher.metadata / "new.snapshot.json").write_bytes(b"{}")
    assert published.versions() == (3, 2, 1)


def test_versions_are_unpacked_and_share_what_they_have_in_common(
    published: Published, tmp_path: Path
) -> None:
    known: dict[str, Path] = {}
    new = published.unpack(3, tmp_path / "3", known)
    old = published.unpack(2, tmp_path / "2", known)
    assert files_of(new) == OLD | NEW
    assert files_of(old) == OLD
    assert (old / "b.txt").samefile(new / "b.txt")
    assert not (old / "a.txt").samefile(new / "a.txt")


def test_a_version_that_is_not_at_hand_is_reported(published: Published, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"9\.snapshot\.json: cannot be read: No such file"):
        published.unpack(9, tmp_path / "9")


def test_a_file_that_is_missing_or_was_changed_is_reported(
    published: Published, publisher: Publisher, tmp_path: Path
) -> None:
    (packed,) = (publisher.folder / "targets").glob("*.b.txt.zst")
    packed.write_bytes(pack(b"SAME.example\n"))
    with pytest.raises(DigestError, match="not the one that was signed"):
        published.unpack(3, tmp_path / "3")
    packed.unlink()
    with pytest.raises(StoreError, match="cannot be unpacked: No such file"):
        published.unpack(3, tmp_path / "again")


def test_metadata_that_is_damaged_is_reported_with_its_place(
    published: Published, publisher: Publisher
) -> None:
    (publisher.metadata / "timestamp.json").write_bytes(b"{")
    with pytest.raises(StoreError, match=r"timestamp\.json: cannot be read: "):
        _ = published.version


def test_the_newest_root_is_found(published: Published, publisher: Publisher) -> None:
    assert published.newest_root()[0].version == 1
    publisher.renew_root()
    root, content = published.newest_root()
    assert root.version == 2
    assert content == (publisher.metadata / "2.root.json").read_bytes()


def test_the_metadata_of_a_first_reader_is_counted_in_octets(
    published: Published, publisher: Publisher
) -> None:
    names = ("timestamp.json", "3.snapshot.json", "3.targets.json", "1.orders.json")
    expected = sum((publisher.metadata / name).stat().st_size for name in names)
    assert published.metadata_octets(3) == expected


def test_every_role_has_a_term(published: Published) -> None:
    expiries = published.expiries()
    assert set(expiries) == {*ROLES, "program"}
    assert expiries["timestamp"] == NOW + 30 * DAY_S


def test_the_notice_before_an_expiry_depends_on_the_keyholders_of_the_role(
    published: Published,
) -> None:
    expiries = published.expiries()
    assert soon_expired(expiries, NOW) == {}
    assert soon_expired(expiries, NOW + 24 * DAY_S) == {"timestamp": 6 * DAY_S}
    assert soon_expired(expiries, NOW + 310 * DAY_S)["orders"] == 55 * DAY_S
    assert set(soon_expired(expiries, NOW + 800 * DAY_S)) == ROLES


def test_a_second_publication_in_one_folder_is_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    refuse_second(tmp_path / "elsewhere")
    with pytest.raises(FeedError, match="there already is a publication"):
        refuse_second(publisher.folder)


CONTENT = b"a.example\n"


@pytest.fixture
def empty(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "www")


def publish(empty: Publisher, content: bytes, stated: bytes = CONTENT) -> bytes:
    custom = {"path": "a.txt", "length": len(stated), "sha256": hashlib.sha256(stated).hexdigest()}
    packed = pack(content)
    empty.repository.publish([NewTarget("a.txt.zst", packed, custom)], empty.signers, now=NOW)
    return packed


def fetcher(empty: Publisher) -> FolderFetcher:
    return FolderFetcher(empty.folder, FakeClock(NOW))


def test_all_of_a_publication_is_fetched_and_unpacked(empty: Publisher) -> None:
    packed, seen = publish(empty, CONTENT), list[tuple[int, int]]()
    examined = verify(empty.root, fetcher(empty), Moment(NOW), lambda *step: seen.append(step))
    assert examined.octets == len(packed)
    assert examined.verified.publication.version == "2"
    assert seen == [(1, 1)]


def test_packages_of_the_program_are_fetched_as_well(empty: Publisher) -> None:
    maker = Maker(empty.folder.parent, empty)
    package = maker.offer("0.2.0")
    examined = verify(empty.root, fetcher(empty), Moment(NOW))
    assert [one.version for one in examined.packages] == ["0.2.0"]
    assert (examined.octets, "program" in examined.expiries) == (package.stat().st_size, True)
    [stored] = (empty.folder / "targets/program").iterdir()
    stored.unlink()
    with pytest.raises(MissingFileError):
        verify(empty.root, fetcher(empty), Moment(NOW))


def test_a_packed_file_with_another_content_is_found(empty: Publisher) -> None:
    publish(empty, CONTENT.upper())
    with pytest.raises(DigestError, match="not the one that was signed"):
        verify(empty.root, fetcher(empty), Moment(NOW))


def test_a_missing_file_and_an_expired_one_are_found(empty: Publisher) -> None:
    publish(empty, CONTENT)
    with pytest.raises(ExpiredError):
        verify(empty.root, fetcher(empty), Moment(NOW + 40 * DAY_S))
    for path in (empty.folder / "targets").iterdir():
        path.unlink()
    with pytest.raises(MissingFileError):
        verify(empty.root, fetcher(empty), Moment(NOW))
