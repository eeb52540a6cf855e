# SPDX-License-Identifier: Apache-2.0
"""Read what is set, the history and reported mistakes; take back a setting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ChangeError
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.operations.exams import ReadExams
from filterd.operations.exceptions import ReadExceptions
from filterd.operations.history import (
    MOST_ROWS,
    ReadHistory,
    ReadOverrides,
    Undo,
    UndoSetting,
    VerifyHistory,
)
from filterd.operations.mistakes import ReadMistakes
from filterd.overrides.history.history_chain import UNDO
from filterd.overrides.override_rows import with_states
from filterd.overrides.rights.roles import Rank
from filterd.policy.unknown_time import known_or_least
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""

    async def overrides(asked: ReadOverrides, caller: Caller) -> dict[str, Any]:
        return await manager.changes.records.overrides(asked.at, names=_sees_devices(caller))

    async def history(asked: ReadHistory, caller: Caller) -> list[dict[str, Any]]:
        return await manager.changes.records.history(
            asked.limit, views=asked.views, before=asked.before, names=_sees_devices(caller)
        )

    async def verify(_: VerifyHistory, __: Caller) -> dict[str, Any]:
        return await manager.changes.records.verify()

    async def with_states_now(
        asked: ReadExceptions | ReadExams, caller: Caller
    ) -> list[Mapping[str, Any]]:
        past = None
        if asked.all_:
            past = await manager.changes.records.history(MOST_ROWS, names=_sees_devices(caller))
        set_now, clock = manager.site.timed.overrides, manager.clock()
        now, not_before = known_or_least(clock), float(clock["not_before"])
        # With all that has ended it goes through a whole history.
        return await asyncio.to_thread(with_states, set_now, asked.command, now, past, not_before)

    async def undo_setting(asked: UndoSetting, caller: Caller) -> dict[str, Any]:
        number = _last_setting(await manager.changes.records.history(MOST_ROWS))
        change = Undo(number=number, reason=asked.reason)
        return await manager.changes.change(change.arguments, author_of(caller))

    async def mistakes(_: ReadMistakes, __: Caller) -> list[dict[str, Any]]:
        return await manager.changes.records.mistakes()

    return {
        **handled(ReadExceptions, with_states_now),
        **handled(ReadExams, with_states_now),
        **handled(ReadOverrides, overrides),
        **handled(ReadHistory, history),
        **handled(VerifyHistory, verify),
        **handled(UndoSetting, undo_setting),
        **handled(ReadMistakes, mistakes),
    }


def _sees_devices(caller: Caller) -> bool:
    """Return whether names of devices are shown; for teachers, by ``devices`` only."""
    return author_of(caller).rank >= Rank.ADMIN


def _last_setting(rows: Iterable[Mapping[str, Any]]) -> int:
    """Return the number of the last setting of a grade that no undo has taken back.

    Raises:
        ChangeError: there is none.
    """
    gone = set[int]()
    for row in rows:
        if row["number"] in gone:
            continue
        if row["kind"] == UNDO:
            gone.add(row["payload"]["number"])
        elif row["kind"] == "grade":
            return int(row["number"])
    raise ChangeError(
        say("no setting of a grade is left to undo"), hint=say("see `filterd policy history`")
    )
