# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket that decide on lists.

To fetch, judge and compile, the manager has neither the code nor the memory: ``filterd`` does
it in a process of its own, as at the command line, and one after the other. A command waits
for its end ``ANSWERED_WITHIN_S`` at most; what takes longer goes on, and its end stands in the
history of versions.
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd import bounded_child
from filterd.daemon.control_commands import author_of
from filterd.errors import ControlError, FilterdError, StoreError, from_plain
from filterd.feed.standing import History
from filterd.field_checks import shown
from filterd.i18n import say
from filterd.overrides.change_fields import MAX_REASON
from filterd.overrides.roles import Rank
from filterd.state_folder import BesideFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.process import Setting

ANSWERED_WITHIN_S = 45.0
_ENDED_WITHIN_S = 3_600.0
_SOURCES_FOR_S = 60.0
"""A page that is loaded again need not start a process; a decision makes them read anew."""
_MOST_OCTETS = 4 << 20
_LONGEST, _MOST = 2_000, 50
_FLAGS = {
    "recommended": "--recommended",
    "subtrees": "--subtrees",
    "now": "--now",
    "off": "--off",
    "lists": "--lists",
}
_OPTIONS = {"reason": "--reason", "category": "--category", "format": "--format", "list": "--list"}

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
                rows = await asyncio.to_thread(self._in_child, "lists sources", [])
                self._sources = now + _SOURCES_FOR_S, rows
            return self._sources[1]

    async def decide(self, command: str, request: dict[str, Any], caller: Caller) -> Any:
        """Do a command, or refuse it while another is at work.

        Raises:
            FilterdError: as the command.
        """
        author = author_of(caller)
        author.must_be(Rank.ADMIN, say("decide on lists"))
        words = words_of(command, request, author.name)
        if self._turn.locked():
            raise ControlError(
                say("`{command}` is at work; try again when it has ended", command=self._at_work)
            )
        _log.info("%s by %s", command, author.name)
        return await self._run(command, words)

    async def _run(self, command: str, words: list[str]) -> Any:
        task = asyncio.get_running_loop().create_task(self._in_turn(command, words))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait((task,), timeout=ANSWERED_WITHIN_S)
        return task.result() if done else {"at_work": command}

    async def _in_turn(self, command: str, words: list[str]) -> Any:
        async with self._turn:
            self._at_work = command
            try:
                return await asyncio.to_thread(self._in_child, command, words)
            finally:
                self._sources = None

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.warning("%s", error)

    def _in_child(self, command: str, words: list[str]) -> Any:
        """Run a command of ``filterd``, and return what it prints.

        Raises:
            FilterdError: that of the command.
        """
        folders = (
            "--config",
            str(self._setting.config),
            "--state",
            str(self._setting.state.folder),
        )
        called = bounded_child.command_line(*folders, *command.split(), "--json", *words)
        try:
            ended = bounded_child.run(called, limit_s=_ENDED_WITHIN_S, most_octets=_MOST_OCTETS)
            outcome = json.loads(ended.output)
        except TimeoutError:
            raise StoreError(say("`{command}` took too long", command=command)) from None
        except OSError as error:
            raise bounded_child.not_started(error) from error
        except ValueError:
            raise StoreError(
                say("`{command}` failed: {why}", command=command, why=ended.last_words)
            ) from None
        if isinstance(outcome, dict) and "error" in outcome:
            raise _error_of(outcome)
        return outcome


def words_of(command: str, request: Mapping[str, Any], author: str) -> list[str]:
    """Return the words of a command line; no text of a request is an option.

    Raises:
        ControlError: an argument is wrong or unknown.
    """
    known = DECISIONS[command]
    if unknown := [one for one in request if one not in known]:
        raise ControlError(
            say("`{command}` has no {name}", command=command, name=shown(unknown[0]))
        )
    options, texts = list[str](), list[str]()
    for name, value in request.items():
        if name in _FLAGS:
            options += [_FLAGS[name]] if _checked(value, bool) else []
        elif name == "accept":
            options += [f"--accept={_text(one)}" for one in _several(value)]
        elif name == "reason":
            reason = _text(value)[:MAX_REASON]
            options.append(f"--reason={f'{author}: {reason}' if reason.strip() else ''}")
        elif name in _OPTIONS:
            options.append(f"{_OPTIONS[name]}={_text(value)}")
        else:
            texts += map(_text, _several(value) if name == "sources" else [value])
    return [*options, "--", *texts]


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


def _error_of(outcome: Mapping[str, Any]) -> FilterdError:
    try:
        return from_plain(outcome)
    except (KeyError, TypeError, ValueError):
        return StoreError(say("{why}", why=str(outcome["error"])[:_LONGEST]))
