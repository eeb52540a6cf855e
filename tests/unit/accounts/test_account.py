# SPDX-License-Identifier: Apache-2.0
"""Accounts come back where they are missing, and never against what was decided since."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from filterd.accounts import account as module
from filterd.accounts.account import (
    KEPT_DISABLED_S,
    Account,
    AccountBook,
    ApiToken,
    EnrolledDevice,
    account_name,
    by_secret,
    hash_of,
    label,
    merged,
    new_id,
    new_secret,
    without_secrets,
)
from filterd.accounts.password_hash import PasswordHash
from filterd.base.errors import ChangeError, ControlError
from filterd.overrides.history.restored_history import Deletions
from filterd.overrides.rights.roles import Role
from tests.support.backed_up_school import a_device, a_token, an_account

MINH = Account("minh", frozenset((Role.ADMIN,)), 1.0)
LAN = Account("lan", frozenset((Role.TEACHER,)), 1.0)


def test_accounts_are_in_order_bounded_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    book = AccountBook().with_account(MINH).with_account(LAN)
    assert [account.name for account in book.accounts] == ["lan", "minh"]
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
    assert [account.name for account in pruned.accounts] == ["minh"]
    assert [one.id for one in pruned.tokens] == ["cd"]


def test_a_name_is_that_of_a_person() -> None:
    assert account_name("hoa\u0301") == "ho\u00e1"
    names: tuple[object, ...] = ("root", "FILTERD", "", "a b", "a:b", None, "x" * 65, "a\u202eb")
    for wrong in names:
        with pytest.raises(ChangeError):
            account_name(wrong)


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
    assert [token.account for token in found.tokens] == ["minh"]
    assert merged(found, BACKUP, NONE) is found


def test_an_account_loses_all_its_access_and_others_keep_theirs() -> None:
    book = replace(BACKUP, devices=(a_device("minh", "phone"), *BACKUP.devices))
    left = book.without_access("lan")
    assert left == replace(book, tokens=book.tokens[1:], devices=book.devices[:1])


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
    names = [account.name for account in found.accounts]
    assert (
        names,
        *([one.account for one in part] for part in (found.tokens, found.devices)),
    ) == left


def test_without_secrets_there_are_names_and_roles() -> None:
    bare = without_secrets(BACKUP)
    assert (bare.tokens, bare.devices) == ((), ())
    assert [(account.name, account.roles, account.password) for account in bare.accounts] == [
        ("lan", TEACHER.roles, None),
        ("minh", ADMIN.roles, None),
    ]


@pytest.mark.parametrize(
    ("account", "may"),
    [(LAN, True), (replace(LAN, disabled_at=0.0), False), (replace(LAN, name="hoa"), False)],
)
def test_who_is_there_and_not_disabled_may_sign_in(account: Account, *, may: bool) -> None:
    book = AccountBook(accounts=(MINH, account))
    assert book.active("lan") == (account if may else None)
    assert (book.find("lan") is None) is (account.name != "lan")


def test_a_year_after_it_was_disabled_an_account_goes_with_its_devices() -> None:
    gone, kept = replace(LAN, disabled_at=100.0), replace(MINH, disabled_at=101.0)
    devices = (a_device("lan", "phone"), a_device("minh", "phone"))
    book = AccountBook(7, 5.0, (gone, kept), (), devices)
    pruned = book.pruned(101.0 + KEPT_DISABLED_S)
    assert pruned == AccountBook(7, 5.0, (kept,), (), devices[1:])


@pytest.mark.parametrize(
    ("before", "after", "is_let"),
    [
        ((MINH,), replace(MINH, roles=frozenset((Role.TEACHER,))), False),
        ((MINH,), replace(MINH, disabled_at=1.0), False),
        ((MINH, replace(LAN, roles=MINH.roles)), replace(MINH, disabled_at=1.0), True),
        ((MINH, LAN), replace(MINH, disabled_at=1.0), False),
        (
            (MINH, replace(LAN, roles=MINH.roles, disabled_at=1.0)),
            replace(MINH, roles=LAN.roles),
            False,
        ),
        ((LAN,), replace(LAN, disabled_at=1.0), True),  # there was none before either
        ((replace(MINH, disabled_at=1.0),), replace(MINH, disabled_at=2.0), True),
    ],
)
def test_the_last_administrator_who_may_sign_in_stays_one(
    before: tuple[Account, ...], after: Account, *, is_let: bool
) -> None:
    book = AccountBook(accounts=before)
    if is_let:
        assert book.with_account(after).find(after.name) == after
    else:
        with pytest.raises(ControlError, match="is the last administrator"):
            book.with_account(after)


def test_an_account_may_change_when_there_are_as_many_as_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 2)
    book = AccountBook(accounts=(LAN, MINH))
    changed = replace(LAN, step=3)
    assert book.with_account(changed).accounts == (changed, MINH)
    assert len(AccountBook(accounts=(MINH,)).with_account(LAN).accounts) == 2


@pytest.mark.parametrize(
    ("of_one", "of_others", "is_let"),
    [(1, 1, True), (2, 0, False), (1, 2, False), (0, 3, False), (0, 2, True), (2, 1, False)],
)
def test_tokens_and_devices_are_bounded_by_account_and_by_school(
    monkeypatch: pytest.MonkeyPatch, of_one: int, of_others: int, *, is_let: bool
) -> None:
    for name, most in (("_MOST_OF_ONE", 2), ("MOST_TOKENS", 3), ("MOST_DEVICES", 3)):
        monkeypatch.setattr(module, name, most)
    owners = ["lan"] * of_one + ["minh"] * of_others
    tokens = tuple(replace(a_token(owner, "t"), id=str(n)) for n, owner in enumerate(owners))
    devices = tuple(replace(a_device(owner, "t"), id=str(n)) for n, owner in enumerate(owners))
    book = AccountBook(tokens=tokens, devices=devices)
    token = replace(a_token("lan", "t"), id="new")
    device = replace(a_device("lan", "t"), id="new")
    if is_let:
        assert book.with_token(token).tokens == (*tokens, token)
        assert book.with_device(device).devices == (*devices, device)
    else:
        with pytest.raises(ControlError, match="as many as are allowed"):
            book.with_token(token)
        with pytest.raises(ControlError, match="as many as are allowed"):
            book.with_device(device)
    for changed in devices[:1]:
        assert book.with_device(changed).devices == (*devices[1:], changed)


@pytest.mark.parametrize(
    ("secret", "now", "tries_left", "owner", "counts"),
    [
        ("s", 9.0, 5, LAN, True),
        ("other", 9.0, 5, LAN, False),
        ("s", 10.0, 5, LAN, False),  # it has ended
        ("s", 9.0, 1, LAN, True),
        ("s", 9.0, 0, LAN, False),
        ("s", 9.0, 5, replace(LAN, disabled_at=1.0), False),
        ("s", 9.0, 5, MINH, False),  # the account is gone
    ],
)
def test_a_device_counts_by_its_secret_its_end_its_tries_and_its_owner(
    secret: str, now: float, tries_left: int, owner: Account, *, counts: bool
) -> None:
    device = a_device("lan", "phone")
    device = replace(device, hash=hash_of("s"), ends_at=10.0, tries_left=tries_left)
    other = replace(a_device("lan", "tablet"), id="zz", hash=hash_of("z"), ends_at=99.0)
    book = AccountBook(accounts=(owner,), devices=(other, device))
    assert book.device_of(secret, now) == (device if counts else None)


def test_a_secret_is_that_of_one_thing_and_new_ones_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (replace(a_token("lan", one), hash=hash_of(one)) for one in ("a", "b"))
    assert [by_secret((first, second), one) for one in ("a", "b", "c")] == [first, second, None]
    made = {new_secret() for _ in range(9)}
    assert (len(made), {len(one) for one in made}) == (9, {43})
    drawn = iter(["aaaaaa", "bbbbbb"])
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(drawn))
    assert new_id(["aaaaaa", "cccccc"]) == "bbbbbb"


def test_an_id_has_six_characters() -> None:
    assert len(new_id(())) == 6


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (" Điện thoại ", "Điện thoại"),
        ("x", "x"),
        ("x" * 60, "x" * 60),
        ("x" * 61, None),
        ("", None),
        ("   ", None),
        (None, None),
        (5, None),
        (["x"], None),
        ("a\nb", None),
    ],
)
def test_a_label_is_a_line_of_up_to_sixty_characters(value: object, found: str | None) -> None:
    if found is None:
        with pytest.raises(ChangeError):
            label(value)
    else:
        assert label(value) == found


def test_without_secrets_nothing_is_left_that_signs_in_and_the_rest_is_as_it_was() -> None:
    rich = replace(
        LAN,
        disabled_at=4.0,
        password=PasswordHash(16, 8, 1, b"salt", b"key"),
        authenticator=b"12345678901234567890",
        step=7,
        recovery=(b"hash",),
    )
    bare = without_secrets(AccountBook(3, 5.0, (rich,), (a_token("lan", "t"),)))
    assert bare == AccountBook(3, None, (replace(LAN, disabled_at=4.0),))


@pytest.mark.parametrize(("most", "come"), [(1, []), (2, ["lan"]), (3, ["lan", "minh"])])
def test_of_a_backup_as_many_come_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, most: int, come: list[str]
) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", most)
    present = AccountBook(9, None, (an_account("hoa"),))
    found = merged(present, BACKUP, NONE)
    assert [account.name for account in found.accounts] == sorted(["hoa", *come])
    assert [token.account for token in found.tokens] == come


def test_tokens_and_devices_of_this_gateway_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TOKENS", 2)
    monkeypatch.setattr(module, "MOST_DEVICES", 1)
    here = AccountBook(
        9, None, (an_account("hoa"),), (a_token("hoa", "t"),), (a_device("hoa", "phone"),)
    )
    found = merged(here, BACKUP, NONE)
    assert [token.account for token in found.tokens] == ["hoa", "lan"]
    assert [device.account for device in found.devices] == ["hoa"]


def test_what_is_new_has_no_secret_no_use_and_no_right_yet() -> None:
    new = Account("lan", frozenset((Role.TEACHER,)), 1.0)
    assert (new.disabled_at, new.password, new.authenticator) == (None, None, b"")
    assert (new.step, new.recovery, new.is_disabled) == (0, (), False)
    token = ApiToken("ab", "lan", "x", b"", Role.READER, "all", (), 1.0, 2.0)
    assert token.used_on == ""
    device = EnrolledDevice("ab", "lan", "x", b"", PasswordHash(2, 1, 1, b"", b""), 1.0, 2.0, 5)
    assert (device.is_confirmed, device.used_on) == (False, "")
    assert AccountBook() == AccountBook(0, None, (), (), ())


def test_accounts_that_come_back_stand_in_order_among_those_that_are_here() -> None:
    present = AccountBook(9, None, (an_account("an"), an_account("mai")))
    names = [account.name for account in merged(present, BACKUP, NONE).accounts]
    assert names == ["an", "lan", "mai", "minh"]
