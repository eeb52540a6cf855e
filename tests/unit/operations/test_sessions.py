# SPDX-License-Identifier: Apache-2.0
"""A form of the sign-in that is empty is read, and wrong in the words of a wrong password."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.sessions import PersonSession, ReadSession, SignInByPassword, SignInByPin


def test_empty_fields_are_no_error() -> None:
    assert SignInByPassword.read({"account": "", "password": ""}) == SignInByPassword()
    assert SignInByPin(device="x").arguments == {"device": "x"}


@pytest.mark.parametrize(
    "given",
    [
        {"account": 7},
        {"account": "x" * 201},
        {"password": {}},
        {"password": "x" * 401},
        {"pin": ""},
    ],
)
def test_hostile_values_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SignInByPassword.read(given)


def test_a_session_is_read_as_the_manager_sends_it() -> None:
    plain = {
        "account": "lan",
        "roles": ["reader"],
        "classes": None,
        "is_fresh": True,
        "has_password": True,
        "has_totp": False,
        "ends_in_s": 9.5,
    }
    made = PersonSession("lan", ("reader",), None, True, True, False, 9.5)
    assert ReadSession.answer_of(plain) == made
