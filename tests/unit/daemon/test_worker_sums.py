# SPDX-License-Identifier: Apache-2.0
"""A sum of counters never falls, whichever workers answer."""

from __future__ import annotations

from typing import Any

from filterd.daemon.worker_channel import summed
from filterd.daemon.worker_sums import MOST_KEPT, WorkerSums


def _worker(name: str, n: int) -> dict[str, Any]:
    return {
        "name": name,
        "answers": {"blocked": n},
        "cache": {"entries": n, "hits": n},
        "forwarding": {},
        "datagrams": {"received": n},
        "traffic": {"requests": {"udp": {"4": n}}},
        "in_flight": n,
    }


def test_a_worker_that_is_replaced_or_silent_still_counts() -> None:
    sums = WorkerSums()
    sums.add_up([_worker("a", 5), _worker("b", 7)])
    for workers in ([_worker("b", 8)], [_worker("b", 8), _worker("c", 0)]):
        total = sums.add_up(workers)
        assert total["traffic"] == {"requests": {"udp": {"4": 13}}}
        assert total["answers"] == {"blocked": 13}
        assert total["cache"] == {"entries": 8, "hits": 13}
        assert total["in_flight"] == 8
    again = sums.add_up([_worker("a", 6), _worker("b", 8), _worker("c", 0)])
    assert again["answers"] == {"blocked": 14}


def test_control_a_plain_sum_falls() -> None:
    assert summed([_worker("b", 8)])["answers"] == {"blocked": 8}


def test_workers_of_long_ago_are_kept_as_one() -> None:
    sums = WorkerSums()
    for number in range(3 * MOST_KEPT):
        total = sums.add_up([_worker(str(number), 1)])
    assert total["answers"] == {"blocked": 3 * MOST_KEPT}
    assert len(sums._kept) <= MOST_KEPT + 1
