# SPDX-License-Identifier: Apache-2.0
"""Some commands need a password or a scope too, by what each request says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

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
from filterd.daemon.handlers.inspection_commands import Inspections
from filterd.daemon.handlers.self_tests import SelfTests
from filterd.daemon.handlers.totals_commands import TotalsExport
from filterd.operations.request import OperationRequest, RequestedChange
from filterd.operations.scopes import OPEN, REQUESTS, is_in_scope, needs_password, needs_root
from filterd.overrides.changes.change_kinds import KINDS, MADE_ELSEWHERE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.account_school import AccountSchool


COMMANDS = {one for one in REQUESTS if not one.startswith("change ")}
GUARDED = {one for one in COMMANDS if needs_password(one, {})}
OF_SESSIONS = {"logout", "logout-others", "confirm-password"}


def test_commands_of_the_table_are_there(people: AccountSchool) -> None:
    of_accounts = {one for one in GUARDED if one.startswith("account ")}
    assert set(people.commands) >= of_accounts
    deletes, widens = {"log forget", "log purge"}, {"lists unfollow", "lists exclude"}
    assert GUARDED - of_accounts == {"site-apply", "feed approve"} | deletes | widens


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({"kind": "log-level", "level": "full"}, True),
        ({"kind": "log-level"}, True),
        ({"kind": "log-confirm", "id": 3}, True),
        ({"kind": "log-confirm", "id": 3, "level": "off"}, True),
        ({"kind": "log-level", "level": "off"}, True),
        ({"kind": "log-level", "level": "counts"}, False),
        ({"kind": "clock-accept"}, True),
        ({"kind": "log-level", "level": ["off"]}, False),
        ({"kind": "exception"}, False),
        ({"kind": ["log-level"]}, False),
        ({}, False),
    ],
)
def test_of_changes_levels_that_show_all_or_count_nothing_need_it(
    given: dict[str, Any], *, needs: bool
) -> None:
    assert needs_password("change", given) == needs


@pytest.mark.parametrize(
    ("command", "given"),
    [
        *((one, {}) for one in sorted(GUARDED)),
        ("change", {"kind": "log-level", "level": "full"}),
        ("change", {"kind": "log-level", "level": "off"}),
        ("change", {"kind": "clock-accept"}),
    ],
)
def test_what_needs_a_password_needs_root_at_the_gateway(
    command: str, given: dict[str, Any]
) -> None:
    assert needs_password(command, given)
    assert needs_root(command, given)


def test_a_second_person_is_not_root() -> None:
    given = {"kind": "log-confirm", "id": 3}
    assert needs_password("change", given)
    assert not needs_root("change", given)


def test_every_command_of_a_scope_is_there(people: AccountSchool, tmp_path: Path) -> None:
    manager = cast("Any", people.accounts._state.manager)
    setting: Any = people.accounts._state
    setting.state = people.state
    known = {
        *people.accounts.commands(),
        *history_commands.commands(manager),
        *room_commands.commands(manager),
        *device_commands.commands(manager),
        *exam_commands.commands(manager),
        *change_commands.commands(manager),
        *status_commands.commands(manager, lambda _: {}),
        *policy_commands.commands(manager),
        *totals_commands.commands(manager, TotalsExport(manager, tmp_path)),
        *report_commands.commands(manager, TotalsExport(manager, tmp_path), manager),
        *list_commands.commands(setting),
        *SelfTests(lambda: manager.site, (), setting.clock).commands(),
        *Inspections(manager, setting, *cast("Any", [dict] * 4)).commands(),
        *(f"change {kind}" for kind in KINDS if kind not in MADE_ELSEWHERE),
    }
    manager.lookups = manager.live = None
    known |= set(log_commands.commands(manager, setting))
    scoped = {key for key, kinds in REQUESTS.items() if any(one.scopes for one in kinds)}
    assert (scoped | OPEN | OF_SESSIONS) - known == set()


def test_what_sessions_are_about_says_so() -> None:
    assert {one for one in COMMANDS if any(kind.is_of_session for kind in REQUESTS[one])} == (
        OF_SESSIONS
    )


def test_a_request_that_says_nothing_is_for_sessions_and_tokens_of_all() -> None:
    for kind in (OperationRequest, RequestedChange):
        assert (kind.scopes, kind.is_guarded, kind.is_open, kind.is_of_session) == (
            ((), False, False, False)
        )


def test_an_unknown_scope_has_nothing() -> None:
    assert not is_in_scope("everything", "status", {})
    assert not is_in_scope("exceptions", "change", {"kind": ["exception"]})
    assert not is_in_scope("exceptions", "change", {})


CHANGE = {"kind": "exception"}


@pytest.mark.parametrize(
    ("scope", "command", "arguments", "has"),
    [
        ("totals", "status", {}, True),
        ("totals", "session", {}, True),
        ("totals", "report-facts", {}, True),
        ("totals", "lists", {}, False),
        ("totals", "log search", {}, False),
        ("lists", "lists", {}, True),
        ("lists", "ping", {}, True),
        ("lists", "status", {}, False),
        ("exceptions", "change", CHANGE, True),
        ("exceptions", "change", {"kind": "pause"}, True),
        ("exceptions", "change", {"kind": "exam"}, False),
        ("exceptions", "change exception", {}, True),  # by its full name no command of the socket
        ("exceptions", "undo", {}, False),
        ("log", "log search", {}, True),
        ("log", "log purge", {}, False),
        ("log", "status", {}, False),
        ("all-read", "history", {}, True),
        ("all-read", "log search", {}, True),
        ("all-read", "lists", {}, True),
        ("all-read", "change", CHANGE, False),
        ("all-read", "a new command", {}, False),
        ("all", "change", CHANGE, True),
        ("all", "undo", {}, True),
        ("all", "a new command", {}, True),
        ("all", "change", {"kind": "log-level", "level": "names"}, True),
        ("all", "change", {"kind": "log-level", "level": "off"}, False),
        # No token has what needs a password, what is of sessions, or accounts.
        ("all", "change", {"kind": "log-level", "level": "full"}, False),
        ("all", "change", {"kind": "log-confirm", "id": 3}, False),
        *(("all", one, {}, False) for one in sorted(GUARDED)),
        *(("all", one, {}, False) for one in sorted(OF_SESSIONS)),
        ("all", "account list", {}, False),
        ("all", "account token-list", {}, False),
        ("", "session", {}, False),
    ],
)
def test_a_token_has_the_commands_of_its_scope_and_no_other(
    scope: str, command: str, arguments: dict[str, Any], *, has: bool
) -> None:
    assert is_in_scope(scope, command, arguments) is has


@pytest.mark.parametrize("narrow", ["totals", "lists", "log"])
def test_what_a_reading_scope_has_the_scope_of_all_that_is_read_has_too(narrow: str) -> None:
    commands = {one for one in COMMANDS if is_in_scope(narrow, one, {})}
    assert commands > {"session", "ping", "clock", "ids"}
    assert [
        command for command in sorted(commands) if not is_in_scope("all-read", command, {})
    ] == []


@pytest.mark.parametrize("command", sorted(GUARDED))
def test_every_command_of_the_table_needs_the_password(command: str) -> None:
    assert needs_password(command, {})
    assert needs_password(command, {"kind": "exception"})


@pytest.mark.parametrize("command", ["status", "account list", "account revoke", "logout", ""])
def test_other_commands_need_none(command: str) -> None:
    assert not needs_password(command, {})
    assert not needs_password(command, {"kind": "log-confirm"})
