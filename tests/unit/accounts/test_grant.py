# SPDX-License-Identifier: Apache-2.0
"""A grant has the rights of its token; some commands need a password or a scope too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.accounts.grant import (
    NEEDS_PASSWORD,
    NO_GRANT,
    OF_SESSIONS,
    OPEN,
    SCOPES,
    AuthorChannel,
    Grant,
    is_in_scope,
    needs_password,
)
from filterd.daemon import (
    list_commands,
    log_commands,
    report_commands,
    totals_commands,
)
from filterd.daemon.control_commands import commands
from filterd.daemon.inspection_commands import Inspections
from filterd.daemon.self_tests import SelfTests
from filterd.daemon.totals_commands import TotalsExport
from filterd.overrides.change_kinds import KINDS, MADE_ELSEWHERE
from filterd.overrides.roles import Author, Rank, Role, person_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.account_school import AccountSchool


def test_the_history_shows_the_way_before_the_name() -> None:
    for channel in AuthorChannel:
        author = Grant("lan", frozenset((Role.TEACHER,)), channel).author
        assert author == f"{channel.value}:lan"
        assert person_of(author) == "lan"


def test_without_a_session_there_is_no_right() -> None:
    author = Author.with_roles(NO_GRANT.author, NO_GRANT.roles)
    assert (author.rank, author.roles) == (Rank.READER, frozenset())


def test_commands_of_the_table_are_there(people: AccountSchool) -> None:
    of_accounts = {one for one in NEEDS_PASSWORD if one.startswith("account ")}
    assert set(people.commands) >= of_accounts
    assert NEEDS_PASSWORD - of_accounts == {"log purge", "site-apply"}


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({"kind": "log-level", "level": "full"}, True),
        ({"kind": "log-level"}, True),
        ({"kind": "log-confirm", "id": 3}, True),
        ({"kind": "log-confirm", "id": 3, "level": "off"}, True),
        ({"kind": "log-level", "level": "off"}, False),
        ({"kind": "exception"}, False),
        ({"kind": ["log-level"]}, False),
        ({}, False),
    ],
)
def test_of_changes_only_the_level_full_needs_it(given: dict[str, Any], *, needs: bool) -> None:
    assert needs_password("change", given) == needs


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
