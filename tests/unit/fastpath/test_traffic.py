# SPDX-License-Identifier: Apache-2.0
"""The counters of a listener; ``test_datagrams`` has those of the native one."""

from __future__ import annotations

import pytest

from filterd.daemon.worker_channel import summed
from filterd.fastpath.traffic import BOUNDS_MS, Traffic

NXDOMAIN = bytes((0, 0, 0x81, 0x83)) + bytes(8)


@pytest.mark.parametrize(
    ("within_s", "bucket"),
    [(0.0, "0.1"), (0.0001, "0.1"), (0.00011, "0.25"), (1.0, "1000"), (2.5, "2500"), (9, "inf")],
)
def test_a_time_counts_in_the_first_bucket_that_bounds_it(within_s: float, bucket: str) -> None:
    traffic = Traffic()
    traffic.replied(NXDOMAIN, within_s)
    chain = traffic.to_plain()["latency"]["chain"]
    assert {key for key, n in chain["buckets"].items() if n} == {bucket}
    assert len(chain["buckets"]) == len(BOUNDS_MS) + 1
    assert chain["sum_us"] == round(within_s * 1_000_000)


def test_counters_of_several_listeners_are_added_up() -> None:
    traffic = Traffic()
    traffic.asked("192.0.2.1")
    traffic.asked("2001:db8::1")
    traffic.replied(NXDOMAIN, 0.001)
    total = summed([traffic.to_plain(), traffic.to_plain()])
    assert total["requests"] == {"4": 2, "6": 2}
    assert total["rcodes"] == {"3": 2}
    assert total["latency"]["chain"]["buckets"]["1"] == 2
