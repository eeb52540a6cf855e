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
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import ControlError
from filterd.base.state_folder import BesideFolder
from filterd.daemon.handlers.control_commands import author_of
from filterd.feed.standing import History
from filterd.overrides.changes.change_fields import MAX_REASON
from filterd.overrides.rights.roles import Rank
from filterd.policy.field_checks import shown
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.process import Setting

ANSWERED_WITHIN_S = 45.0
_ENDED_WITHIN_S = 3_600.0
_SOURCES_FOR_S = 60.0
"""A page that is loaded again need not start a process; a decision makes them read anew."""
_MOST_OCTETS = 4 << 20
_LONGEST, _MOST = 2_000, 50
_FLAGS = frozenset(("recommended", "subtrees", "now", "off", "lists"))
_SEVERAL = frozenset(("sources", "accept"))
_DECIDES = "filterd.daemon.list_decisions"
_CHILDREN = {"safesearch verify": "filterd.daemon.safe_search_check"}
"""What does a command, where that is not ``_DECIDES``."""

DECISIONS = {
    "feed approve": ("version", "reason"),
    "feed refuse": ("version", "reason"),
    "feed rollback": ("reason", "lists"),
    "feed hold": ("reason", "off", "lists"),
    "sync": ("now",),
    "lists follow": ("sources", "recommended", "category", "format", "subtrees"),
    "lists unfollow": ("sources",),
    "lists update": ("now", "accept"),
    "lists exclude": ("name", "list", "reason"),
    "safesearch verify": (),
}
"""The arguments of each command that an administrator may ask for."""
_REQUIRED = {"lists exclude": ("name", "list", "reason")}

_log = logging.getLogger("filterd.lists")


def commands(setting: Setting) -> dict[str, Command]:
    """Return the commands by name."""
    desk = ListsDesk(setting)
    return {
        "feed-history": desk.history,
        "lists-sources": desk.sources,
        **{one: partial(desk.decide, one) for one in DECISIONS},
    }


class ListsDesk:
    """The commands; ``setting`` has the folders."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._turn, self._at_work = asyncio.Lock(), ""
        self._reading = asyncio.Lock()
        self._sources: tuple[float, Any] | None = None
        self._tasks = set[asyncio.Task[Any]]()

    async def history(self, _: dict[str, Any], __: Caller) -> list[dict[str, Any]]:
        """Return the history of versions, the latest last."""
        state = self._setting.state
        folders = state.feed, BesideFolder(state.folder).feed
        found = await asyncio.to_thread(
            lambda: [one for each in folders for one in History(each).lines()]
        )
        return [one.to_plain() for one in sorted(found, key=lambda one: one.at)]

    async def sources(self, _: dict[str, Any], caller: Caller) -> Any:
        """Return the public lists that can be followed, and those that are."""
        author_of(caller).must_be(Rank.ADMIN, say("look at public lists"))
        async with self._reading:  # a decision that takes long does not delay it
            now = self._setting.clock.monotonic()
            if self._sources is None or now >= self._sources[0]:
                rows = await asyncio.to_thread(self._in_child, "lists sources", {})
                self._sources = now + _SOURCES_FOR_S, rows
            return self._sources[1]

    async def decide(self, command: str, request: dict[str, Any], caller: Caller) -> Any:
        """Do a command, or refuse it while another is at work.

        Raises:
            FilterdError: as the command.
        """
        author = author_of(caller)
        author.must_be(Rank.ADMIN, say("decide on lists"))
        arguments = arguments_of(command, request, author.name)
        if self._turn.locked():
            raise ControlError(
                say("`{command}` is at work; try again when it has ended", command=self._at_work)
            )
        _log.info("%s by %s", command, author.name)
        return await self._run(command, arguments)

    async def _run(self, command: str, arguments: dict[str, Any]) -> Any:
        task = asyncio.get_running_loop().create_task(self._in_turn(command, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait((task,), timeout=ANSWERED_WITHIN_S)
        return task.result() if done else {"at_work": command}

    async def _in_turn(self, command: str, arguments: dict[str, Any]) -> Any:
        async with self._turn:
            self._at_work = command
            try:
                return await asyncio.to_thread(self._in_child, command, arguments)
            finally:
                self._sources = None

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.warning("%s", error)

    def _in_child(self, command: str, arguments: dict[str, Any]) -> Any:
        """Do a command in a process of its own, and return its answer.

        Raises:
            FilterdError: that of the command.
        """
        request = {
            "config": str(self._setting.config),
            "state": str(self._setting.state.folder),
            "command": command,
            "arguments": arguments,
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


def arguments_of(command: str, request: Mapping[str, Any], author: str) -> dict[str, Any]:
    """Return checked arguments of a command; a reason begins with its author.

    Raises:
        ControlError: an argument is wrong, unknown or missing.
    """
    known = DECISIONS[command]
    if unknown := [one for one in request if one not in known]:
        raise ControlError(
            say("`{command}` has no {name}", command=command, name=shown(unknown[0]))
        )
    for name in _REQUIRED.get(command, ()):
        if name not in request:
            raise ControlError(say("{missing} is missing", missing=name))
    return {name: _argument(name, value, author) for name, value in request.items()}


def _argument(name: str, value: Any, author: str) -> Any:
    if name in _FLAGS:
        return _checked(value, bool)
    if name in _SEVERAL:
        return [_text(one) for one in _several(value)]
    text = _text(value)
    if name == "reason":
        return f"{author}: {text[:MAX_REASON]}" if text[:MAX_REASON].strip() else ""
    return text


def _several(value: Any) -> list[Any]:
    found: list[Any] = _checked(value, list)
    if len(found) > _MOST:
        raise ControlError(say("at most {most} at a time", most=_MOST))
    return found


def _text(value: Any) -> str:
    text: str = _checked(value, str)
    if len(text) > _LONGEST or not text.isprintable():
        raise ControlError(say("a text of at most {most} characters, on one line", most=_LONGEST))
    return text


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ControlError(say("{value} is of another type", value=shown(value)))
    return value
