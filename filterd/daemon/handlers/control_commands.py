# SPDX-License-Identifier: Apache-2.0
"""Make changes; say who asks, and what they see.

Every user who may open the socket may read. Commands that act need a rank, which follows
from the user that the kernel reports (``filterd.overrides.rights.roles``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from filterd.overrides.rights.roles import Author, Rank

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the command of all kinds of changes, which ``overrides`` judges."""

    async def change(request: dict[str, Any], caller: Caller) -> Any:
        return await manager.changes.change(request, author_of(caller))

    return {"change": change}


def author_of(caller: Caller) -> Author:
    """Return a caller as an author, with its rank."""
    if caller.grant is not None:
        grant = caller.grant
        return Author.with_roles(grant.author, grant.roles, is_fresh=grant.is_fresh)
    return Author.of(caller.uid, caller.user, caller.groups, os.geteuid())


def sees_alerts(caller: Caller) -> bool:
    """Return whether addresses of alerts are shown; a webhook's may be a secret.

    Users of the gateway can read ``site.yaml``; people by the web cannot.
    """
    return caller.grant is None or author_of(caller).rank >= Rank.ADMIN


def known_or_least(manager: Manager) -> float:
    """Return the time that policy goes by, or the last known."""
    clock = manager.clock()
    return float(clock["floor"] if clock["policy_time"] is None else clock["policy_time"])
