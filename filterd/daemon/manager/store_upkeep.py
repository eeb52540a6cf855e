# SPDX-License-Identifier: Apache-2.0
"""Keep the files of the history on the disk while the daemon runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from filterd.base.errors import StoreError
from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, Sentence, refused

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.process import Setting
    from filterd.overrides.history.snapshot import Exported
    from filterd.overrides.history.store import Store

_LOOK_EVERY_S = 2.0

_logger = logging.getLogger("filterd.changes")


class StoreUpkeep:
    """The store and its copies, looked at and written anew.

    Args:
        setting: the folders of the daemon.
        store: of the history.
        turn: held while the epoch is about to move.
    """

    def __init__(self, setting: Setting, store: Store, turn: asyncio.Lock) -> None:
        self._setting, self._store, self._turn = setting, store, turn
        self._problem, self._lost = UNSAID, tuple[Sentence, ...]()

    def start(self) -> Exported:
        """Repair the state of the last run; return the overrides in force."""
        now = self._store.start().exported
        self._lost = self._store.lost()
        return now

    async def keep(self) -> None:
        """Write the store and its copies anew whenever one is gone or replaced, for ever.

        A file that is lost while the daemon runs must be there at its next start.
        """
        seen: object = None
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now, self._lost = await asyncio.to_thread(self._look)
            if now == seen:
                continue
            async with self._turn:
                await asyncio.to_thread(self._keep)
            seen = None if self._problem else await asyncio.to_thread(self._marks)

    def _keep(self) -> None:
        """Write the store again; note a problem for the status, and log it once."""
        try:
            self._store.keep()
        except (StoreError, OSError) as error:
            problem = error.sentence if isinstance(error, StoreError) else refused(error)
            if problem != self._problem:
                _logger.error("%s; trying again", problem)
            self._problem = problem
        else:
            self._problem = UNSAID

    def _look(self) -> tuple[object, tuple[Sentence, ...]]:
        return self._marks(), self._store.lost()

    def _marks(self) -> tuple[object, ...]:
        """Return marks that show whether another process has touched the written files."""
        state = self._setting.state
        return tuple(map(_mark, (state.overrides, *state.overrides_copies)))

    async def problems(self) -> list[Any]:
        """Return problems of the store and files set aside, as plain data."""
        problems = await asyncio.to_thread(self._store.problems)
        known = dict.fromkeys((*self._store.lost(), self._problem, *problems))
        return [i18n.to_plain(one) for one in known if one]

    def lost(self) -> list[Any]:
        """Return the notices that every command must show, as plain data."""
        return list(map(i18n.to_plain, self._lost))


def _mark(path: Path) -> object:
    try:
        status = path.lstat()
    except OSError as error:
        return error.errno
    return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode
