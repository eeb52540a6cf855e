# SPDX-License-Identifier: Apache-2.0
"""Make changes of all kinds: ``overrides`` reads and judges each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.daemon.handlers.control_caller import author_of

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the command by its name."""

    async def change(request: dict[str, Any], caller: Caller) -> Any:
        return await manager.changes.change(request, author_of(caller))

    return {"change": change}
