# SPDX-License-Identifier: Apache-2.0
"""Ask the workers: all of them, those that answer soon, or any one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError
from filterd.daemon.worker_channel import Channel, Handlers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence


_WORKER_WITHIN_S = 20.0
_STATUS_WITHIN_S = 2.0


class WorkerTeam:
    """The channels to the workers.

    Args:
        ends: of the channels.

    Attributes:
        channels: one a worker; none before ``open``.
    """

    def __init__(self, ends: Sequence[socket.socket]) -> None:
        self._ends, self.channels = ends, list[Channel]()

    def open(self, handlers: Callable[[int], Handlers]) -> None:
        """Connect to the workers.

        Args:
            handlers: return what a worker of this number may ask.
        """
        self.channels[:] = [Channel(end, handlers(number)) for number, end in enumerate(self._ends)]

    async def close(self) -> None:
        """Close the channels."""
        for channel in self.channels:
            await channel.close()

    async def tell_all(self, what: str, **arguments: Any) -> None:
        """Ask every worker.

        Raises:
            FilterdError: the error of the first that fails.
        """
        asked = (
            worker.ask(what, within_s=_WORKER_WITHIN_S, **arguments) for worker in self.channels
        )
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def ask_those_that_answer(self, what: str) -> list[dict[str, Any]]:
        """Ask every worker; return the answers of those that answer soon."""
        asked = (worker.ask(what, within_s=_STATUS_WITHIN_S) for worker in self.channels)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        return [outcome for outcome in outcomes if isinstance(outcome, dict)]

    async def ask_one(self, what: str, **arguments: Any) -> Any:
        """Ask one worker; all know the same, so the next is asked if one is silent.

        Raises:
            FilterdError: the error of the last one.
        """
        for worker in self.channels[:-1]:
            with contextlib.suppress(ControlError):
                return await worker.ask(what, within_s=_STATUS_WITHIN_S, **arguments)
        return await self.channels[-1].ask(what, within_s=_WORKER_WITHIN_S, **arguments)
