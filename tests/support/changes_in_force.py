# SPDX-License-Identifier: Apache-2.0
"""Changes that a manager makes, and what its workers then answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.rights.roles import Author, Rank
from filterd.wire import name as names
from tests.support.changes import an_exception

if TYPE_CHECKING:
    from tests.support.team import Team

BLOCK = an_exception(target="new.example", allow=False)
HOUR = 3600.0
ADMIN, TEACHER = Author("minh", Rank.ADMIN), Author("lan", Rank.TEACHER)


async def blocks_by_worker(team: Team, name: str = "new.example", grade: str = "3") -> list[bool]:
    """Return for each worker whether it blocks a name."""
    qname = names.from_text(name).hex()
    outcome = [
        await worker.check(qname=qname, qtype=1, grade=grade, address=None, at=None)
        for worker in team.workers
    ]
    return [one is not None and one["action"] != "pass" for one in outcome]


async def change(team: Team, kind: str, author: Author = ADMIN, /, **payload: Any) -> Any:
    """Make a change; return its answer."""
    return await team.manager.changes.change({"kind": kind, "reason": "bài học", **payload}, author)


def noon_of(team: Team) -> float:
    """Return the school's last noon, so that a day has hours left whenever this runs."""
    now = team.setting.clock.wall()
    vietnam = now + 7 * HOUR
    return float(vietnam - vietnam % (24 * HOUR) + 12 * HOUR - 7 * HOUR)
