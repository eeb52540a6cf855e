# SPDX-License-Identifier: Apache-2.0
"""The file of the accounts: two copies, the newest sound one counts."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import pytest

from filterd.accounts.account import Account, AccountBook
from filterd.accounts.account_file import ASIDE, FORMAT, AccountFile, AccountsDamagedError
from filterd.errors import StoreError
from filterd.overrides.roles import Role
from filterd.state_folder import StateFolder

if TYPE_CHECKING:
    from pathlib import Path


def with_one(name: str, file: AccountFile) -> AccountBook:
    made = Account(name, frozenset((Role.ADMIN,)), 1.0)
    return asyncio.run(file.change(lambda book: book.with_account(made)))


def loaded(folder: Path) -> AccountFile:
    file = AccountFile(StateFolder(folder))
    file.load()
    return file


def test_accounts_are_there_after_a_restart_and_only_the_daemon_reads_them(tmp_path: Path) -> None:
    written = with_one("minh", loaded(tmp_path))
    assert loaded(tmp_path).book == written
    for path in StateFolder(tmp_path).accounts_copies:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("harm", [b"", b"filterd accounts 1\nx\n{}", b"\xff" * 100, None])
def test_one_damaged_copy_harms_nothing(tmp_path: Path, which: int, harm: bytes | None) -> None:
    with_one("minh", loaded(tmp_path))
    path = StateFolder(tmp_path).accounts_copies[which]
    path.unlink()
    if harm is not None:
        path.write_bytes(harm)
    file = loaded(tmp_path)
    assert (file.book.number, file.is_damaged) == (1, False)
    copies = [FORMAT.load(one) for one in StateFolder(tmp_path).accounts_copies]
    assert copies == [file.book] * 2  # the start has mended it


def test_of_two_copies_the_newer_counts(tmp_path: Path) -> None:
    file, (first, _) = loaded(tmp_path), StateFolder(tmp_path).accounts_copies
    with_one("minh", file)
    old = first.read_bytes()
    with_one("lan", file)
    first.write_bytes(old)  # a power cut between the two
    assert loaded(tmp_path).book.number == 2


def test_two_damaged_copies_are_set_aside_and_close_the_accounts(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with_one("minh", loaded(tmp_path))
    for path in state.accounts_copies:
        path.write_bytes(b"x")
    for _ in range(2):
        file = loaded(tmp_path)
        with pytest.raises(AccountsDamagedError):
            file.check()
    assert (tmp_path / ASIDE).read_bytes() == b"x"


def test_a_mark_counts_in_memory_where_the_disk_refuses(tmp_path: Path) -> None:
    file = loaded(tmp_path)
    StateFolder(tmp_path).accounts.mkdir()
    made = Account("lan", frozenset((Role.TEACHER,)), 1.0)
    with pytest.raises(StoreError):
        asyncio.run(file.change(lambda book: book.with_account(made)))
    assert file.book == AccountBook()
    asyncio.run(file.change(lambda book: book.with_account(made), must_last=False))
    assert file.book.find("lan")
