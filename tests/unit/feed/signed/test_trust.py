# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import MetadataFormatError, NoTrustError, StoreError
from filterd.base.paths import write_atomically
from filterd.feed.signed.trust import TrustFolder
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import say
from tests.support.publisher import Publisher, Site, without_signatures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = Publisher(tmp_path / "www")
    publisher.publish("a.example")
    return publisher


@pytest.fixture
def site(tmp_path: Path, publisher: Publisher) -> Site:
    return Site(tmp_path / "site", publisher.root)


def test_a_root_is_read_out_in_groups_of_four(publisher: Publisher, tmp_path: Path) -> None:
    said = TrustFolder(tmp_path / "new").establish(publisher.root)
    assert said == fingerprint(publisher.root)
    assert [len(group) for group in said.split()] == [4] * 16


def test_what_is_no_root_or_has_not_signed_itself_is_not_trusted(
    publisher: Publisher, tmp_path: Path
) -> None:
    trust = TrustFolder(tmp_path / "new")
    timestamp = (publisher.metadata / "timestamp.json").read_bytes()
    for content in (b"", b"<html>", timestamp, without_signatures(publisher.root)):
        with pytest.raises(MetadataFormatError, match="not a feed's root"):
            trust.establish(content)
    assert not trust.root.exists()


def test_a_damaged_root_is_replaced_by_the_copy_that_every_run_leaves(
    site: Site, publisher: Publisher
) -> None:
    site.trust.root.write_bytes(publisher.root[:-9])
    with pytest.raises(NoTrustError, match="the root is damaged"):
        site.take(publisher.folder)  # no run was there before
    site.trust.establish(publisher.root, replace=True)
    site.take(publisher.folder)
    before = site.kept()
    for damaged in (b"", publisher.root[:-9], bytes(len(publisher.root))):
        site.trust.root.write_bytes(damaged)
        assert site.trust.given() == publisher.root
        site.take(publisher.folder)
        assert site.kept() == before
        site.trust.root.write_bytes(damaged)
        site.trust.establish(publisher.root)
        assert site.kept() == before
    (site.trust.metadata / "root_history" / "1.root.json").write_bytes(b"{}")
    site.trust.root.write_bytes(b"{}")
    with pytest.raises(NoTrustError, match="the root is damaged"):
        site.take(publisher.folder)


def test_a_root_that_was_taken_away_is_not_replaced(site: Site, publisher: Publisher) -> None:
    site.take(publisher.folder)
    site.trust.root.unlink()
    with pytest.raises(NoTrustError, match="no root to trust"):
        site.take(publisher.folder)


def test_another_root_takes_the_place_only_when_it_is_asked_for(
    site: Site, publisher: Publisher, tmp_path: Path
) -> None:
    site.take(publisher.folder)
    before = site.kept()
    other = Publisher(tmp_path / "other")
    with pytest.raises(NoTrustError, match="trusts another root"):
        site.trust.establish(other.root)
    site.trust.establish(publisher.root)  # the same once more is no change
    assert site.kept() == before
    site.trust.establish(other.root, replace=True)
    assert site.kept() == {"root.json": other.root}
    other.publish("b.example")
    assert site.take(other.folder) == {"lists/a.txt": b"b.example"}


def test_a_site_without_a_root_or_with_a_damaged_one_names_the_remedy(
    tmp_path: Path, site: Site, publisher: Publisher
) -> None:
    with pytest.raises(NoTrustError, match=r"no root to trust.*filterd feed trust"):
        TrustFolder(tmp_path / "new").first_root()
    site.trust.root.write_bytes(publisher.root[:-20])
    with pytest.raises(NoTrustError, match=r"damaged.*filterd feed trust"):
        site.take(publisher.folder)


def test_a_damaged_file_of_the_metadata_is_fetched_again(site: Site, publisher: Publisher) -> None:
    publisher.renew_root()
    site.take(publisher.folder)
    whole = {path: path.read_bytes() for path in site.trust.metadata.rglob("*.json")}
    assert len(whole) == 6
    for path, content in whole.items():
        for damaged in (b"", content[:-9], content.replace(b"e", b"f", 5), b"\0" * 9):
            path.write_bytes(damaged)
            assert site.take(publisher.folder) == {"lists/a.txt": b"a.example"}
            assert path.read_bytes() == content


def test_the_chain_of_roots_ends_before_a_damaged_one(site: Site, publisher: Publisher) -> None:
    for _ in range(2):
        publisher.renew_root()
    site.take(publisher.folder)
    assert site.trust.newest_root().version == 3
    (site.trust.metadata / "root_history/3.root.json").write_bytes(b"{")
    assert site.trust.newest_root().version == 2
    second = (site.trust.metadata / "root_history/2.root.json").read_bytes()
    (site.trust.metadata / "root_history/3.root.json").write_bytes(second)
    assert site.trust.newest_root().version == 2


def test_what_a_killed_run_left_is_no_hindrance(site: Site, publisher: Publisher) -> None:
    left = site.folder / "metadata.candidate/root_history"
    left.mkdir(parents=True)
    (left / "2.root.json").write_bytes(b"half")
    (site.folder / "metadata.candidate/timestamp.json").write_bytes(b"half")
    assert site.take(publisher.folder) == {"lists/a.txt": b"a.example"}
    assert not (site.folder / "metadata.candidate").exists()


def test_a_link_in_the_metadata_is_not_followed(
    site: Site, publisher: Publisher, tmp_path: Path
) -> None:
    site.take(publisher.folder)
    (site.trust.metadata / "timestamp.json").rename(tmp_path / "elsewhere")
    (site.trust.metadata / "timestamp.json").symlink_to(tmp_path / "elsewhere")
    content = (tmp_path / "elsewhere").read_bytes()
    publisher.publish("b.example")
    site.take(publisher.folder)
    assert (tmp_path / "elsewhere").read_bytes() == content
    assert not (site.trust.metadata / "timestamp.json").is_symlink()


def test_a_full_disk_is_reported_and_the_next_run_goes_on(
    site: Site, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.take(publisher.folder)
    publisher.publish("b.example")
    write, before = write_atomically, site.kept()
    for fails_at in (0, 1, 1):  # what was kept before is not written again
        done = 0

        def full(path: Path, content: bytes, *, fails_at: int = fails_at) -> None:
            nonlocal done
            if done == fails_at:
                raise StoreError(say("the disk is full"))
            done += 1
            write(path, content)

        monkeypatch.setattr("filterd.feed.signed.trust.write_atomically", full)
        with pytest.raises(StoreError, match="full"):
            site.take(publisher.folder)
        if fails_at == 0:
            assert site.kept() == before
    monkeypatch.setattr("filterd.feed.signed.trust.write_atomically", write)
    assert site.take(publisher.folder) == {"lists/a.txt": b"b.example"}


def test_the_working_copy_needs_a_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (site.trust.metadata / "root_history").mkdir(parents=True)
    (site.trust.metadata / "timestamp.json").write_bytes(b"x")
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StoreError, match="No space left"), site.trust.working_copy():
        pass
