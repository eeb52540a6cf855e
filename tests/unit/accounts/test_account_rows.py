# SPDX-License-Identifier: Apache-2.0
"""How an account signs in is shown in words of the school."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.accounts.account_rows import ACCOUNTS, ENROLLED, TOKENS
from filterd.overrides.rights.roles import Role
from filterd.texts import words
from filterd.texts.i18n import Texts
from filterd.texts.rows import Listing, SchoolClock, Wording

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))
SIGN_IN = ACCOUNTS.columns[2]
NEW = {"disabled": False, "password": False, "totp": False, "failed": 0}


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, ("no password yet", "")),
        ({"password": True}, ("password", "")),
        ({"password": True, "totp": True}, ("password, authenticator", "")),
        ({"password": True, "failed": 1}, ("password, 1 failure", "yellow")),
        ({"password": True, "disabled": True}, ("disabled", "yellow")),
    ],
)
def test_the_way_of_signing_in(changes: dict[str, object], answer: tuple[str, str]) -> None:
    assert SIGN_IN.cell(NEW | changes, BY) == answer


def test_each_role_has_a_word() -> None:
    assert set(words.ROLE) == {role.value for role in Role}


def _cells(listing: Listing, row: dict[str, object]) -> list[str]:
    return [column.cell(row, BY)[0] for column in listing.columns]


def test_an_account_a_token_and_a_device_are_shown_in_words() -> None:
    account = {"account": "lan", "roles": ["teacher", "admin"], "sessions": 1, "devices": 2}
    shown = _cells(ACCOUNTS, NEW | {"password": True} | account | {"tokens": 3})
    assert shown == ["lan", "teacher, administrator", "password", "1", "2", "3"]
    token: dict[str, object] = {
        "id": "ab",
        "name": "sổ",
        "account": "lan",
        "role": "teacher",
        "scope": "totals",
    }
    token |= {"ends_at": 3600.0}
    here: dict[str, object] = {"addresses": ["10.0.1.0/24", "10.0.2.0/24"], "used_on": "2026-11-29"}
    shown = _cells(TOKENS, token | here)
    assert shown[:5] == ["ab", "sổ", "lan", "teacher", "totals"]
    assert (shown[5], shown[7]) == ("10.0.1.0/24, 10.0.2.0/24", "29/11/2026")
    shown = _cells(TOKENS, token | {"addresses": [], "used_on": None})
    assert (shown[5], shown[7]) == ("staff networks", "")
    device = {"id": "cd", "name": "máy", "account": "lan", "state": "waiting", "ends_at": 3600.0}
    column = ENROLLED.columns[3]
    assert column.cell(device, BY)[1] == "yellow"
    assert _cells(ENROLLED, device | {"used_on": ""})[5] == ""


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"totp": True}, ("authenticator", "")),
        ({"failed": 2}, ("no password yet, 2 failures", "yellow")),
        ({"disabled": True, "failed": 1}, ("disabled, 1 failure", "yellow")),
    ],
)
def test_failures_and_an_end_are_marked(
    changes: dict[str, object], answer: tuple[str, str]
) -> None:
    assert SIGN_IN.cell(NEW | changes, BY) == answer
