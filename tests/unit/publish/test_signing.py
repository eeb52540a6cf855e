# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Targets

from filterd.errors import FeedError
from filterd.publish.signing import LIVES, NewTarget, describe, sign_role, until
from tests.support.publisher import NOW


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
