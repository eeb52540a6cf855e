# SPDX-License-Identifier: Apache-2.0
"""Legal orders are signed elsewhere and carried over, whole and unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from filterd.errors import ConfigErrors, FeedError, ListError, StoreError
from filterd.publish.signed_orders import (
    METADATA,
    PUBLIC_KEY,
    TARGETS,
    day_of,
    make_parcel,
    read_parcel,
)
from tests.support.feed_desk import files_of
from tests.support.publisher import DAY_S, NOW

if TYPE_CHECKING:
    from pathlib import Path

TODAY = "2027-01-15"


@pytest.fixture
def signer() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    return tmp_path / "parcel"


def _register(folder: Path, *orders: dict[str, Any]) -> Path:
    """Write a register with a name for each order that has none of its own."""
    (folder / "orders").mkdir(parents=True, exist_ok=True)
    entries = []
    for number, order in enumerate(orders, 1):
        text = order.pop("text", f"a{number}.example\n")
        (folder / f"orders/{number}.txt").write_text(text)
        usual = {"number": f"{number}/QĐ", "issuer": "Bộ", "date": TODAY, "expiry": "2027-12-31"}
        entries.append({**usual, "names": f"orders/{number}.txt", **order})
    (folder / "orders.yaml").write_text(yaml.safe_dump({"orders": entries}, allow_unicode=True))
    return folder


def test_a_parcel_has_what_is_ordered_and_who_has_signed_it(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    ordered = make_parcel(_register(tmp_path / "office", {}, {}), parcel, [signer], now=NOW)
    assert (ordered.version, ordered.names, len(ordered.orders)) == (2, 2, 2)
    read = read_parcel(parcel)
    assert read.version == 2
    assert read.public_key.keyid == signer.public_key.keyid
    named = {one.name for one in read.targets}
    assert named == {"orders.yaml.zst", "orders/1.txt.zst", "orders/2.txt.zst"}
    signed = Metadata[Any].from_bytes(read.metadata)
    read.public_key.verify_signature(
        signed.signatures[signer.public_key.keyid], signed.signed_bytes
    )


def test_what_else_stands_in_the_folder_is_not_carried_over(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {})
    (office / "orders" / "draft.txt").write_text("draft.example\n")
    (office / "key.pem").write_text("secret")
    make_parcel(office, parcel, [signer], now=NOW)
    assert set(files_of(parcel)) == {
        METADATA,
        PUBLIC_KEY,
        f"{TARGETS}/orders.yaml.zst",
        f"{TARGETS}/orders/1.txt.zst",
    }
    assert "private" not in (parcel / PUBLIC_KEY).read_text()


def test_orders_end_with_their_last_day(tmp_path: Path, parcel: Path, signer: CryptoSigner) -> None:
    office = _register(tmp_path / "office", {"expiry": TODAY}, {})
    assert make_parcel(office, parcel, [signer], now=NOW).expired == ()
    tomorrow = make_parcel(office, parcel, [signer], now=NOW + DAY_S)
    assert [one.number for one in tomorrow.expired] == ["1/QĐ"]
    assert [one.number for one in tomorrow.orders] == ["2/QĐ"]
    assert {one.name for one in read_parcel(parcel).targets} == {
        "orders.yaml.zst",
        "orders/2.txt.zst",
    }


def test_days_are_those_of_viet_nam() -> None:
    assert (day_of(1_767_200_399), day_of(1_767_200_400)) == ("2025-12-31", "2026-01-01")


def test_each_parcel_is_newer_than_the_last_one_and_than_what_is_published(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {})
    versions = [
        make_parcel(office, parcel, [signer], now=NOW, after=after).version for after in (0, 0, 7)
    ]
    assert versions == [2, 3, 8]


def test_an_order_that_is_to_come_is_not_signed_yet(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {"date": "2027-01-16"})
    with pytest.raises(FeedError, match="sign it on that day"):
        make_parcel(office, parcel, [signer], now=NOW)
    assert not parcel.exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a.example\nno name\n", r"orders/1\.txt, line 2: 'no name' .*; correct the line"),
        ("# nothing\n", r"orders/1\.txt: has no names"),
        ("com.vn\n", r"orders/1\.txt, line 1: 'com\.vn'"),
    ],
)
def test_a_line_that_would_order_nothing_unseen_stops_it(
    tmp_path: Path, parcel: Path, signer: CryptoSigner, text: str, why: str
) -> None:
    office = _register(tmp_path / "office", {"text": text})
    with pytest.raises(ListError, match=why):
        make_parcel(office, parcel, [signer], now=NOW)
    assert not parcel.exists()


def test_a_name_that_every_school_keeps_open_is_not_ordered_unseen(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {"text": "bad.example\nwww.moet.gov.vn\n"})
    with pytest.raises(ListError, match=r"1\.txt, line 2: 'www\.moet\.gov\.vn' is pinned"):
        make_parcel(office, parcel, [signer], now=NOW)
    assert not parcel.exists()


def test_a_file_that_an_order_names_must_be_there(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {})
    (office / "orders/1.txt").unlink()
    with pytest.raises(ConfigErrors, match=r"there is no file orders/1\.txt"):
        make_parcel(office, parcel, [signer], now=NOW)


def _spoil_metadata(parcel: Path) -> None:
    (parcel / METADATA).write_text("{}")


def _spoil_key(parcel: Path) -> None:
    (parcel / PUBLIC_KEY).write_text(json.dumps({"keyid": 7}))


def _lead_out(parcel: Path) -> None:
    plain = json.loads((parcel / METADATA).read_text())
    plain["signed"]["targets"]["../../secret"] = plain["signed"]["targets"]["orders.yaml.zst"]
    (parcel / METADATA).write_text(json.dumps(plain))


@pytest.mark.parametrize("harm", [_spoil_metadata, _spoil_key])
def test_what_nobody_has_signed_so_is_no_parcel(
    tmp_path: Path, parcel: Path, signer: CryptoSigner, harm: Any
) -> None:
    make_parcel(_register(tmp_path / "office", {}), parcel, [signer], now=NOW)
    harm(parcel)
    with pytest.raises(FeedError, match="`filterd feed sign` has not written this"):
        read_parcel(parcel)


def test_a_parcel_reads_no_file_outside_of_it(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    make_parcel(_register(tmp_path / "office", {}), parcel, [signer], now=NOW)
    _lead_out(parcel)
    assert all("secret" not in one.name for one in read_parcel(parcel).targets)


def test_a_parcel_that_did_not_come_whole_is_told(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    make_parcel(_register(tmp_path / "office", {}), parcel, [signer], now=NOW)
    (parcel / TARGETS / "orders/1.txt.zst").unlink()
    with pytest.raises(StoreError, match=r"orders/1\.txt\.zst: cannot be read: No such file"):
        read_parcel(parcel)
