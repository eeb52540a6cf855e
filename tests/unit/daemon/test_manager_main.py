# SPDX-License-Identifier: Apache-2.0
"""Errors in the manager are logged in lines, and end no process."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.daemon import manager_main
from filterd.daemon.handlers.control_server import ControlServer
from filterd.daemon.handlers.self_tests import SelfTestOutcome, SelfTestRun, TierResult
from filterd.texts.i18n import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.manager.manager import Manager


def _manager(reload: Any, site: object) -> Manager:
    return cast("Manager", SimpleNamespace(reload=reload, site=site))


def test_without_a_control_socket_it_serves_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").write_text("where a folder has to be")
    control = ControlServer(tmp_path / "a file" / "control.sock", {}, ())
    asyncio.run(manager_main._start_or_do_without(control))
    (line,) = caplog.messages
    assert line.endswith("; serving without it")
    assert "\n" not in line


def test_a_reload_that_is_refused_is_a_line_for_each_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse() -> None:
        raise ConfigErrors([ConfigError(quoted("one")), ConfigError(quoted("two"))])

    asyncio.run(manager_main._reload(_manager(refuse, site=object())))
    assert caplog.messages == ["one", "two", "not reloaded: what was in force stays"]


def test_of_one_that_took_part_of_it_only_the_reasons_are_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def take_the_lists_and_report_errors() -> None:
        manager.site = object()
        raise ConfigErrors([ConfigError(quoted("one"))])

    manager: Any = _manager(take_the_lists_and_report_errors, site=object())
    asyncio.run(manager_main._reload(manager))
    assert caplog.messages == ["one"]


@pytest.mark.parametrize(("now", "noted"), [(None, []), (1_764_570_600.0, [("2025-12-01", 1, 0)])])
def test_a_self_test_is_kept_with_its_day_where_the_day_is_known(
    now: float | None, noted: list[Any]
) -> None:
    kept = list[Any]()
    policy = SimpleNamespace(time_zone="Asia/Ho_Chi_Minh")
    manager: Any = _manager(None, SimpleNamespace(policy=policy))
    manager.clock = lambda: {"policy_time": now}
    manager.log_keeper = SimpleNamespace(note_tests=lambda *one: kept.append(one))
    row = TierResult("primary", "porn", SelfTestOutcome.PASSED, "udp")
    manager_main._note_tests(manager, SelfTestRun(0.0, (row,)))
    assert kept == noted
