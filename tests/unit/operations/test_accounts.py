# SPDX-License-Identifier: Apache-2.0
"""What people ask of accounts is read within bounds, and sent as short as it can be."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.accounts import AddAccount, MakeCode, RecoverAccount, SetPassword, SetRoles


def test_roles_come_as_boxes_of_a_form_or_as_a_list() -> None:
    wanted = SetRoles(account="lan", roles=("reader", "teacher"))
    assert SetRoles.read({"account": "lan", "roles": "reader\nteacher"}) == wanted
    assert SetRoles.read(wanted.arguments) == wanted


@pytest.mark.parametrize("roles", [None, [], "", ["root"], ["admin", "x"], [["admin"]], 7, {}])
def test_one_role_that_is_none_is_enough_to_refuse_all(roles: Any) -> None:
    for request in (AddAccount, SetRoles):
        with pytest.raises(ConfigError):
            request.read({"account": "lan", "roles": roles})


@pytest.mark.parametrize("account", [None, "", 7, ["lan"], "x" * 65, "a\x00"])
def test_an_account_has_a_name(account: Any) -> None:
    for request in (AddAccount, MakeCode):
        with pytest.raises(ConfigError):
            request.read({"account": account, "roles": ["reader"]})


@pytest.mark.parametrize("password", [None, "", 1234567890, "x" * 257, "ba con\nmeo vang"])
def test_a_password_is_a_line(password: Any) -> None:
    with pytest.raises(ConfigError):
        SetPassword.read({"password": password})


def test_what_is_left_out_is_not_sent() -> None:
    assert SetPassword(password="x").arguments == {"password": "x"}
    assert AddAccount(account="lan", roles=("reader",)).arguments == {
        "account": "lan",
        "roles": ["reader"],
    }


def test_the_first_account_is_recovered_where_none_is_named() -> None:
    assert RecoverAccount.read({}).account == "admin"
