# SPDX-License-Identifier: Apache-2.0
"""Legal orders are signed elsewhere and carried over, whole and unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from filterd.base.errors import ConfigErrors, FeedError, ListError
from filterd.publish.parcels import read_parcel
from filterd.publish.signed_orders import day_of, sign_orders
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


def test_a_parcel_has_the_orders_and_their_signers(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    ordered = sign_orders(_register(tmp_path / "office", {}, {}), parcel, [signer], now=NOW)
    assert (ordered.version, ordered.names, len(ordered.orders)) == (2, 2, 2)
    read = read_parcel(parcel, "orders")
    assert read.version == 2
    assert read.public_key.keyid == signer.public_key.keyid
    named = {target.name for target in read.targets}
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
    sign_orders(office, parcel, [signer], now=NOW)
    assert set(files_of(parcel)) == {
        "orders.json",
        "orders-key.json",
        "targets/orders.yaml.zst",
        "targets/orders/1.txt.zst",
    }
    assert "private" not in (parcel / "orders-key.json").read_text()


def test_orders_end_with_their_last_day(tmp_path: Path, parcel: Path, signer: CryptoSigner) -> None:
    office = _register(tmp_path / "office", {"expiry": TODAY}, {})
    assert sign_orders(office, parcel, [signer], now=NOW).expired == ()
    tomorrow = sign_orders(office, parcel, [signer], now=NOW + DAY_S)
    assert [one.number for one in tomorrow.expired] == ["1/QĐ"]
    assert [order.number for order in tomorrow.orders] == ["2/QĐ"]
    assert {target.name for target in read_parcel(parcel, "orders").targets} == {
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
        sign_orders(office, parcel, [signer], now=NOW, after=after).version for after in (0, 0, 7)
    ]
    assert versions == [2, 3, 8]


def test_an_order_that_is_to_come_is_not_signed_yet(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {"date": "2027-01-16"})
    with pytest.raises(FeedError, match="sign it on that day"):
        sign_orders(office, parcel, [signer], now=NOW)
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
        sign_orders(office, parcel, [signer], now=NOW)
    assert not parcel.exists()


def test_a_name_that_every_school_keeps_open_is_not_ordered_unseen(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {"text": "bad.example\nwww.moet.gov.vn\n"})
    with pytest.raises(ListError, match=r"1\.txt, line 2: 'www\.moet\.gov\.vn' is pinned"):
        sign_orders(office, parcel, [signer], now=NOW)
    assert not parcel.exists()


def test_a_file_that_an_order_names_must_be_there(
    tmp_path: Path, parcel: Path, signer: CryptoSigner
) -> None:
    office = _register(tmp_path / "office", {})
    (office / "orders/1.txt").unlink()
    with pytest.raises(ConfigErrors, match=r"there is no file orders/1\.txt"):
        sign_orders(office, parcel, [signer], now=NOW)
