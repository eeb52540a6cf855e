# SPDX-License-Identifier: Apache-2.0
"""Accounts come back where they are missing, and never against what was decided since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.accounts import account as module
from filterd.accounts.account import (
    KEPT_DISABLED_S,
    Account,
    AccountBook,
    ApiToken,
    account_name,
    by_secret,
    hash_of,
    merged,
    new_id,
    new_secret,
    roles_of,
    without_secrets,
)
from filterd.errors import ChangeError, ControlError
from filterd.overrides.restored_history import Deletions
from filterd.overrides.roles import Role
from tests.support.backed_up_school import a_device, a_token, an_account

MINH = Account("minh", frozenset((Role.ADMIN,)), 1.0)
LAN = Account("lan", frozenset((Role.TEACHER,)), 1.0)


def test_accounts_are_in_order_bounded_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    book = AccountBook().with_account(MINH).with_account(LAN)
    assert [one.name for one in book.accounts] == ["lan", "minh"]
    changed = book.with_account(replace(LAN, disabled_at=1.0))
    assert changed.active("lan") is None
    assert changed.account("lan").is_disabled
    with pytest.raises(ControlError, match="already"):
        book.with_account(replace(LAN, name="Lan"))
    with pytest.raises(ControlError, match="there is no account 'hoa'"):
        book.account("hoa")
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 2)
    with pytest.raises(ControlError, match="2 accounts already"):
        book.with_account(replace(LAN, name="hoa"))


def test_an_account_goes_a_year_after_it_was_disabled_with_all_it_has() -> None:
    token = ApiToken("ab", "lan", "x", b"", Role.READER, "all", (), 1.0, 9e9)
    book = AccountBook().with_account(MINH).with_account(replace(LAN, disabled_at=100.0))
    book = book.with_token(token).with_token(replace(token, id="cd", account="minh"))
    assert book.pruned(100.0 + KEPT_DISABLED_S) is book
    pruned = book.pruned(101.0 + KEPT_DISABLED_S)
    assert [one.name for one in pruned.accounts] == ["minh"]
    assert [one.id for one in pruned.tokens] == ["cd"]


def test_a_name_is_that_of_a_person() -> None:
    assert account_name("hoa\u0301") == "ho\u00e1"
    names: tuple[object, ...] = ("root", "FILTERD", "", "a b", "a:b", None, "x" * 65, "a\u202eb")
    for wrong in names:
        with pytest.raises(ChangeError):
            account_name(wrong)


def test_roles_are_those_of_the_school() -> None:
    assert roles_of(["admin", "teacher"]) == {Role.ADMIN, Role.TEACHER}
    assert roles_of("reader") == {Role.READER}
    values: tuple[object, ...] = (None, [], [None], ["x"], {})
    for wrong in values:
        with pytest.raises(ChangeError):
            roles_of(wrong)


def test_secrets_are_found_by_their_hash() -> None:
    assert by_secret((), "x") is None
    assert len(hash_of(new_secret())) == 32
    assert hash_of("\ud800") != hash_of("")
    assert new_id({"a"}) != "a"


TEACHER, ADMIN = an_account("lan"), an_account("minh", Role.ADMIN)
BACKUP = AccountBook(
    3,
    None,
    (TEACHER, ADMIN),
    (a_token("lan", "t"), a_token("minh", "t")),
    (a_device("lan", "phone"),),
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
    assert found.accounts == (*present.accounts, ADMIN)
    assert [one.account for one in found.tokens] == ["minh"]
    assert merged(found, BACKUP, NONE) is found


def test_two_accounts_of_one_name_do_not_come() -> None:
    twice = AccountBook(1, None, (an_account("Lan"), TEACHER, TEACHER))
    assert merged(AccountBook(), twice, NONE).accounts == (TEACHER,)


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
        ("lan", TEACHER.roles, None),
        ("minh", ADMIN.roles, None),
    ]
