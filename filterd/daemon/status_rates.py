# SPDX-License-Identifier: Apache-2.0
"""Derive rates and latencies from the counters of two answers to ``status``. Pure."""

from __future__ import annotations

from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.rows import Row

_REPEATED, _ASKED = ("cached", "stale"), "forwarded"
_HALF, _ALMOST_ALL = 0.5, 0.99


def rates(before: Row | None, now: Row, length_s: float) -> dict[str, Any]:
    """Return what happened between two states of the daemon.

    Args:
        before: the earlier state; None for that of the start.
        now: the later state.
        length_s: the seconds between them; not used without an earlier one.

    Returns: ``answers``, a second, by source; ``hits``, the share of the answers to names that pass
        which came from the cache, None for none; ``latency_ms``, by path ``p50`` and ``p99``, as
        the upper bound of their bucket, None above the last bound.
    """
    if before is None or now["up_s"] < before["up_s"]:  # it was restarted
        before, length_s = {}, now["up_s"]
    since = _growth(before.get("answers", {}), now["answers"])
    repeated = sum(since.get(source, 0) for source in _REPEATED)
    passed = repeated + since.get(_ASKED, 0)
    earlier = before.get("traffic", {}).get("latency", {})
    latency: Mapping[str, Row] = now.get("traffic", {}).get("latency", {})
    return {
        "answers": {source: n / max(length_s, 1e-3) for source, n in since.items()},
        "hits": repeated / passed if passed else None,
        "latency_ms": {
            path: _quantiles(_growth(earlier.get(path, {}).get("buckets", {}), times["buckets"]))
            for path, times in latency.items()
        },
    }


def _growth(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return how much counters have grown; a new worker begins at nothing."""
    return {key: max(0, n - before.get(key, 0)) for key, n in now.items()}


def _quantiles(buckets: Mapping[str, int]) -> dict[str, float | None] | None:
    """Return p50 and p99 of times by bucket; None for no times."""
    if not any(buckets.values()):
        return None
    bounds = sorted((float(bound), n) for bound, n in buckets.items())
    below = [*accumulate(n for _, n in bounds)]
    found = {}
    for name, share in (("p50", _HALF), ("p99", _ALMOST_ALL)):
        at = next(i for i, n in enumerate(below) if n >= share * below[-1])
        found[name] = None if bounds[at][0] == inf else bounds[at][0]
    return found
