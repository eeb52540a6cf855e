# SPDX-License-Identifier: Apache-2.0
"""A secret is never an argument of a command."""

from __future__ import annotations

from tests.test_docs import COMMANDS

_SECRETS = {"password", "pin", "secret", "token"}


def test_no_command_of_accounts_takes_a_secret_as_an_argument() -> None:
    found = {
        name
        for name, command in COMMANDS.items()
        if name.startswith("account ")
        for one in command.params
        if one.name in _SECRETS
    }
    assert found == set()
