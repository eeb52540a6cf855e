# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts.step_up import NEEDS_PASSWORD, needs_password

if TYPE_CHECKING:
    from tests.support.account_school import AccountSchool


def test_commands_of_the_table_are_there(people: AccountSchool) -> None:
    of_accounts = {one for one in NEEDS_PASSWORD if one.startswith("account ")}
    assert set(people.commands) >= of_accounts
    assert NEEDS_PASSWORD - of_accounts == {"log purge", "site-apply"}


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({"kind": "log-level", "level": "full"}, True),
        ({"kind": "log-level"}, True),
        ({"kind": "log-confirm", "id": 3}, True),
        ({"kind": "log-confirm", "id": 3, "level": "off"}, True),
        ({"kind": "log-level", "level": "off"}, False),
        ({"kind": "exception"}, False),
        ({"kind": ["log-level"]}, False),
        ({}, False),
    ],
)
def test_of_changes_only_the_level_full_needs_it(given: dict[str, Any], *, needs: bool) -> None:
    assert needs_password("change", given) == needs
