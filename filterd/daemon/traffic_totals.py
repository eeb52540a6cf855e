# SPDX-License-Identifier: Apache-2.0
"""Sum up what a worker has counted since its start, by labels of metrics. Pure.

By tier, never by grade or class; a confidential category is in none of the sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.daemon.worker_channel import summed
from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.policy.model import Policy

BLOCKED = "blocked"
NO_CATEGORY = "none"
"""Of a block by a rule that has none: a schedule, an exam, a block by command."""


def traffic_totals(
    udp: Iterable[dict[str, Any]],
    tcp: Iterable[dict[str, Any]],
    sums: Mapping[tuple[str, str, str], int],
    policy: Policy,
) -> dict[str, Any]:
    """Return the totals as plain data, which can be summed up over workers.

    Args:
        udp: of each listener (``fastpath.traffic``).
        tcp: the same.
        sums: answers by grade, category and action (``Counts.sums``).
        policy: in force; it has the categories.

    Returns: ``requests`` by transport and family; ``rcodes``; ``latency`` by path;
        ``responses`` by tier and action; ``blocked`` by tier and category.
    """
    of_udp, of_tcp = summed(udp), summed(tcp)
    both = summed((of_udp, of_tcp))
    responses: dict[str, dict[str, int]] = {}
    blocked: dict[str, dict[str, int]] = {}
    for (grade, category, action), n in sums.items():
        known = policy.categories.get(category)
        tier = TIER_OF_GRADE.get(grade)
        if tier is None or (known is not None and known.confidential):
            continue
        _add(responses, tier, action, n)
        if action == BLOCKED:
            _add(blocked, tier, category or NO_CATEGORY, n)
    return {
        "requests": {
            "udp": of_udp.get("requests", {}),
            "tcp": of_tcp.get("requests", {}),
        },
        "rcodes": both.get("rcodes", {}),
        "latency": both.get("latency", {}),
        "responses": responses,
        "blocked": blocked,
    }


def _add(sums: dict[str, dict[str, int]], outer: str, inner: str, n: int) -> None:
    row = sums.setdefault(outer, {})
    row[inner] = row.get(inner, 0) + n
