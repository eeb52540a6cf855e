# SPDX-License-Identifier: Apache-2.0
"""Run the rounds of a writer of the log: one each minute, one at a time."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterd.errors import StoreError
    from filterd.i18n import Sentence

ROUND_S = 60.0

_log = logging.getLogger("filterd.log")


class MinuteRounds(ABC):
    """Rounds that write what the workers have for the log.

    ``is_at_once``: whether the first one is at the start. Workers may not answer yet then, and
    what is asked for meanwhile shares the round.
    """

    def __init__(self, *, is_at_once: bool = False) -> None:
        self._is_at_once = is_at_once
        self._round: asyncio.Task[None] | None = None
        self._minutes: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Work once a minute from now on."""
        self._minutes = asyncio.get_running_loop().create_task(self._go_round())

    async def stop(self) -> None:
        """Finish the round that is at work, and close the files."""
        if self._minutes is not None:
            self._minutes.cancel()
            await asyncio.gather(self._minutes, return_exceptions=True)
        if self._round is not None:
            await self._round
        await self._close()

    async def collect(self) -> None:
        """Write what there is now; calls meanwhile share the same round. Never raises."""
        if self._round is None:
            self._round = asyncio.get_running_loop().create_task(self._collect())
            self._round.add_done_callback(self._round_is_over)
        await asyncio.shield(self._round)

    async def keep_house(self) -> None:
        """Do what is due each minute."""
        await self.collect()

    @abstractmethod
    async def _collect(self) -> None:
        """Do one round; must not raise."""

    @abstractmethod
    async def _close(self) -> None:
        """Close the files."""

    async def _go_round(self) -> None:
        await asyncio.sleep(0 if self._is_at_once else ROUND_S)
        while True:
            try:
                await self.keep_house()
            except Exception:  # noqa: BLE001 -- logged whole; the next round must come
                _log.exception("the log could not be written")
            await asyncio.sleep(ROUND_S)

    def _round_is_over(self, _: asyncio.Task[None]) -> None:
        self._round = None


def logged(error: StoreError, before: Sentence) -> Sentence:
    """Log an error unless it is the one before; return its sentence."""
    if error.sentence != before:
        _log.error("%s; trying again every minute", error)
    return error.sentence
