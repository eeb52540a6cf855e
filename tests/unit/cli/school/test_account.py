# SPDX-License-Identifier: Apache-2.0
"""``filterd account``: people, tokens, phones, and the way back in as root."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import typer

from filterd import control
from filterd.base.certificate_facts import FACTS, FILE, CertificateFacts
from filterd.base.errors import ControlError
from filterd.cli.school import account
from filterd.texts.i18n import say
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path


CODE = {"code": "abc123", "for_s": 900.0, "account": "lan"}
PASSWORD_SET = {"account": "lan", "devices": 0, "tokens": 0}


class AccountDesk:
    """Stands where commands look for a daemon."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        monkeypatch.setattr(control, "ask", self._ask)

    def _ask(self, _: Path, command: str, **arguments: Any) -> Any:
        if command == "clock":
            return {"standing": "known", "shows": 0.0, "policy_time": 0.0, "floor": 0.0}
        self.asked.append((command, arguments))
        name = command.removeprefix("account ")
        return self.answers.get(name, PASSWORD_SET if name == "passwd" else {"account": "lan"})


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> AccountDesk:
    return AccountDesk(monkeypatch)


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    """Options of commands that only ask the daemon."""
    return ["--config", str(tmp_path), "--state", str(tmp_path), "--lang", "en"]


__all__ = ["desk", "places"]


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
    assert "within 15 minutes" in done.out
    assert "shown only now" in done.out


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
    ("words", "asked", "sentence"),
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
    sentence: str,
) -> None:
    desk.answers["roles"] = {"account": "lan", "roles": ["admin"]}
    done = call("account", *words.split(), *places)
    assert (done.code, sentence in done.out) == (0, True), done.err
    command, arguments = asked
    assert desk.asked == [(command, {"account": "lan", **arguments})]


def test_recovery_codes_are_printed_once(desk: AccountDesk, places: list[str]) -> None:
    desk.answers["recovery"] = {"codes": ["aaaa-bbbb", "cccc-dddd"]}
    lines = call("account", "recovery", "lan", *places).out.splitlines()
    assert lines == ["aaaa-bbbb", "cccc-dddd", "It is shown only now."]


def test_an_authenticator_holds_from_its_first_code_on(
    desk: AccountDesk, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("account", "totp", "lan", *places).code == 2, "this is not a terminal"
    desk.answers["totp"] = {"secret": "JBSWY3DP", "uri": "otpauth://totp/x?secret=JBSWY3DP"}
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "123456")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    done = call("account", "totp", "lan", *places)
    assert "JBSWY3DP" in done.out
    assert [arguments for _, arguments in desk.asked] == [
        {"account": "lan", "on": True},
        {"account": "lan", "on": True, "code": "123456"},
    ]


TOKEN = {
    "id": "a1b2c3",
    "name": "Báo cáo tháng",
    "account": "lan",
    "role": "reader",
    "scope": "totals",
    "addresses": [],
    "made_at": 0.0,
    "ends_at": 90 * 86_400.0,
    "used_on": "",
    "ended": False,
}
PHONE = {
    "id": "d4e5f6",
    "name": "Điện thoại của Lan",
    "account": "lan",
    "state": "waiting",
    "made_at": 0.0,
    "ends_at": 180 * 86_400.0,
    "used_on": "2026-11-29",
    "tries_left": 5,
}


def test_a_token_is_shown_once_and_how_it_is_sent(desk: AccountDesk, places: list[str]) -> None:
    desk.answers["token-add"] = {"id": "a1b2c3", "token": "f" * 43, "ends_at": 1.0}
    rights = ("--role", "reader", "--scope", "totals", "--network", "10.0.0.0/24")
    done = call("account", "token-add", "Báo cáo", "--account", "lan", *rights, *places)
    assert done.code == 0, done.err
    for text in ("f" * 43, "Authorization: Bearer", "shown only now"):
        assert text in done.out
    ((_, asked),) = desk.asked
    assert asked == {
        "name": "Báo cáo",
        "account": "lan",
        "role": "reader",
        "scope": "totals",
        "days": 90,
        "addresses": ["10.0.0.0/24"],
    }


