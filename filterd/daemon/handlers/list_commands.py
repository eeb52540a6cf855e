# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket that decide on lists.

To fetch, judge and compile, the manager has neither the code nor the memory: a process of its own
does it (``list_decisions``), one after the other. A command waits for its end
``ANSWERED_WITHIN_S`` at most; what takes longer goes on, and its end stands in the history of
versions.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import ControlError
from filterd.base.state_folder import BesideFolder
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.feed.standing import History
from filterd.operations.lists import (
    DECISIONS,
    Decision,
    ReadFeedHistory,
    ReadSources,
    ReasonedDecision,
    VerifySafeSearch,
)
from filterd.overrides.changes import change_fields
from filterd.overrides.rights.roles import Rank
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.process import Setting

ANSWERED_WITHIN_S = 45.0
_ENDED_WITHIN_S = 3_600.0
_SOURCES_FOR_S = 60.0
"""A page that is loaded again need not start a process; a decision makes them read anew."""
_MOST_OCTETS = 4 << 20
_DECIDES = "filterd.daemon.list_decisions"
_CHILDREN = {VerifySafeSearch.command: "filterd.daemon.safe_search_check"}
"""What does a command, where that is not ``_DECIDES``."""

_logger = logging.getLogger("filterd.lists")


def commands(setting: Setting) -> dict[str, Command]:
    """Return the commands by name."""
    desk = ListsDesk(setting)
    found = {**handled(ReadFeedHistory, desk.history), **handled(ReadSources, desk.sources)}
    for one in DECISIONS.values():
        found |= handled(one, desk.decide)
    return found


class ListsDesk:
    """The commands; ``setting`` has the folders."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._turn, self._at_work = asyncio.Lock(), ""
        self._reading = asyncio.Lock()
        self._sources: tuple[float, Any] | None = None
        self._tasks = set[asyncio.Task[Any]]()

    async def history(self, _: ReadFeedHistory, __: Caller) -> list[dict[str, Any]]:
        """Return the history of versions, the latest last."""
        state = self._setting.state
        folders = state.feed, BesideFolder(state.folder).feed
        found = await asyncio.to_thread(
            lambda: [one for each in folders for one in History(each).lines()]
        )
        return [one.to_plain() for one in sorted(found, key=lambda one: one.at)]

    async def sources(self, asked: ReadSources, caller: Caller) -> Any:
        """Return the public lists that can be followed, and those that are."""
        author_of(caller).must_be(Rank.ADMIN, say("look at public lists"))
        async with self._reading:  # a decision that takes long does not delay it
            now = self._setting.clock.monotonic()
            if self._sources is None or now >= self._sources[0]:
                rows = await asyncio.to_thread(self._in_child, asked)
                self._sources = now + _SOURCES_FOR_S, rows
            return self._sources[1]

    async def decide(self, asked: Decision, caller: Caller) -> Any:
        """Do a decision, or refuse it while another is at work.

        Raises:
            FilterdError: as the command.
        """
        author = author_of(caller)
        author.must_be(Rank.ADMIN, say("decide on lists"))
        if isinstance(asked, ReasonedDecision):
            asked = replace(asked, reason=_reason(asked.reason, author.name))
        if self._turn.locked():
            raise ControlError(
                say("`{command}` is at work; try again when it has ended", command=self._at_work)
            )
        _logger.info("%s by %s", asked.command, author.name)
        return await self._run(asked)

    async def _run(self, asked: Decision) -> Any:
        task = asyncio.get_running_loop().create_task(self._in_turn(asked))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait((task,), timeout=ANSWERED_WITHIN_S)
        return task.result() if done else {"at_work": asked.command}

    async def _in_turn(self, asked: Decision) -> Any:
        async with self._turn:
            self._at_work = asked.command
            try:
                return await asyncio.to_thread(self._in_child, asked)
            finally:
                self._sources = None

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _logger.warning("%s", error)

    def _in_child(self, asked: Decision | ReadSources) -> Any:
        """Do a request in a process of its own, and return its answer.

        Raises:
            FilterdError: that of the command.
        """
        command = asked.command
        request = {
            "config": str(self._setting.config),
            "state": str(self._setting.state.folder),
            "command": command,
            "arguments": asked.arguments,
        }
        answer = bounded_child.ask(
            _CHILDREN.get(command, _DECIDES),
            request,
            say("`{command}` failed: {why}", command=command),
            say("`{command}` took too long", command=command),
            limit_s=_ENDED_WITHIN_S,
            most_octets=_MOST_OCTETS,
        )
        return json.loads(answer)


def _reason(given: str, author: str) -> str:
    """Return a reason with its author, "" for none."""
    text = change_fields.reason(given, required=False)
    return f"{author}: {text}" if text else ""
