# SPDX-License-Identifier: Apache-2.0
"""Sum up the standing of the query log, for the status."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd import i18n
from filterd.daemon.worker_channel import summed
from filterd.policy.log_levels import highest, levels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.daemon.manager import Manager
    from filterd.i18n import Sentence
    from filterd.rows import Row


async def log_standing(
    manager: Manager,
    workers: Sequence[dict[str, Any]],
    totals: Sequence[Row],
    unread: Sentence,
    now: float,
) -> dict[str, Any]:
    """Return totals of today, losses, problems and levels, as plain data.

    Args:
        manager: it has the lookups and the site.
        workers: the status of each.
        totals: of today.
        unread: why they could not be read; else empty.
        now: policy time.
    """
    counted = summed(worker["log"] for worker in workers)
    for key in {"lost", "rows_lost"} & counted.keys():
        counted[key] += manager.lookups.lost
    today = Counter[str]()
    for total in totals:
        today[total["action"]] += total["n"]
    problem = manager.log_keeper.problem or manager.lookups.problem
    problem = problem or manager.lookups.kept_too_long or unread
    site = manager.site
    levels = levels_of(site.policy)
    return {
        "today": dict(today),
        **counted,
        **manager.lookups.facts(),
        "problem": problem,
        "sentence": i18n.to_plain(problem),
        "level": highest(levels.values() or [site.policy.log.level]).value,
        "levels": {tier: level.value for tier, level in levels.items()},
        "pace": await manager.signals.pace(site, now),
        "bypass": await manager.signals.bypass(site, now, totals),
        "written_at": manager.log_keeper.written_at,
    }
