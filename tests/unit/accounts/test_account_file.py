# SPDX-License-Identifier: Apache-2.0
"""The file of the accounts: two copies, the newest sound one counts."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from pathlib import Path

import pytest

from filterd.accounts.account import KEPT_DISABLED_S, Account, AccountBook
from filterd.accounts.account_file import ASIDE, FORMAT, AccountFile, AccountsDamagedError
from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.overrides.rights.roles import Role


def with_one(name: str, file: AccountFile) -> AccountBook:
    made = Account(name, frozenset((Role.ADMIN,)), 1.0)
    return asyncio.run(file.change(lambda book: book.with_account(made)))


def loaded(folder: Path) -> AccountFile:
    file = AccountFile(StateFolder(folder))
    file.load()
    return file


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what an operator reads of the accounts."""
    return [record.getMessage() for record in caplog.records if record.name == "filterd.accounts"]


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
    copies = [FORMAT.load(copy) for copy in StateFolder(tmp_path).accounts_copies]
    assert copies == [file.book] * 2  # the start has mended it


def test_of_two_copies_the_newer_counts(tmp_path: Path) -> None:
    file, (first, _) = loaded(tmp_path), StateFolder(tmp_path).accounts_copies
    with_one("minh", file)
    old = first.read_bytes()
    with_one("lan", file)
    first.write_bytes(old)  # a power cut between the two
    assert loaded(tmp_path).book.number == 2


def test_two_damaged_copies_are_set_aside_and_close_the_accounts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = StateFolder(tmp_path)
    with_one("minh", loaded(tmp_path))
    for path in state.accounts_copies:
        path.write_bytes(b"x")
    for _ in range(2):
        file = loaded(tmp_path)
        with pytest.raises(AccountsDamagedError):
            file.check()
    assert (tmp_path / ASIDE).read_bytes() == b"x"
    assert logged(caplog) == [  # by the first start
        f"{path}: damaged; kept as {tmp_path / ASIDE}; no account can sign in"
        for path in state.accounts_copies
    ]


def test_a_copy_that_the_disk_does_not_take_is_logged_and_the_other_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = with_one("minh", loaded(tmp_path))
    copy = StateFolder(tmp_path).accounts_copies[1]
    copy.unlink()
    copy.mkdir()
    assert loaded(tmp_path).book == written
    [line] = logged(caplog)
    assert line.endswith("; there is one copy of the accounts")


def test_a_mark_counts_in_memory_where_the_disk_refuses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = loaded(tmp_path)
    StateFolder(tmp_path).accounts.mkdir()
    made = Account("lan", frozenset((Role.TEACHER,)), 1.0)
    with pytest.raises(StoreError):
        asyncio.run(file.change(lambda book: book.with_account(made)))
    assert file.book == AccountBook()
    asyncio.run(file.change(lambda book: book.with_account(made), must_last=False))
    assert file.book.find("lan")
    [line] = logged(caplog)
    assert line.endswith("; it is kept in memory only")


def test_without_a_file_the_accounts_are_empty_and_sound(tmp_path: Path) -> None:
    file = loaded(tmp_path)
    file.check()
    assert (file.book, file.is_damaged) == (AccountBook(), False)
    assert not any(path.exists() for path in StateFolder(tmp_path).accounts_copies)


def test_of_two_copies_the_newer_counts_whichever_it_is_and_both_are_it_then(
    tmp_path: Path,
) -> None:
    file, copies = loaded(tmp_path), StateFolder(tmp_path).accounts_copies
    with_one("minh", file)
    old = copies[1].read_bytes()
    with_one("lan", file)
    copies[1].write_bytes(old)
    assert loaded(tmp_path).book.number == 2
    assert copies[0].read_bytes() == copies[1].read_bytes() != old


def test_two_sound_copies_are_not_written_again(tmp_path: Path) -> None:
    with_one("minh", loaded(tmp_path))
    before = [path.stat().st_ino for path in StateFolder(tmp_path).accounts_copies]
    loaded(tmp_path)
    assert [path.stat().st_ino for path in StateFolder(tmp_path).accounts_copies] == before


