# SPDX-License-Identifier: Apache-2.0
import json

from filterd.daemon.worker_channel import LARGEST
from filterd.querylog.lookups import LOOKUPS_A_BATCH, Lookup, LookupBatch, LookupContext
from filterd.wire import name as names

CONTEXT = LookupContext("6", "6A", "lab-a", "games", "blocked", "starter-games")


def test_a_batch_comes_back_from_plain_data() -> None:
    lookups = tuple(
        Lookup(1_764_000_000 + n, names.from_text(f"a{n % 2}.vn"), CONTEXT, n, n > 1)
        for n in range(4)
    )
    plain = LookupBatch("w", 3, lookups, more=True).to_plain()
    assert len(plain["names"]) == 2
    assert len(plain["contexts"]) == 1
    assert LookupBatch.from_plain(json.loads(json.dumps(plain))) == LookupBatch(
        "w", 3, lookups, more=True
    )


def test_a_whole_batch_of_longest_names_fits_one_packet_of_the_channel() -> None:
    label = bytes([63]) + bytes([255] * 63)
    lookups = tuple(
        Lookup(
            1_764_000_000, label * 3 + bytes([8]) + n.to_bytes(8, "big") + b"\0", CONTEXT, 2**31 - 1
        )
        for n in range(LOOKUPS_A_BATCH)
    )
    assert len(json.dumps(LookupBatch("w" * 16, 1, lookups).to_plain())) < LARGEST


def test_a_context_knows_the_tier_of_its_grade() -> None:
    assert CONTEXT.tier == "lower-secondary"
