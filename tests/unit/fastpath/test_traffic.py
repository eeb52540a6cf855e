# SPDX-License-Identifier: Apache-2.0
"""The counters of a listener; ``test_datagrams`` has those of the native one."""

from __future__ import annotations

from filterd.daemon.worker_sums import summed
from filterd.fastpath.traffic import Traffic

NXDOMAIN = bytes((0, 0, 0x81, 0x83)) + bytes(8)


def test_counters_of_several_listeners_are_added_up() -> None:
    traffic = Traffic()
    traffic.asked("192.0.2.1")
    traffic.asked("2001:db8::1")
    traffic.replied(NXDOMAIN, 0.001)
    total = summed([traffic.to_plain(), traffic.to_plain()])
    assert total["requests"] == {"4": 2, "6": 2}
    assert total["rcodes"] == {"3": 2}
    assert total["latency"]["chain"]["buckets"]["1"] == 2
