# SPDX-License-Identifier: Apache-2.0
"""Accounts come back where they are missing, and never against what was decided since."""

from __future__ import annotations

import pytest

from filterd.accounts.account import AccountBook
from filterd.accounts.restored_accounts import merged, without_secrets
from filterd.overrides.restored_history import Deletions
from filterd.overrides.roles import Role
from tests.support.backed_up_school import a_device, a_token, an_account

LAN, MINH = an_account("lan"), an_account("minh", Role.ADMIN)
BACKUP = AccountBook(
    3, None, (LAN, MINH), (a_token("lan", "t"), a_token("minh", "t")), (a_device("lan", "phone"),)
)
NONE = Deletions()


def test_an_empty_book_gets_all_of_the_backup() -> None:
    found = merged(AccountBook(), BACKUP, NONE)
    assert (found.accounts, found.tokens, found.devices) == (
        BACKUP.accounts,
        BACKUP.tokens,
        BACKUP.devices,
    )


def test_an_account_that_is_here_stays_as_it_is() -> None:
    present = AccountBook(9, None, (an_account("Lan", Role.READER),))
    found = merged(present, BACKUP, NONE)
    assert found.accounts == (*present.accounts, MINH)
    assert [one.account for one in found.tokens] == ["minh"]
    assert merged(found, BACKUP, NONE) is found


def test_two_accounts_of_one_name_do_not_come() -> None:
    twice = AccountBook(1, None, (an_account("Lan"), LAN, LAN))
    assert merged(AccountBook(), twice, NONE).accounts == (LAN,)


@pytest.mark.parametrize(
    ("mark", "left"),
    [
        ("account\nlan\n", (["minh"], ["minh"], [])),
        ("token\nlan\nt", (["lan", "minh"], ["minh"], ["lan"])),
        ("enrolled\nlan\nphone", (["lan", "minh"], ["lan", "minh"], [])),
    ],
)
def test_what_ended_since_does_not_come_back(mark: str, left: tuple[list[str], ...]) -> None:
    found = merged(AccountBook(), BACKUP, Deletions(frozenset([mark])))
    names = [one.name for one in found.accounts]
    assert (
        names,
        *([one.account for one in part] for part in (found.tokens, found.devices)),
    ) == left


def test_without_secrets_there_are_names_and_roles() -> None:
    bare = without_secrets(BACKUP)
    assert (bare.tokens, bare.devices) == ((), ())
    assert [(one.name, one.roles, one.password) for one in bare.accounts] == [
        ("lan", LAN.roles, None),
        ("minh", MINH.roles, None),
    ]
