# SPDX-License-Identifier: Apache-2.0
"""Metadata and targets are signed so that the same folder gives the same octets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Targets

from filterd.base.errors import FeedError
from filterd.feed.version_files import KEPT_DELTAS, Publication, read_publication
from filterd.publish.signing import LIVES, NewTarget, describe, sign_role, targets_of, until
from tests.support.feed_versions import a_list
from tests.support.publisher import NOW

if TYPE_CHECKING:
    from pathlib import Path


def test_lives_are_at_least_what_a_school_without_a_line_needs() -> None:
    """A timestamp for 14 days, a root for a year."""
    days = {role: life.days for role, life in LIVES.items()}
    assert (days.pop("releases"), days.pop("orders"), days.pop("program")) == (180, 365, 365)
    assert days.pop("no-program") == 3650
    assert days == {"root": 730, "targets": 365, "snapshot": 90, "timestamp": 30}
    assert until("timestamp", 0.9) == datetime(1970, 1, 31, tzinfo=UTC)


def test_a_file_is_described_by_name_length_hash_and_its_data() -> None:
    target = describe(NewTarget("lists/a.zst", b"abc", {"path": "lists/a"}))
    assert (target.path, target.length, target.custom) == ("lists/a.zst", 3, {"path": "lists/a"})
    assert target.hashes["sha256"].startswith("ba7816bf")


@pytest.mark.parametrize("name", ["/a", "../a", "a/../b", "a//b", "./a", "", "a/"])
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(FeedError, match="not a name for a file"):
        describe(NewTarget(name, b"", {}))


def test_orders_are_signed_by_their_own_key_far_from_the_publisher() -> None:
    signer = CryptoSigner.generate_ed25519()
    files = [NewTarget("orders/x.zst", b"x", {})]
    content = sign_role("orders", files, [signer], version=3, now=NOW)
    orders = Metadata[Targets].from_bytes(content)
    assert orders.signed.version == 3
    assert list(orders.signed.targets) == ["orders/x.zst"]
    signer.public_key.verify_signature(
        orders.signatures[signer.public_key.keyid], orders.signed_bytes
    )


def _version(folder: Path, number: int) -> Path:
    """Write a version whose one list is another with each number."""
    version = folder / str(number)
    (version / "lists").mkdir(parents=True)
    (version / "catalog.yaml").write_bytes(b"lists: []\n")
    (version / "lists/games.txt").write_bytes(a_list(range(number, number + 300)))
    return version


def _read(targets: list[NewTarget]) -> Publication:
    return read_publication(
        1, [(target.name, len(bytes(target.content)), target.custom) for target in targets]
    )


def test_each_file_is_a_target(tmp_path: Path) -> None:
    publication = _read(targets_of(_version(tmp_path, 1)))
    assert [file.path for file in publication.files] == ["catalog.yaml", "lists/games.txt"]
    assert publication.deltas == ()


def test_what_has_changed_has_differences_from_the_last_versions(tmp_path: Path) -> None:
    earlier = [_version(tmp_path, number) for number in range(20, 10, -1)]
    targets = targets_of(_version(tmp_path, 30), earlier)
    deltas = _read(targets).deltas
    assert len(deltas) == KEPT_DELTAS
    assert {delta.path for delta in deltas} == {"lists/games.txt"}


def test_a_difference_larger_than_the_whole_is_not_published(tmp_path: Path) -> None:
    new, old = _version(tmp_path, 1), _version(tmp_path, 9_000)
    (new / "lists/games.txt").write_bytes(b"a.example\n")
    assert _read(targets_of(new, [old])).deltas == ()


def test_the_same_folders_give_the_same_octets(tmp_path: Path) -> None:
    new, old = _version(tmp_path, 2), _version(tmp_path, 1)
    assert targets_of(new, [old]) == targets_of(new, [old, old])


def test_what_is_written_down_of_a_folder_is_not_published(tmp_path: Path) -> None:
    new = _version(tmp_path, 1)
    (new / "manifest.json").write_text("{}")
    assert [one.name for one in targets_of(new)] == ["catalog.yaml.zst", "lists/games.txt.zst"]


@pytest.mark.parametrize("name", [".hidden", "Games.txt", "a b.txt", "deltas"])
def test_a_name_that_no_appliance_takes_is_not_published(tmp_path: Path, name: str) -> None:
    new = _version(tmp_path, 1)
    (new / name).write_text("x")
    with pytest.raises(FeedError, match="no file of this name"):
        targets_of(new)


def test_nothing_is_no_version(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="nothing to publish"):
        targets_of(tmp_path)


def test_progress_ends_with_all_octets(tmp_path: Path) -> None:
    steps = list[tuple[int, int]]()
    new = _version(tmp_path, 1)
    targets_of(new, progress=lambda done, total: steps.append((done, total)))
    octets = sum(path.stat().st_size for path in new.rglob("*") if path.is_file())
    assert steps[-1] == (octets, octets)


def test_what_the_law_orders_has_no_differences(tmp_path: Path) -> None:
    new, old = _version(tmp_path, 2), _version(tmp_path, 1)
    for version in (new, old):
        (version / "orders").mkdir()
        (version / "orders/7.txt").write_bytes((version / "lists/games.txt").read_bytes())
    assert {delta.path for delta in _read(targets_of(new, [old])).deltas} == {"lists/games.txt"}


@pytest.mark.parametrize("kind", ["", "ENCRYPTED "])
def test_a_private_key_is_never_published_under_whatever_name(tmp_path: Path, kind: str) -> None:
    version = _version(tmp_path, 1)
    pem = f"-----BEGIN {kind}PRIVATE KEY-----\nMC4=\n-----END {kind}PRIVATE KEY-----\n"
    (version / "lists/more.txt").write_text(pem)
    with pytest.raises(FeedError, match=r"lists/more\.txt: it has a private key"):
        targets_of(version)
