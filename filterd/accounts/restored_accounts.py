# SPDX-License-Identifier: Apache-2.0
"""Merge the accounts of a backup into those of this gateway. Pure.

An account that is here stays as it is, with its password, roles and tokens: what was changed
since the backup, such as a password that others had learnt, is not changed back. An account
that is not here comes back, unless it was disabled after the backup was made; its tokens and
enrolled devices come with it, unless they were revoked since. A backup that was read without its
secrets has accounts without passwords: such a person needs ``filterd account code``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.accounts.account import MOST_ACCOUNTS, MOST_DEVICES, MOST_TOKENS, AccountBook

if TYPE_CHECKING:
    from filterd.overrides.restored_history import Deletions


def without_secrets(book: AccountBook) -> AccountBook:
    """Return the names and roles of accounts alone."""
    accounts = tuple(
        replace(one, password=None, authenticator=b"", step=0, recovery=()) for one in book.accounts
    )
    return AccountBook(number=book.number, accounts=accounts)


def merged(present: AccountBook, backup: AccountBook, gone: Deletions) -> AccountBook:
    """Return the accounts of this gateway with those of a backup that it lacks.

    Args:
        present: of this gateway.
        backup: of the backup.
        gone: what was removed since.
    """
    here = {one.name.casefold() for one in present.accounts}
    room = max(0, MOST_ACCOUNTS - len(here))
    lacking = {  # one of each name: the maker of a backup may be another program
        one.name.casefold(): one
        for one in backup.accounts
        if one.name.casefold() not in here and not gone.has("account", one.name, "")
    }
    come = list(lacking.values())[:room]
    if not come:
        return present
    names = {one.name for one in come}
    tokens = [
        one
        for one in backup.tokens
        if one.account in names and not gone.has("token", one.account, one.label)
    ]
    devices = [
        one
        for one in backup.devices
        if one.account in names and not gone.has("enrolled", one.account, one.label)
    ]
    return replace(
        present,
        accounts=tuple(sorted((*present.accounts, *come), key=lambda one: one.name)),
        tokens=(*present.tokens, *tokens)[:MOST_TOKENS],
        devices=(*present.devices, *devices)[:MOST_DEVICES],
    )
