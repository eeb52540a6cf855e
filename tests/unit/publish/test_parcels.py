# SPDX-License-Identifier: Apache-2.0
"""What a delegated role has signed is carried over whole and unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from securesystemslib.signer import CryptoSigner

from filterd.base.errors import FeedError, StoreError
from filterd.publish.parcels import make_parcel, next_version, read_parcel, write_parcel
from filterd.publish.signing import NewTarget, content_of
from tests.support.publisher import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = NewTarget("program/a.deb", b"octets", {"program": {}})


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    """Write a parcel of one file."""
    folder, signer = tmp_path / "parcel", CryptoSigner.generate_ed25519()
    write_parcel(make_parcel("program", [FILE], [signer], version=4, now=NOW), folder)
    return folder


def test_a_parcel_has_the_files_their_signed_data_and_the_key(parcel: Path) -> None:
    read = read_parcel(parcel, "program")
    [target] = read.targets
    assert (target.name, content_of(target), target.custom) == FILE
    assert (read.role, read.version) == ("program", 4)
    assert read.public_key.keyid in json.loads(read.metadata)["signatures"][0]["keyid"]


def test_the_next_parcel_is_newer_than_the_last_and_than_what_is_published(parcel: Path) -> None:
    assert [next_version(parcel, "program", after) for after in (0, 9)] == [5, 10]
    assert next_version(parcel / "none", "program", 0) == 2


def test_a_parcel_replaces_the_last_one(parcel: Path) -> None:
    new, signer = NewTarget("program/b.deb", b"new", {}), CryptoSigner.generate_ed25519()
    write_parcel(make_parcel("program", [new], [signer], version=5, now=NOW), parcel)
    assert [path.name for path in (parcel / "targets").rglob("*.deb")] == ["b.deb"]


def _spoil(parcel: Path) -> None:
    (parcel / "program.json").write_text("{}")


def _spoil_key(parcel: Path) -> None:
    (parcel / "program-key.json").write_text(json.dumps({"keyid": 7}))


def _shorten(parcel: Path) -> None:
    (parcel / "targets/program/a.deb").write_bytes(b"octet")


@pytest.mark.parametrize("harm", [_spoil, _spoil_key, _shorten])
def test_a_damaged_parcel_is_refused(parcel: Path, harm: Callable[[Path], None]) -> None:
    harm(parcel)
    with pytest.raises(FeedError, match="not a whole parcel of the role program; copy the folder"):
        read_parcel(parcel, "program")


def test_a_parcel_reads_no_file_outside_of_it(parcel: Path) -> None:
    plain = json.loads((parcel / "program.json").read_text())
    plain["signed"]["targets"]["../../secret"] = plain["signed"]["targets"][FILE.name]
    (parcel / "program.json").write_text(json.dumps(plain))
    assert [target.name for target in read_parcel(parcel, "program").targets] == [FILE.name]


def test_a_missing_file_is_named(parcel: Path) -> None:
    (parcel / "targets/program/a.deb").unlink()
    with pytest.raises(StoreError, match=r"program/a\.deb: cannot be read: No such file"):
        read_parcel(parcel, "program")
