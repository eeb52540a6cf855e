# SPDX-License-Identifier: Apache-2.0
"""What a restore would change is known, and whole, before anything changes."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.accounts.account_file import FORMAT as ACCOUNT_FORMAT
from filterd.appliance.backup import backup_file
from filterd.appliance.backup.backup_parts import DEVICE_KEY, ENROLMENT, BackupLock
from filterd.appliance.backup.restore_plan import (
    check_site,
    difference,
    read_plan,
    without_device_key,
)
from filterd.base.errors import ConfigErrors, StoreError
from filterd.feed.signed.trust import TrustFolder
from filterd.texts.counted import fingerprint
from tests.support.backed_up_school import BackedUpSchool, a_key_pair, an_account
from tests.support.made_once import MadeOnce
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.appliance.backup.restore_plan import RestoreDifference


def _school(folder: Path) -> BackedUpSchool:
    made = BackedUpSchool(folder / "old")
    made.allow("a.example")
    made.name_device("máy 1")
    made.put_accounts(an_account("lan"))
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[BackedUpSchool]:
    return MadeOnce(tmp_path_factory.mktemp("restore"), _school)


@pytest.fixture
def school(made: MadeOnce[BackedUpSchool]) -> BackedUpSchool:
    return made.anew()


def changed(school: BackedUpSchool, path: Path) -> RestoreDifference:
    return difference(read_plan(path, BackupLock()), school.config, school.state, school.clock)


def test_a_backup_of_now_changes_nothing(school: BackedUpSchool) -> None:
    found = changed(school, school.back_up())
    assert (found.lines, found.files, found.removed, found.accounts) == ((), (), (), ())
    assert (list(found.effect.before.exceptions), found.kept_out, found.is_foreign) == (
        [],
        0,
        False,
    )


def test_what_would_come_and_go_is_shown(school: BackedUpSchool) -> None:
    path = school.back_up()
    school.allow("b.example")
    school.name_device("")
    (school.config / "lists" / "own.txt").write_text("other.example\n")
    (school.config / "timetable.yaml").write_text("{}\n")
    with (school.config / "site.yaml").open("a") as file:
        file.write("workers: 2\n")
    school.put_accounts()
    found = changed(school, path)
    assert (found.lines, found.files) == (("-workers: 2",), ("lists/own.txt",))
    assert (found.removed, found.kept_out) == (("timetable.yaml",), 1)
    assert [exception.target for exception in found.effect.before.exceptions] == ["b.example"]
    assert [account.name for account in found.accounts] == ["lan"]


def test_on_an_empty_box_all_of_it_comes(school: BackedUpSchool, tmp_path: Path) -> None:
    fresh = BackedUpSchool(tmp_path / "new", site="")
    found = changed(fresh, school.back_up())
    assert [exception.target for exception in found.effect.after.exceptions] == ["a.example"]
    assert "+school: {name: Trường mẫu}" in found.lines


def test_a_root_of_trust_that_comes_is_shown(school: BackedUpSchool, tmp_path: Path) -> None:
    root = Publisher(tmp_path / "www").root
    TrustFolder(school.state.feed).establish(root)
    path = school.back_up()
    assert changed(school, path).roots == ()
    assert changed(BackedUpSchool(tmp_path / "new", site=""), path).roots == (fingerprint(root),)


def test_the_backup_of_another_box_is_seen(school: BackedUpSchool, tmp_path: Path) -> None:
    other = BackedUpSchool(tmp_path / "other")
    other.with_keys()
    school.with_keys()
    assert changed(school, other.back_up()).is_foreign
    assert not changed(school, school.back_up()).is_foreign


def test_a_site_that_does_not_compile_is_refused_by_its_own_name(school: BackedUpSchool) -> None:
    plan = read_plan(school.back_up(), BackupLock())
    check_site(plan, school.config)
    with pytest.raises(ConfigErrors, match=r"old/site/site\.yaml:.*gradee"):
        check_site(plan.with_site("school: {name: M}\ngradee: 6\n"), school.config)


def test_a_full_disk_is_an_error_in_words(
    school: BackedUpSchool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan(school.back_up(), BackupLock())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(StoreError, match="cannot be written"):
        check_site(plan, school.config)


def test_accounts_of_another_release_are_named_with_it(school: BackedUpSchool) -> None:
    backup = backup_file.read(school.back_up())
    newer = backup.parts[backup_file.ACCOUNTS].replace(b"accounts 1", b"accounts 2", 1)
    path = school.folder / "newer.zip"
    parts = {**backup.parts, backup_file.ACCOUNTS: newer}
    backup_file.write(path, replace(backup, parts=parts, version="9.0"))
    with pytest.raises(StoreError, match=r"accounts in the backup .* filterd 9\.0"):
        read_plan(path, BackupLock())


def test_secrets_need_their_lock_and_what_is_missing_is_named(school: BackedUpSchool) -> None:
    school.with_keys()
    school.state.enrolment.write_bytes(b"of the province")
    public, secret = a_key_pair()
    bare, locked = school.back_up("bare.zip"), school.back_up("locked.zip", BackupLock(key=public))
    assert "must be made again" in str(read_plan(bare, BackupLock()).missing[0])
    assert "--passphrase-file" in str(read_plan(locked, BackupLock()).missing[0])
    assert read_plan(locked, BackupLock()).accounts.accounts[0].password is None
    plan = read_plan(locked, BackupLock(key=secret))
    assert (plan.missing, plan.accounts) == ((), school.book)
    assert {DEVICE_KEY, ENROLMENT} <= plan.secrets.keys()
    assert not {DEVICE_KEY, ENROLMENT} & without_device_key(plan).secrets.keys()


def test_passwords_in_a_plain_part_are_not_taken(school: BackedUpSchool) -> None:
    backup = backup_file.read(school.back_up())
    forged = {**backup.parts, backup_file.ACCOUNTS: ACCOUNT_FORMAT.dump(school.book)}
    path = school.folder / "forged.zip"
    backup_file.write(path, replace(backup, parts=forged))
    (account,) = read_plan(path, BackupLock()).accounts.accounts
    assert (account.name, account.password) == ("lan", None)


def test_a_backup_without_a_site_is_none(school: BackedUpSchool) -> None:
    path = school.folder / "x.zip"
    backup_file.write(path, backup_file.Backup(1.0, "", "", {}))
    with pytest.raises(StoreError, match=r"no site\.yaml"):
        read_plan(path, BackupLock())
