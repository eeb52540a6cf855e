# SPDX-License-Identifier: Apache-2.0
"""API tokens and phones are let in, listed and put out."""

from __future__ import annotations

import pytest

from tests.support.account_desk import CODE, AccountDesk, desk, places
from tests.support.commands import call

__all__ = ["desk", "places"]


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
    for text in ("f" * 43, "Authorization: Bearer", "shown once only"):
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
    ("words", "told"),
    [
        ("token-revoke a1b2c3", "The token X of lan is void."),
        ("device-confirm a1b2c3", "lan may sign in on X."),
        ("device-revoke a1b2c3", "lan may not sign in on X any more."),
    ],
)
def test_each_is_confirmed_or_ended_by_its_id(
    desk: AccountDesk, places: list[str], words: str, told: str
) -> None:
    command, _, number = words.partition(" ")
    desk.answers[command] = {"id": number, "name": "X", "account": "lan"}
    assert call("account", command, number, *places).out == f"{told}\n"
    assert desk.asked == [(f"account {command}", {"id": number})]


def test_a_phone_gets_a_code(desk: AccountDesk, places: list[str]) -> None:
    desk.answers["device-code"] = CODE
    done = call("account", "device-code", "lan", *places)
    assert "/device/abc123" in done.out
