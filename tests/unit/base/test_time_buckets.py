# SPDX-License-Identifier: Apache-2.0
"""A time counts in the first bucket whose bound it does not exceed."""

from __future__ import annotations

import pytest

from filterd.base.time_buckets import BOUNDS_MS, TimeBuckets


@pytest.mark.parametrize(
    ("took_s", "bucket"),
    [(0.0, "0.1"), (0.0001, "0.1"), (0.00011, "0.25"), (1.0, "1000"), (2.5, "2500"), (9, "inf")],
)
def test_a_time_counts_in_one_bucket_and_in_the_sum(took_s: float, bucket: str) -> None:
    times = TimeBuckets()
    times.add(took_s)
    plain = times.to_plain()
    assert {key for key, n in plain["buckets"].items() if n} == {bucket}
    assert len(plain["buckets"]) == len(BOUNDS_MS) + 1
    assert plain["sum_us"] == round(took_s * 1_000_000)
