# SPDX-License-Identifier: Apache-2.0
"""Merge the status of several workers into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def summed(told: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Add numbers key by key, in mappings within mappings too; leave out what is no number."""
    total: dict[str, Any] = {}
    for one in told:
        for key, value in one.items():
            if isinstance(value, dict):
                total[key] = summed([total.get(key, {}), value])
            elif isinstance(value, int):
                total[key] = total.get(key, 0) + value
    return total


def upstreams_of(workers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge what each worker knows of the same upstreams.

    The round trip is the shortest of all workers, and a server is down if it is down for
    all: one worker may have met a moment of silence. A problem of any worker is shown.
    """
    joined: list[dict[str, Any]] = []
    for views in zip(*(worker["upstreams"] for worker in workers), strict=False):
        seen = [view["rtt_ms"] for view in views if view["rtt_ms"] is not None]
        down = all(view["down"] for view in views)
        problem = next((view["problem"] for view in views if view["problem"]), "")
        common = {"rtt_ms": min(seen, default=None), "down": down, "problem": problem}
        joined.append({**views[0], **common})
    return joined
