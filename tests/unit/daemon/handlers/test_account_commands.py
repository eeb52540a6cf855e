# SPDX-License-Identifier: Apache-2.0
"""Accounts are changed by administrators, recorded, and never left without one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts.account_file import ASIDE
from filterd.accounts.sign_in_delays import SlowDownError
from filterd.base.errors import FilterdError, StoreError
from filterd.daemon.handlers import control_server
from filterd.daemon.handlers.control_caller import Caller
from filterd.overrides.rights.roles import ADMINS
from filterd.texts.i18n import say
from tests.support.account_school import PASSWORD, ROOT, WEB, AccountSchool

if TYPE_CHECKING:
    from pathlib import Path

MINH = Caller(1001, "minh", frozenset({ADMINS}))
LAN = Caller(1002, "lan", frozenset({"filterd-teacher"}))


def test_the_history_has_each_change_and_no_secret(people: AccountSchool) -> None:
    token = people.sign_in("minh")
    people.web("account add", token, account="hoa", roles=["reader"], password=PASSWORD)
    people.web("account roles", token, account="hoa", roles=["teacher", "principal"])
    people.web("account passwd", token, account="hoa", password=PASSWORD + "!")
    people.web("account disable", token, account="hoa")
    people.web("account enable", token, account="hoa")
    codes = people.web("account recovery", token)["codes"]
    assert [author for author, _ in people.noted] == ["web:minh"] * 6
    assert [about["what"] for _, about in people.noted] == [
        "added",
        "roles",
        "password",
        "disabled",
        "enabled",
        "recovery",
    ]
    assert people.noted[1][1]["roles"] == ["principal", "teacher"]
    for secret in (PASSWORD, *codes):
        assert secret not in repr(people.noted)
        for path in people.state.accounts_copies:
            assert secret.encode() not in path.read_bytes()


def test_what_is_not_recorded_is_not_done(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise StoreError(say("the disk is full"))

    monkeypatch.setattr(people.accounts._state.manager.changes, "note", refuse)
    with pytest.raises(FilterdError, match="the disk is full"):
        people.ask("account disable", account="lan")
    assert people.sign_in("lan")


def test_a_full_disk_leaves_what_was(people: AccountSchool) -> None:
    people.state.accounts.unlink()
    people.state.accounts.mkdir()
    with pytest.raises(FilterdError):
        people.ask("account disable", account="lan")
    assert people.sign_in("lan")


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("account list", {}),
        ("account add", {"account": "x", "roles": ["admin"]}),
        ("account roles", {"account": "lan", "roles": ["admin"]}),
        ("account disable", {"account": "minh"}),
        ("account enable", {"account": "lan"}),
        ("account passwd", {"account": "minh", "password": PASSWORD}),
        ("account totp", {"account": "minh", "on": False}),
        ("account recovery", {"account": "minh"}),
        ("account code", {"account": "minh"}),
        ("account device-code", {"account": "lan"}),
        ("account device-list", {"account": "minh"}),
        ("account token-list", {"account": "minh"}),
        (
            "account token-add",
            {"account": "minh", "name": "x", "role": "admin", "scope": "all", "days": 1},
        ),
    ],
)
def test_others_than_administrators_change_nothing_but_their_own(
    people: AccountSchool, command: str, given: dict[str, Any]
) -> None:
    token = people.sign_in("lan")
    with pytest.raises(FilterdError, match="web:lan may not"):
        people.web(command, token, **given)
    with pytest.raises(FilterdError, match="lan may not"):
        people.ask(command, LAN, **given)
    assert people.noted == []


def test_a_person_changes_the_own_password_and_other_sessions_end(people: AccountSchool) -> None:
    token, other = people.sign_in("lan"), people.sign_in("lan")
    people.web("account passwd", token, password=PASSWORD + "!")
    assert people.web("session", token)["account"] == "lan"
    assert people.code_of("session", other) == "sign-in"
    with pytest.raises(FilterdError, match="lan may not"):  # a user that happens to be called so
        people.ask("account passwd", LAN, password=PASSWORD)


def test_a_new_password_says_what_goes_on_and_ends_it_where_that_is_wanted(
    people: AccountSchool,
) -> None:
    people.enrol("lan")
    token = people.sign_in("lan")
    about: dict[str, Any] = {"name": "x", "role": "teacher", "scope": "totals", "days": 1}
    people.web("account token-add", token, **about)
    done = people.web("account passwd", token, password=PASSWORD + "!")
    assert done == {"account": "lan", "devices": 1, "tokens": 1}
    done = people.web("account passwd", token, password=PASSWORD + "?", end=True)
    assert done == {"account": "lan", "devices": 0, "tokens": 0}
    assert people.ask("account token-list", account="lan") == []
    assert people.ask("account device-list", account="lan") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account": "root"}, "is not the name of a person"),
        ({"account": "Filterd"}, "is not the name of a person"),
        ({"account": "Minh"}, "already"),
        ({"account": "a b"}, "not a user name"),
        ({"account": "web:x"}, "not a user name"),
        ({"password": "ngắn"}, "at least 10"),
        ({"account": "abcdefghijk", "password": "ABCDEFGHIJK"}, "at least 10"),
        ({"password": "x" * 11}, "not all the same"),
    ],
)
def test_an_account_has_a_persons_name_roles_and_a_long_password(
    people: AccountSchool, given: dict[str, Any], words: str
) -> None:
    whole = {"account": "hoa", "roles": ["reader"], "password": PASSWORD}
    with pytest.raises(FilterdError, match=words):
        people.ask("account add", **{**whole, **given})
    assert people.noted == []


def test_the_last_administrator_stays(people: AccountSchool) -> None:
    with pytest.raises(FilterdError, match="the last administrator"):
        people.ask("account disable", account="minh")
    with pytest.raises(FilterdError, match="the last administrator"):
        people.ask("account roles", account="minh", roles=["reader"])
    people.ask("account roles", account="lan", roles=["admin"])
    assert people.ask("account disable", account="minh")


def test_where_there_are_no_accounts_a_code_makes_the_first(tmp_path: Path) -> None:
    people = AccountSchool(tmp_path)
    with people.runner:
        made = people.ask("account code", account="admin")
        token = people.web("login-code", code=made["code"])["token"]
        assert people.web("status", token) == ["web:admin", 2]
        assert people.accounts.status()["number"] == 1


def test_root_at_the_console_recovers_an_account(people: AccountSchool) -> None:
    """The password is forgotten, the phone with the authenticator lost."""
    secret, _ = people.enrol("lan")
    people.ask("account disable", account="lan")
    made = people.ask("account recover", account="lan")
    assert not people.web("admit", "", "10.0.6.7", device=secret)["admitted"]
    token = people.web("login-code", code=made["code"])["token"]
    assert people.web("status", token) == ["web:lan", 2]
    assert people.web("account passwd", token, password=PASSWORD + "!")
    assert ("root", {"what": "recovered", "account": "lan", "roles": ["admin"]}) in people.noted
    assert people.accounts.status()["recovered_at"] == people.clock.wall()


def test_a_recovery_voids_the_codes_of_before(people: AccountSchool) -> None:
    earlier = people.ask("account code", account="minh")["code"]
    code = people.ask("account recover", account="minh")["code"]
    assert people.code_of("login-code", code=earlier) == "wrong-password"
    assert people.web("login-code", code=code)["account"] == "minh"


def test_only_root_recovers_accounts(people: AccountSchool) -> None:
    token = people.sign_in("minh")
    for caller, given in ((MINH, {}), (WEB, {"token": token}), (ROOT, {"token": token})):
        with pytest.raises(FilterdError):
            people.ask("account recover", caller, address="10.0.1.5", **given)
    with pytest.raises(FilterdError, match="root may"):
        people.ask("account recover", MINH)


def test_damaged_accounts_allow_no_sign_in_until_they_are_recovered(people: AccountSchool) -> None:
    for path in people.state.accounts_copies:
        path.write_bytes(path.read_bytes()[:-9] + b"damaged\n")
    people.begin()
    people.begin()  # it is known after a restart, too
    assert people.accounts.status() == {"number": 0, "damaged": True, "recovered_at": None}
    assert people.code_of("login", account="minh", password=PASSWORD) == "accounts-damaged"
    with pytest.raises(FilterdError, match="account recover"):
        people.ask("account code", account="minh")
    assert people.web("school")  # the rest goes on
    code = people.ask("account recover", account="minh")["code"]
    assert people.web("login-code", code=code)["account"] == "minh"
    people.begin()
    assert people.accounts.status()["number"] == 1
    assert (people.folder / ASIDE).exists()


def test_control_without_setting_aside_anyone_makes_the_first_account(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.accounts.account_file.AccountFile.check", lambda _: None)
    monkeypatch.setattr(control_server, "check_login", lambda *_: None)
    for path in people.state.accounts_copies:
        path.write_bytes(b"damaged")
    people.begin()
    assert people.ask("account code", MINH, account="admin")["account"] == "admin"


def test_errors_have_codes_of_their_own() -> None:
    assert SlowDownError.code == "slow-down"
    assert replace(WEB, token="x").token not in repr(replace(WEB, token="x"))
