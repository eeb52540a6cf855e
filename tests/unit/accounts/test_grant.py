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
    needs_root,
)
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
from filterd.overrides.changes.change_kinds import KINDS, MADE_ELSEWHERE
from filterd.overrides.rights.roles import Author, Rank, Role, person_of

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
    deletes, widens = {"log forget", "log purge"}, {"lists unfollow", "lists exclude"}
    assert NEEDS_PASSWORD - of_accounts == {"site-apply", "feed approve"} | deletes | widens


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
        *((one, {}) for one in sorted(NEEDS_PASSWORD)),
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
    named = OPEN | OF_SESSIONS | frozenset[str]().union(*filter(None, SCOPES.values()))
    assert named - known == set()


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
        *(("all", one, {}, False) for one in sorted(NEEDS_PASSWORD)),
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
    commands = SCOPES[narrow] or frozenset()
    assert commands > {"session", "ping", "clock", "ids"}
    assert [one for one in sorted(commands) if not is_in_scope("all-read", one, {})] == []


@pytest.mark.parametrize("command", sorted(NEEDS_PASSWORD))
def test_every_command_of_the_table_needs_the_password(command: str) -> None:
    assert needs_password(command, {})
    assert needs_password(command, {"kind": "exception"})


@pytest.mark.parametrize("command", ["status", "account list", "account revoke", "logout", ""])
def test_other_commands_need_none(command: str) -> None:
    assert not needs_password(command, {})
    assert not needs_password(command, {"kind": "log-confirm"})


def test_a_grant_is_of_the_web_and_not_fresh_and_holds() -> None:
    grant = Grant("lan", frozenset())
    assert (grant.channel, grant.is_fresh, grant.holds()) == (AuthorChannel.WEB, False, True)


def test_nobody_has_no_name_and_no_role() -> None:
    assert (NO_GRANT.account, NO_GRANT.roles, NO_GRANT.author) == ("", frozenset(), "web:")