def test_a_recovery_at_the_console_opens_damaged_accounts_anew(tmp_path: Path) -> None:
    with_one("minh", loaded(tmp_path))
    for path in StateFolder(tmp_path).accounts_copies:
        path.write_bytes(b"x")
    file = loaded(tmp_path)
    assert file.is_damaged
    made = Account("minh", frozenset((Role.ADMIN,)), 1.0)
    book = asyncio.run(file.begin_anew(lambda book: book.with_account(made)))
    file.check()
    assert (book.accounts, file.is_damaged) == ((made,), False)


def test_damaged_copies_that_cannot_be_set_aside_close_the_accounts_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with_one("minh", loaded(tmp_path))
    for path in StateFolder(tmp_path).accounts_copies:
        path.write_bytes(b"x")
    (tmp_path / ASIDE / "full").mkdir(parents=True)  # nothing takes its place
    file = loaded(tmp_path)
    with pytest.raises(AccountsDamagedError):
        file.check()
    assert [record.getMessage().partition(": ")[2][:22] for record in caplog.records] == [
        "cannot be set aside: ["
    ] * 2


def test_where_none_were_made_a_disk_only_to_read_damages_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path, _: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    monkeypatch.setattr(Path, "replace", refuse)
    loaded(tmp_path).check()
    assert caplog.text == ""


def test_each_change_has_a_number_and_none_is_made_where_nothing_changes(tmp_path: Path) -> None:
    file = loaded(tmp_path)
    assert [with_one(name, file).number for name in ("minh", "lan")] == [1, 2]
    same = asyncio.run(file.change(lambda book: book))
    assert (same.number, file.book.number) == (2, 2)


def test_a_change_forgets_accounts_that_were_disabled_a_year_ago(tmp_path: Path) -> None:
    file = AccountFile(StateFolder(tmp_path), lambda: KEPT_DISABLED_S + 9.0)
    gone = Account("lan", frozenset((Role.TEACHER,)), 1.0, disabled_at=8.0)
    file.book = AccountBook(accounts=(gone,))
    assert [account.name for account in with_one("minh", file).accounts] == ["minh"]


def test_damaged_copies_that_stay_where_they_are_close_the_accounts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_one("minh", loaded(tmp_path))
    for path in StateFolder(tmp_path).accounts_copies:
        path.write_bytes(b"x")

    def refused(*_: object) -> None:
        raise PermissionError(1, "it may not be moved")

    monkeypatch.setattr(type(tmp_path), "replace", refused)
    file = loaded(tmp_path)
    assert not (tmp_path / ASIDE).exists()
    with pytest.raises(AccountsDamagedError):
        file.check()


@pytest.mark.parametrize("missing", [0, 1])
def test_one_damaged_copy_is_damage_where_the_other_is_missing(
    tmp_path: Path, missing: int
) -> None:
    with_one("minh", loaded(tmp_path))
    copies = StateFolder(tmp_path).accounts_copies
    copies[missing].unlink()
    copies[1 - missing].write_bytes(b"x")
    with pytest.raises(AccountsDamagedError):
        loaded(tmp_path).check()
    assert (tmp_path / ASIDE).read_bytes() == b"x"


def test_a_file_that_cannot_be_read_names_itself_and_the_way_back(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"something else")
    with pytest.raises(StoreError, match="file of the accounts of filterd"):
        FORMAT.load(path)
    path.write_bytes(b"filterd accounts 1\nx\n{}")
    with pytest.raises(StoreError) as refused:
        FORMAT.load(path)
    assert "run `filterd account recover` at the console" in str(refused.value)


def test_a_file_longer_than_four_mebibytes_is_none_of_ours(tmp_path: Path) -> None:
    """Whatever stands in its place, a start does not read it into memory."""
    path = tmp_path / "file"
    path.touch()
    for octets, reason in ((4 << 20, "not a file"), ((4 << 20) + 1, "File too large")):
        os.truncate(path, octets)
        with pytest.raises(StoreError, match=reason):
            FORMAT.load(path)
