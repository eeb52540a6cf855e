# SPDX-License-Identifier: Apache-2.0
"""The tables name commands and kinds that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from filterd.accounts.token_scopes import OF_SESSIONS, OPEN, SCOPES, is_in_scope
from filterd.daemon import (
    list_commands,
    log_commands,
    report_commands,
    school_commands,
    totals_commands,
)
from filterd.daemon.control_commands import commands
from filterd.daemon.inspection_commands import Inspections
from filterd.daemon.self_tests import SelfTests
from filterd.daemon.totals_export import TotalsExport
from filterd.overrides.change_kinds import KINDS, MADE_ELSEWHERE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.account_school import AccountSchool


def test_every_command_of_a_scope_is_there(people: AccountSchool, tmp_path: Path) -> None:
    manager = cast("Any", people.accounts._state.manager)
    setting: Any = people.accounts._state
    setting.state = people.state
    known = {
        *people.accounts.commands(),
        *commands(manager, lambda _: {}),
        *totals_commands.commands(manager, TotalsExport(manager, tmp_path)),
        *report_commands.commands(manager, TotalsExport(manager, tmp_path), manager),
        *list_commands.commands(setting),
        *school_commands.commands(manager),
        *SelfTests(lambda: manager.site, (), setting.clock).commands(),
        *Inspections(manager, setting, *cast("Any", [dict] * 4)).commands(),
        *(f"change {kind}" for kind in KINDS if kind not in MADE_ELSEWHERE),
    }
    manager.lookups = manager.live = None
    known |= set(log_commands.commands(manager, setting))
    named = OPEN | OF_SESSIONS | frozenset[str]().union(*filter(None, SCOPES.values()))
    assert named - known == set()


def test_an_unknown_scope_has_nothing() -> None:
    assert not is_in_scope("everything", "status", {})
    assert not is_in_scope("exceptions", "change", {"kind": ["exception"]})
    assert not is_in_scope("exceptions", "change", {})
