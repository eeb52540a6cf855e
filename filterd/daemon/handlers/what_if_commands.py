# SPDX-License-Identifier: Apache-2.0
"""The command ``what-if``: what another policy or other lists would have changed.

A child process compiles the other and judges the recorded days (``feed.policy_trial``); here are
the caller's rights, the record of the look, and bounds. One trial is at work at a time. Files of
a person come in ``state.what_if``, in which only this user and root can write. A trial that takes
longer than ``ANSWERED_WITHIN_S`` goes on, and its outcome is for the user that asks again, within
``KEPT_S``: later it is of lists or a policy that may be in force no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from filterd.base import bounded_child
from filterd.base.errors import ControlError
from filterd.base.paths import make_folder, writing
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.operations.policy import TryPolicy
from filterd.overrides.changes import effects
from filterd.overrides.rights.read_access import View, check_view
from filterd.overrides.rights.roles import Rank
from filterd.policy.log_levels import levels_of
from filterd.querylog.day_schema import DaySpan
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.handlers.site_drafts import SiteDrafts
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.operations.parameters.trial import Tried
    from filterd.overrides.rights.roles import Author

_T = TypeVar("_T")
CHILD = "filterd.feed.policy_trial"
WITHIN_S, KEPT_S = 240.0, 60.0
AT_WORK = "at_work"
LIST_FILE = "list"
_MOST_OCTETS = 4 << 20
_LEFT_S = 3_600.0
"""After which what an interrupted command has left in the folder is removed by the next one."""

_given = re.compile(r"given-[A-Za-z0-9_]{1,40}", re.ASCII).fullmatch


class WhatIf:
    """The command; ``drafts`` has the edits of the site that administrators look at."""

    def __init__(self, manager: Manager, setting: Setting, drafts: SiteDrafts) -> None:
        self._manager, self._setting, self._drafts = manager, setting, drafts
        self._trial: tuple[str, asyncio.Task[dict[str, Any]]] | None = None
        self._ended_at = 0.0
        self._first_seen: dict[str, float] = {}

    def commands(self) -> dict[str, Command]:
        """Return the command by name."""
        return handled(TryPolicy, self.what_if)

    async def what_if(self, asked: TryPolicy, caller: Caller) -> dict[str, Any]:
        """Return what would change, with names; the history records the look."""
        author = author_of(caller)
        author.must_be(Rank.ADMIN, say("try another policy"))
        check_view(author, View.ROWS)
        other = self._other(asked.tried, author)
        site, now = self._manager.site, self._manager.clock()["policy_time"] or 0.0
        zone = ZoneInfo(site.policy.time_zone)
        days = [one.day for one in DaySpan.last(asked.days, now, zone)]
        await self._manager.changes.note_view(View.ROWS, author, {"days": days})
        content = {
            "config": str(self._setting.config),
            "state": str(self._setting.state.folder),
            "other": other,
            "days": days,
            "today": days[0],
            "now": now,
            "overrides": effects.to_plain(site.timed.overrides),
        }
        outcome = await self._answer(content, asked.within_s)
        policy = site.policy
        return {
            **outcome,
            "levels": {tier: one.value for tier, one in levels_of(policy).items()},
            "least_devices": policy.log.least_devices,
            "keep_days": policy.log.keep_days,
        }

    async def _answer(self, content: dict[str, Any], within_s: int) -> dict[str, Any]:
        """Return the outcome of a trial, or that it is at work and is asked for again.

        Raises:
            ControlError: another one is at work.
            FilterdError: it failed.
        """
        key = json.dumps([content["other"], content["days"]])
        if self._trial is not None:
            is_other, is_done = self._trial[0] != key, self._trial[1].done()
            if is_other and not is_done:
                raise ControlError(say("another trial is at work; try again when it has ended"))
            if is_other or (is_done and self._now() - self._ended_at > KEPT_S):
                self._trial = None
        if self._trial is None:
            task = asyncio.get_running_loop().create_task(apart(self._in_child, content))
            task.add_done_callback(self._note_end)
            self._trial = key, task
        _, task = self._trial
        done, _ = await asyncio.wait((task,), timeout=within_s)
        if not done:
            return {AT_WORK: True}
        if self._trial is not None and self._trial[1] is task:
            self._trial = None
        return task.result()

    def _note_end(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._ended_at = self._now()
        if not task.cancelled():
            task.exception()  # it is raised where the outcome is asked for

    def _now(self) -> float:
        return self._setting.clock.monotonic()

    def _other(self, tried: Tried, author: Author) -> dict[str, Any]:
        """Return what is tried, as the child takes it."""
        if tried.draft:
            return {"text": self._drafts.text_of(author)}
        folder = self._setting.state.what_if
        if tried.site:
            return {"site": str(folder / tried.site)}
        if tried.feed:
            return {"feed": tried.feed}
        how = {"category": tried.category, "format": tried.format, "subtrees": tried.subtrees}
        if tried.list:
            return {"list": str(folder / tried.list / LIST_FILE), **how}
        lists = {"source": tried.source, "address": tried.address}
        return lists | (how if tried.address else {})

    def _in_child(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the child in its folder.

        Raises:
            FilterdError: it refuses, or it failed.
        """
        folder = self._setting.state.what_if
        with writing(folder):
            make_folder(folder, mode=0o700)
        self._remove_left(folder)
        try:
            answer = bounded_child.ask(
                CHILD,
                request,
                say("the trial failed: {why}"),
                say(
                    "the trial took more than {limit_s} s; try fewer days", limit_s=round(WITHIN_S)
                ),
                limit_s=WITHIN_S,
                most_octets=_MOST_OCTETS,
            )
        finally:
            self._remove_left(folder)
        outcome: dict[str, Any] = json.loads(answer)
        return outcome

    def _remove_left(self, folder: Path) -> None:
        """Remove what a killed child or command has left; a command at work is left alone.

        Ages are by the monotonic clock: a wall clock that is set to the right hour would take
        the files of a command at work away.
        """
        now, seen = self._now(), self._first_seen
        self._first_seen = {one.name: seen.get(one.name, now) for one in folder.glob("*")}
        for name, first in self._first_seen.items():
            if not _given(name) or now - first > _LEFT_S:
                with contextlib.suppress(OSError):
                    shutil.rmtree(folder / name)


async def apart(work: Callable[[_T], dict[str, Any]], given: _T) -> dict[str, Any]:
    """Do ``work`` in a thread for which the end of this process does not wait.

    One of the loop's would delay the end of a stop, and so the answers after a restart, by
    seconds. The child ends with its thread.
    """
    done = Future[dict[str, Any]]()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work(given))
        except BaseException as error:  # noqa: BLE001 -- it is raised where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)