def test_tokens_and_devices_are_listed_within_80_columns(
    desk: AccountDesk, places: list[str]
) -> None:
    desk.answers |= {"token-list": [TOKEN], "device-list": [PHONE]}
    for kind, texts in (
        ("token-list", ("a1b2c3", "totals", "staff")),
        ("device-list", ("d4e5f6", "waits for", "29/11/2026")),
    ):
        shown = call("account", kind, *places)
        assert max(map(len, shown.out.splitlines())) <= 80
        assert [text for text in texts if text not in " ".join(shown.out.split())] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("token-revoke a1b2c3", "The token X of lan is revoked."),
        ("device-confirm a1b2c3", "lan may sign in on X."),
        ("device-revoke a1b2c3", "lan may not sign in on X any more."),
    ],
)
def test_each_is_confirmed_or_ended_by_its_id(
    desk: AccountDesk, places: list[str], words: str, sentence: str
) -> None:
    command, _, number = words.partition(" ")
    desk.answers[command] = {"id": number, "name": "X", "account": "lan"}
    assert call("account", command, number, *places).out == f"{sentence}\n"
    assert desk.asked == [(f"account {command}", {"id": number})]


def test_a_phone_gets_a_code(desk: AccountDesk, places: list[str]) -> None:
    desk.answers["device-code"] = CODE
    done = call("account", "device-code", "lan", *places)
    assert "/device/abc123" in done.out


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    boot = tmp_path / "boot"
    boot.mkdir()
    monkeypatch.setattr(account, "BOOT_FOLDERS", (tmp_path / "firmware", boot))
    return boot


def test_at_the_console_it_is_one_command(
    monkeypatch: pytest.MonkeyPatch, places: list[str]
) -> None:
    desk = AccountDesk(monkeypatch)
    desk.answers["recover"] = CODE
    done = call("account", "recover", "lan", *places)
    assert "/login/code/abc123" in done.out
    assert desk.asked == [("account recover", {"account": "lan"})]


@pytest.mark.parametrize("name", account.REQUESTS)
def test_a_file_on_the_boot_partition_is_answered_beside_it_and_removed(
    monkeypatch: pytest.MonkeyPatch, places: list[str], boot: Path, name: str
) -> None:
    AccountDesk(monkeypatch).answers["recover"] = CODE
    (boot / name).touch()
    done = call("account", "recover", "--boot", *places)
    assert done.code == 0, done.err
    assert [one.name for one in boot.iterdir()] == [account.ANSWER]
    assert (boot / account.ANSWER).read_text().endswith("/login/code/abc123\n")
    again = call("account", "recover", "--boot", *places)
    assert (again.code, "there is no file filterd-recover" in again.err) == (2, True)


def test_a_box_without_a_screen_takes_the_code_that_the_request_has(
    monkeypatch: pytest.MonkeyPatch, places: list[str], boot: Path
) -> None:
    desk = AccountDesk(monkeypatch)
    desk.answers["recover"] = CODE
    (boot / "filterd-recover.txt").write_text("cho-toi-vao-lai-2026\r\n", encoding="utf-8")
    assert call("account", "recover", "--boot", *places).code == 0
    assert desk.asked == [("account recover", {"code": "cho-toi-vao-lai-2026"})]
    (boot / "filterd-recover").write_bytes(b"x" * 2000)
    assert call("account", "recover", "--boot", *places).code == 2


def test_a_request_that_the_daemon_refuses_stays_for_the_next_boot(
    monkeypatch: pytest.MonkeyPatch, places: list[str], boot: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ControlError(say("no"))

    monkeypatch.setattr(control, "ask", refuse)
    (boot / "filterd-recover").touch()
    assert call("account", "recover", "--boot", *places).code == 2
    assert [one.name for one in boot.iterdir()] == ["filterd-recover"]
