# SPDX-License-Identifier: Apache-2.0
"""Assemble the manager: the control socket, its commands, reloads, a watchdog.

No other process needs these modules. So they are imported when the manager is a process
of its own and has yielded to the workers, and delay no first answer.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.base.errors import FilterdError, StoreError
from filterd.daemon.handlers import (
    change_commands,
    device_commands,
    exam_commands,
    history_commands,
    list_commands,
    log_commands,
    policy_commands,
    report_commands,
    room_commands,
    status_commands,
    totals_commands,
)
from filterd.daemon.handlers.account_commands import Accounts
from filterd.daemon.handlers.control_caller import PAGE_GROUP, WEB_GROUP
from filterd.daemon.handlers.control_server import ControlServer
from filterd.daemon.handlers.inspection_commands import Inspections
from filterd.daemon.handlers.review_commands import PupilPage, Reviews
from filterd.daemon.handlers.self_tests import SelfTestOutcome, SelfTests
from filterd.daemon.handlers.site_drafts import SiteDrafts
from filterd.daemon.handlers.totals_commands import TotalsExport
from filterd.daemon.handlers.what_if_commands import WhatIf
from filterd.daemon.manager.manager import Manager
from filterd.daemon.manager.site_loader import log_error
from filterd.daemon.manager.site_policy import is_of_another_release
from filterd.daemon.process import Heart, on_hangup, stop_event
from filterd.daemon.serving import watchdog
from filterd.feed.program_standing import program_overview
from filterd.feed.standing import StandingFile, overview
from filterd.overrides.rights.roles import Role
from filterd.querylog.day_schema import DaySpan

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.handlers.self_tests import SelfTestRun
    from filterd.daemon.process import Setting

_logger = logging.getLogger("filterd")


class _CommandGroups:
    """The groups of commands in front of the manager, each with what it keeps."""

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self._manager, self._setting = manager, setting
        self.accounts = Accounts(manager, setting)
        noted = partial(_note_tests, manager)
        self.tests = SelfTests(lambda: manager.site, setting.listen, setting.time, noted)
        manager.signals.accounts = self.accounts.status
        manager.signals.self_test = self.tests.summary
        feed = setting.state.feed
        manager.signals.lists_verified_at = lambda: StandingFile(feed).read().verified_at

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        manager, setting = self._manager, self._setting
        reviews, drafts = Reviews(manager, setting), SiteDrafts(manager, setting)
        export = TotalsExport(manager, setting.state.published_totals)
        feed = partial(overview, state=setting.state, clock=setting.clock)
        program = partial(program_overview, setting.state.folder)
        book, tests = lambda: self.accounts.book, self.tests
        return {
            **change_commands.commands(manager),
            **status_commands.commands(manager, feed, program),
            **policy_commands.commands(manager),
            **totals_commands.commands(manager, export),
            **report_commands.commands(manager, export, reviews),
            **log_commands.commands(manager, setting),
            **list_commands.commands(setting),
            **history_commands.commands(manager),
            **room_commands.commands(manager),
            **device_commands.commands(manager),
            **exam_commands.commands(manager),
            **self.accounts.commands(),
            **Inspections(manager, setting, feed, program, book, tests.run).commands(),
            **drafts.commands(),
            **WhatIf(manager, setting, drafts).commands(),
            **reviews.commands(),
            **tests.commands(),
            **PupilPage(manager, reviews).commands(),
        }


class _HangUps:
    """Reloads that a hang-up asks for."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._reloads = set[asyncio.Task[None]]()

    def reload(self) -> None:
        """Begin a reload; an error of it is logged."""
        task = asyncio.get_running_loop().create_task(_reload(self._manager))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)


async def manage(setting: Setting, ends: Sequence[socket.socket]) -> None:
    """Run the manager until a signal to stop.

    Args:
        setting: the folders and clocks of the daemon.
        ends: a channel to each worker.
    """
    stop = stop_event()
    manager = Manager(setting, ends)
    groups = _CommandGroups(manager, setting)
    users = [*(role.group for role in Role), WEB_GROUP, PAGE_GROUP]
    control = ControlServer(
        setting.state.control_socket,
        groups.commands(),
        users,
        manager.notices,
        groups.accounts.granting,
    )
    heart = Heart(setting.page, 0)
    heart.start()
    # Written lookups make thousands of objects at once and leave no cycles, as in a worker.
    gc.set_threshold(10_000)
    await manager.start()
    await _start_or_do_without(control)
    watch = watchdog.of_the_manager(lambda: manager.site, setting)
    manager.signals.is_watchdog_failing = lambda: watch.is_failing
    kept = (
        watch.run(),
        control.keep(),
        manager.changes.upkeep.keep(),
        manager.keep_files(),
        manager.write_what_is_in_memory(),
        manager.signals.keep(manager.changes.records.verify),
        groups.tests.keep(),
    )
    tasks = [asyncio.get_running_loop().create_task(one) for one in kept]
    hang_ups = _HangUps(manager)
    on_hangup(hang_ups.reload)
    heart.note_ready()
    if await asyncio.to_thread(is_of_another_release, setting):
        hang_ups.reload()
    await stop.wait()
    heart.stop()
    for task in tasks:
        task.cancel()
    await control.close()
    await manager.write_last()
    await manager.stop()


async def _start_or_do_without(control: ControlServer) -> None:
    """Start the control socket, or serve without it.

    Commands must not be able to take the DNS down: a full or damaged disk ends only them.
    """
    try:
        await control.start()
    except StoreError as error:
        _logger.error("%s; serving without it", error)


def _note_tests(manager: Manager, run: SelfTestRun) -> None:
    """Keep the numbers of a self-test with its day, unless the day is not known."""
    now = manager.clock()["policy_time"]
    if now is not None:
        day = DaySpan.at(now, ZoneInfo(manager.site.policy.time_zone)).day
        passed, failed = map(run.count, (SelfTestOutcome.PASSED, SelfTestOutcome.FAILED))
        manager.log_keeper.note_tests(day, passed, failed)


async def _reload(manager: Manager) -> None:
    before = manager.site
    try:
        await manager.reload()
    except FilterdError as error:
        log_error(error)
        if manager.site is before:
            _logger.error("not reloaded: what was in force stays")
