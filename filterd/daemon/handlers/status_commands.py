# SPDX-License-Identifier: Apache-2.0
"""Report the present state, and reload the site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from filterd.daemon.handlers.control_caller import author_of, sees_alerts
from filterd.daemon.handlers.handled import handled
from filterd.daemon.manager.disclosed_totals import as_seen
from filterd.daemon.manager.status_parts import with_protection
from filterd.operations.clock import ReadClock
from filterd.operations.reload import Reload, Reloaded
from filterd.operations.status import Ping, ReadStatus
from filterd.overrides.rights.permissions import readable_classes
from filterd.overrides.rights.roles import Rank
from filterd.querylog.totals_request import TotalsRequest
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager

Feed = Callable[[str], dict[str, Any]]


def commands(
    manager: Manager, feed: Feed, program: Callable[[], dict[str, Any]] = dict
) -> dict[str, Command]:
    """Return the commands by name.

    Args:
        manager: it executes most of them.
        feed: returns the state of the feed at an address.
        program: returns the state of the releases of filterd.
    """

    async def ping(_: Ping, __: Caller) -> str:
        return "pong"

    async def status(asked: ReadStatus, caller: Caller) -> dict[str, Any]:
        author, policy = author_of(caller), manager.site.policy
        followed = await asyncio.to_thread(feed, policy.feed)
        classes = readable_classes(author, lambda: manager.changes.classroom(manager.site))
        releases, now = await asyncio.to_thread(program), manager.clock()["policy_time"] or 0.0
        seen = as_seen(TotalsRequest(old_s=asked.totals_old_s), author, policy, now)
        facts = await manager.status(classes, seen)
        if not sees_alerts(caller):  # a MAC leads to a device, and so to a person
            facts["disputes"] = [[] for _ in facts["disputes"]]
        return with_protection(manager.site, facts, followed, releases)

    async def clock(_: ReadClock, __: Caller) -> dict[str, Any]:
        return manager.clock()

    async def reload(asked: Reload, caller: Caller) -> Reloaded:
        author_of(caller).must_be(Rank.ADMIN, say("reload"))
        return await manager.reload(lists_only=asked.lists_only)

    return {
        **handled(Ping, ping),
        **handled(ReadStatus, status),
        **handled(ReadClock, clock),
        **handled(Reload, reload),
    }
