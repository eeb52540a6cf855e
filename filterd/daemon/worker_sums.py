# SPDX-License-Identifier: Apache-2.0
"""Sum up the counters of workers so that no sum ever falls.

A worker may be silent, or replaced. Prometheus takes a counter that falls for one that began
anew at 0, and would count the numbers of all others a second time. So the last counters of
each worker are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.daemon.worker_channel import summed

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTERS = ("answers", "cache", "forwarding", "datagrams", "traffic")
"""Parts of a worker's status that count since its start."""
_OF_NOW = {"entries", "octets", "failures"}
"""Keys of ``cache`` that count what there is now."""
MOST_KEPT = 64
"""Workers of before that are kept one by one: they may only be silent."""


class WorkerSums:
    """The sums over the workers of a daemon, and of those before them."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        self._gone: dict[str, Any] = {}

    def add_up(self, workers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the sums of the numbers of the workers that answer now.

        Those of ``COUNTERS`` have the last ones of all other workers, too.

        Args:
            workers: the status of each, with a ``name`` of its process.
        """
        names = {one["name"] for one in workers}
        absent = [kept for name, kept in self._kept.items() if name not in names]
        for one in workers:
            counters = {key: one[key] for key in COUNTERS}
            cache = {key: n for key, n in one["cache"].items() if key not in _OF_NOW}
            self._kept[one["name"]] = {**counters, "cache": cache}
        total = summed([*workers, self._gone, *absent])
        for name in [one for one in self._kept if one not in names][:-MOST_KEPT]:
            self._gone = summed([self._gone, self._kept.pop(name)])
        return total
