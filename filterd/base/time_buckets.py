# SPDX-License-Identifier: Apache-2.0
"""Count durations in buckets of fixed bounds, for metrics."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDS_MS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500)
"""Upper bounds, inclusive; one more bucket is for what takes longer."""
_BOUNDS_S = [bound / 1_000 for bound in BOUNDS_MS]
_KEYS = (*(f"{bound:g}" for bound in BOUNDS_MS), "inf")
_US = 1_000_000


class TimeBuckets:
    """Numbers of times by bucket, and the sum of the times in seconds."""

    __slots__ = ("_counts", "_sum_s")

    def __init__(self, counts: Sequence[int] = (0,) * len(_KEYS), sum_s: float = 0.0) -> None:
        self._counts, self._sum_s = [*counts], sum_s

    def add(self, took_s: float) -> None:
        """Count one time."""
        self._counts[bisect_left(_BOUNDS_S, took_s)] += 1
        self._sum_s += took_s

    def to_plain(self) -> dict[str, Any]:
        """Return ``buckets``, numbers by upper bound in ms, and ``sum_us``, the sum in µs.

        Plain data that can be summed up key by key; a bucket has no times of the others.
        """
        buckets = dict(zip(_KEYS, self._counts, strict=True))
        return {"buckets": buckets, "sum_us": round(self._sum_s * _US)}
