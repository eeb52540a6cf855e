# SPDX-License-Identifier: Apache-2.0
"""Hear in a trial run which names a room looks up for its exam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.daemon.handlers.room_commands import known_room
from filterd.operations.exams import ReadTrialNames, TrialRoom, WatchExam
from filterd.overrides.history.history_chain import TRIAL
from filterd.overrides.rights.permissions import check_listening
from filterd.overrides.rights.roles import Author, Rank
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""

    async def watch(asked: WatchExam, caller: Caller) -> TrialRoom:
        author = _listener(manager, asked.room, caller)
        if asked.off:
            await manager.trials.end(asked.room)
        else:
            await manager.changes.note(TRIAL, {"room": asked.room}, author)
            await manager.trials.begin(asked.room, author.person)
        return TrialRoom(asked.room)

    async def names(asked: ReadTrialNames, caller: Caller) -> dict[str, Any]:
        return await manager.trials.names(asked.room, _listener(manager, asked.room, caller).person)

    return {**handled(WatchExam, watch), **handled(ReadTrialNames, names)}


def _listener(manager: Manager, room: str, caller: Caller) -> Author:
    """Return who listens to a room: only a teacher's class may be listened to.

    Raises:
        ControlError: there is no such room, or the caller may not listen to it.
    """
    author = author_of(caller)
    author.must_be(Rank.TEACHER, say("watch what a room looks up"))
    known_room(manager, room)
    check_listening(author, room, manager.changes.classroom(manager.site))
    return author
