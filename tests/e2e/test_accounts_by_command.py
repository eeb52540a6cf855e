# SPDX-License-Identifier: Apache-2.0
"""Accounts that commands make sign in at the running daemon, and those they end do not."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.cli.school import account
from tests.support.commands import Outcome, call
from tests.support.daemon import copy_lists, free_port, serving, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")
PASSWORD, OTHER = "Mùa thu, lá vàng rơi 7", "Nắng sớm bên bờ ao 12"
BOX = "127.0.0.1"


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[Served]:
    config = write_site(tmp_path / "site", port=free_port())
    state = copy_lists(built, tmp_path / "state")
    with serving(config, state.folder) as served:
        yield served


def _typed(school: Served, monkeypatch: pytest.MonkeyPatch, text: str, *words: str) -> Outcome:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))
    done = call("account", *words, *school.options)
    assert done.code == 0, done.err
    return done


def _json(school: Served, *words: str) -> Any:
    done = call("account", *words, "--json", *school.options)
    assert done.code == 0, done.err
    return json.loads(done.out)


def _asked(school: Served, command: str, **arguments: Any) -> Any:
    return control.ask(school.state.control_socket, command, address=BOX, **arguments)


def test_one_password_is_not_tried_at_forty_accounts_from_an_enrolled_phone(
    school: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(school, monkeypatch, PASSWORD, "add", "lan", "--role", "teacher")
    code = control.ask(school.state.control_socket, "account device-code", account="lan")["code"]
    phone = _asked(school, "account device-redeem", code=code, name="Phone", pin="739214")
    control.ask(school.state.control_socket, "account device-confirm", id=phone["id"])
    given = {"password": OTHER, "device": phone["device"]}
    codes = []
    for number in range(40):
        with pytest.raises(ControlError) as refused:
            _asked(school, "login", account=f"gv-{number}", **given)
        codes.append(refused.value.code)
    assert codes[:5] == ["wrong-password"] * 5
    assert codes.count("slow-down") > 30


def test_an_account_is_made_changed_and_closed(
    school: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(school, monkeypatch, PASSWORD, "add", "minh", "--role", "admin")
    _typed(school, monkeypatch, PASSWORD, "add", "lan", "--role", "teacher")
    assert _asked(school, "login", account="lan", password=PASSWORD)["account"] == "lan"
    _typed(school, monkeypatch, OTHER, "passwd", "lan")
    with pytest.raises(ControlError):
        _asked(school, "login", account="lan", password=PASSWORD)
    assert _json(school, "roles", "lan", "--role", "reader")["roles"] == ["reader"]
    _json(school, "disable", "lan")
    with pytest.raises(ControlError):
        _asked(school, "login", account="lan", password=OTHER)
    (lan, minh) = _json(school, "list")
    assert (lan["account"], lan["disabled"], minh["roles"]) == ("lan", True, ["admin"])
    last = call("account", "disable", "minh", *school.options)
    assert (last.code, "minh is the last administrator" in last.err) == (2, True)
    history = call("history", "list", "--json", *school.options).out
    assert PASSWORD not in history
    assert OTHER not in history


def test_what_is_shown_once_counts_once(school: Served) -> None:
    made = _json(school, "add", "hoa", "--role", "reader", "--code")
    assert _asked(school, "login-code", code=made["code"])["account"] == "hoa"
    with pytest.raises(ControlError):
        _asked(school, "login-code", code=made["code"])
    rights = ("--role", "reader", "--scope", "totals", "--account", "hoa")
    token = _json(school, "token-add", "Báo cáo", *rights)
    granted = control.ask(
        school.state.control_socket, "session", act_for=token["token"], address=BOX
    )
    assert granted["account"] == "hoa"
    assert [one["id"] for one in _json(school, "token-list")] == [token["id"]]
    _json(school, "token-revoke", token["id"])
    with pytest.raises(ControlError):
        control.ask(school.state.control_socket, "session", act_for=token["token"], address=BOX)
    phone = _json(school, "device-code", "hoa")
    given = {"code": phone["code"], "name": "Điện thoại", "pin": "271828"}
    redeemed = _asked(school, "account device-redeem", **given)
    shown = call("account", "device-list", *school.options, "--lang", "en")
    assert "waits" in shown.out
    _json(school, "device-confirm", redeemed["id"])
    login = {"device": redeemed["device"], "pin": "271828"}
    assert _asked(school, "login-pin", **login)["account"] == "hoa"
    _json(school, "device-revoke", redeemed["id"])
    with pytest.raises(ControlError):
        _asked(school, "login-pin", **login)


def test_a_lost_administrator_is_let_in_by_a_file_and_everybody_learns_of_it(
    school: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _typed(school, monkeypatch, PASSWORD, "add", "minh", "--role", "admin")
    monkeypatch.setattr(account, "BOOT_FOLDERS", (tmp_path,))
    (tmp_path / "filterd-recover.txt").write_text("cho-toi-vao-lai-2026\r\n", encoding="utf-8")
    _json(school, "recover", "--boot", "minh")
    assert _asked(school, "login-code", code="cho-toi-vao-lai-2026")["account"] == "minh"
    alerts = json.loads(call("alerts", "list", "--json", *school.options).out)
    assert "account-recovered" in {alert["id"] for alert in alerts}
    history = json.loads(call("history", "list", "--json", *school.options).out)
    assert "minh" in json.dumps(history[0])
    (tmp_path / "filterd-recover").write_text("ngan", encoding="utf-8")
    short = call("account", "recover", "--boot", *school.options)
    assert (short.code, "12 to 64" in short.err) == (2, True)
