# SPDX-License-Identifier: Apache-2.0
"""Accounts are made, changed and listed; a secret is typed, read or shown once."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
import typer

from filterd.certificate_facts import FACTS, FILE, CertificateFacts
from tests.support.account_desk import CODE, AccountDesk, desk, places
from tests.support.commands import call

__all__ = ["desk", "places"]

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "mot mat khau dai"
ROW = {
    "account": "lan",
    "roles": ["teacher", "principal"],
    "disabled": False,
    "password": True,
    "totp": True,
    "recovery": 8,
    "made_at": 0.0,
    "failed": 2,
    "sessions": 1,
    "devices": 1,
    "tokens": 0,
}


def test_accounts_are_listed_within_80_columns(desk: AccountDesk, places: list[str]) -> None:
    desk.answers["list"] = [ROW, ROW | {"account": "minh", "disabled": True}]
    shown = call("account", "list", *places)
    assert max(map(len, shown.out.splitlines())) <= 80
    for text in ("lan", "teacher", "principal", "2 failures", "disabled"):
        assert text in shown.out
    assert json.loads(call("account", "list", "--json", *places).out) == desk.answers["list"]
    desk.answers["list"] = []
    assert "There is no account" in call("account", "list", *places).out


def test_a_password_comes_from_standard_input_and_is_printed_nowhere(
    desk: AccountDesk, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    done = call("account", "add", "lan", "--role", "teacher", "--role", "reader", *places)
    assert (done.code, done.out) == (0, "lan may sign in.\n"), done.err
    asked = {"account": "lan", "roles": ["teacher", "reader"], "password": SECRET}
    assert desk.asked == [("account add", asked)]
    assert SECRET not in done.out + done.err


def test_without_a_password_nothing_is_asked_of_the_daemon(
    desk: AccountDesk, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = call("account", "passwd", "lan", *places)
    assert (done.code, "no password was given" in done.err) == (2, True)
    assert desk.asked == []


def test_at_a_terminal_a_password_is_typed_twice_without_echo(
    desk: AccountDesk, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompted = {}

    def prompt(text: str, **more: object) -> str:
        prompted.update({"text": text, **more})
        return SECRET

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert call("account", "passwd", "lan", *places).code == 0
    assert (prompted["hide_input"], prompted["confirmation_prompt"]) == (True, "Repeat it")
    assert desk.asked == [("account passwd", {"account": "lan", "password": SECRET})]


def test_a_code_for_the_first_sign_in_stands_in_a_link(
    desk: AccountDesk, places: list[str]
) -> None:
    desk.answers["code"] = CODE
    done = call("account", "add", "lan", "--role", "teacher", "--code", *places)
    assert [command for command, _ in desk.asked] == ["account add", "account code"]
    assert "https://127.0.0.1:8443/login/code/abc123" in done.out
    assert "for 15 minutes" in done.out
    assert "shown once only" in done.out


@pytest.mark.parametrize(
    ("names", "addresses", "host"),
    [
        (("filterd",), ("192.168.1.10", "127.0.0.1"), "192.168.1.10"),
        (("*.truong.vn", "loc.truong.vn"), (), "loc.truong.vn"),
        (("filterd",), ("127.0.0.1", "::1"), "filterd"),
    ],
)
def test_a_link_leads_where_the_certificate_is_for(
    desk: AccountDesk,
    places: list[str],
    tmp_path: Path,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    host: str,
) -> None:
    desk.answers["code"] = CODE
    (tmp_path / "web").mkdir()
    facts = CertificateFacts("ab", 0.0, 0.0, names, addresses)
    FACTS.save(tmp_path / "web" / FILE, facts)
    assert f"https://{host}:8443/login/" in call("account", "code", *places).out


@pytest.mark.parametrize(
    ("words", "asked", "told"),
    [
        ("roles lan --role admin", ("account roles", {"roles": ["admin"]}), "has the roles admin"),
        ("disable lan", ("account disable", {}), "may not sign in any more"),
        ("enable lan", ("account enable", {}), "may sign in"),
        ("totp lan --off", ("account totp", {"on": False}), "without an authenticator"),
    ],
)
def test_an_account_is_changed(
    desk: AccountDesk,
    places: list[str],
    words: str,
    asked: tuple[str, dict[str, object]],
    told: str,
) -> None:
    desk.answers["roles"] = {"account": "lan", "roles": ["admin"]}
    done = call("account", *words.split(), *places)
    assert (done.code, told in done.out) == (0, True), done.err
    command, arguments = asked
    assert desk.asked == [(command, {"account": "lan", **arguments})]


def test_recovery_codes_are_printed_once(desk: AccountDesk, places: list[str]) -> None:
    desk.answers["recovery"] = {"codes": ["aaaa-bbbb", "cccc-dddd"]}
    lines = call("account", "recovery", "lan", *places).out.splitlines()
    assert lines == ["aaaa-bbbb", "cccc-dddd", "This is shown once only."]


def test_an_authenticator_holds_from_its_first_code_on(
    desk: AccountDesk, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("account", "totp", "lan", *places).code == 2, "this is no terminal"
    desk.answers["totp"] = {"secret": "JBSWY3DP", "uri": "otpauth://totp/x?secret=JBSWY3DP"}
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "123456")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    done = call("account", "totp", "lan", *places)
    assert "JBSWY3DP" in done.out
    assert [arguments for _, arguments in desk.asked] == [
        {"account": "lan", "on": True},
        {"account": "lan", "on": True, "code": "123456"},
    ]
