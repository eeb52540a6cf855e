# SPDX-License-Identifier: Apache-2.0
"""Secrets leave the gateway encrypted only, in a format that libraries of age read."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from filterd.accounts.account_file import FORMAT
from filterd.appliance.backup import backup_parts
from filterd.appliance.backup.backup_file import ACCOUNTS, HISTORY, SECRETS
from filterd.appliance.backup.backup_parts import (
    BackupLock,
    check_passphrase,
    decrypt,
    device_of,
    encrypt,
    gather,
    identity_in,
    site_files,
)
from filterd.base.errors import ConfigError, StoreError
from filterd.feed.appliance_files import FollowFile, FollowState, Wanted
from filterd.overrides.history import restored_history
from tests.support.backed_up_school import PUBLIC, BackedUpSchool, a_key_pair, a_token, an_account

if TYPE_CHECKING:
    from pathlib import Path

NAMED = {"device.pem": b"\0key", "secrets/mail": b"mat khau"}
PHRASE = BackupLock("năm từ dễ nhớ lắm")


def test_the_recovery_key_decrypts_what_was_encrypted_to_its_public_half() -> None:
    public, secret = a_key_pair()
    content = encrypt(NAMED, BackupLock(key=public))
    assert content.startswith(b"age-encryption.org/v1\n")
    assert b"mat khau" not in content
    assert decrypt(content, BackupLock(key=secret)) == NAMED
    with pytest.raises(ConfigError, match="cannot be decrypted"):
        decrypt(content, BackupLock(key=a_key_pair()[1]))
    with pytest.raises(ConfigError, match="recovery key"):
        decrypt(content, PHRASE)
    with pytest.raises(ConfigError, match="cannot be decrypted"):
        decrypt(content[:-1], BackupLock(key=secret))


def test_a_passphrase_decrypts_what_was_encrypted_to_it() -> None:
    content = encrypt(NAMED, PHRASE)
    assert decrypt(content, PHRASE) == NAMED
    composed = BackupLock(unicodedata.normalize("NFD", PHRASE.passphrase))
    assert decrypt(content, composed) == NAMED, "as another keyboard writes it"
    with pytest.raises(ConfigError, match="cannot be decrypted"):
        decrypt(content, BackupLock("một câu khác hẳn"))
    with pytest.raises(ConfigError, match="a passphrase"):
        decrypt(content, BackupLock(key="x"))


def test_a_small_board_decrypts_what_a_large_machine_has_encrypted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scrypt takes 128 times work times block of memory (RFC 7914), whatever machine."""
    asked = Mock(wraps=hashlib.scrypt)
    monkeypatch.setattr(hashlib, "scrypt", asked)
    encrypt(NAMED, PHRASE)
    given = asked.call_args.kwargs
    assert 128 * given["n"] * given["r"] == 64 << 20


def test_a_damaged_line_of_the_passphrase_is_refused() -> None:
    content = encrypt(NAMED, PHRASE)
    for at in (30, 80):
        damaged = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises(ConfigError):
            decrypt(damaged, PHRASE)


def test_what_is_encrypted_must_be_secrets_of_filterd(monkeypatch: pytest.MonkeyPatch) -> None:
    public, secret = a_key_pair()
    monkeypatch.setattr(json, "dumps", lambda _: "[]")
    with pytest.raises(ConfigError, match="not those of filterd"):
        decrypt(encrypt(NAMED, BackupLock(key=public)), BackupLock(key=secret))


@pytest.mark.parametrize("name", ["secrets/../../cron.d/x", "web//etc/cron.d/x", "/etc/x"])
def test_names_of_secrets_lead_nowhere_else(name: str) -> None:
    """The recovery key is public: a stick of anyone may have secrets that it decrypts."""
    public, secret = a_key_pair()
    with pytest.raises(ConfigError, match="not those of filterd"):
        decrypt(encrypt({name: b"x"}, BackupLock(key=public)), BackupLock(key=secret))


@pytest.mark.parametrize("text", ["short", "x" * 1_001, ""])
def test_a_passphrase_has_bounds(text: str) -> None:
    with pytest.raises(ConfigError, match="12 to 1000"):
        check_passphrase(text)
    assert check_passphrase("x" * 12) == "x" * 12


def test_keys_are_known_by_their_form() -> None:
    with pytest.raises(ConfigError, match="not a public key of age"):
        encrypt(NAMED, BackupLock(key=PUBLIC[:-1] + "p"))
    _, secret = a_key_pair()
    assert identity_in(f"# created: today\n{secret}\n") == secret
    with pytest.raises(ConfigError, match="no secret key"):
        identity_in("nothing")


@pytest.fixture
def school(tmp_path: Path) -> BackedUpSchool:
    made = BackedUpSchool(tmp_path)
    made.allow("a.example")
    made.put_accounts(an_account("lan"), tokens=(a_token("lan", "t"),))
    return made


def test_site_history_and_names_of_accounts_are_in_it(school: BackedUpSchool) -> None:
    found = gather(school.config, school.state, school.clock, BackupLock())
    parts = found.backup.parts
    assert parts["site/site.yaml"] == (school.config / "site.yaml").read_bytes()
    assert parts["site/lists/own.txt"] == b"game.example\n"
    assert len(restored_history.read(parts[HISTORY])) == 1
    book = FORMAT.parse(parts[ACCOUNTS], "")
    assert [(account.name, account.password) for account in book.accounts] == [("lan", None)]
    assert (found.backup.school, found.backup.device) == ("Trường mẫu", "")


def test_without_a_lock_no_secret_is_in_it_and_that_is_said(school: BackedUpSchool) -> None:
    school.with_keys()
    found = gather(school.config, school.state, school.clock, BackupLock())
    assert SECRETS not in found.backup.parts
    assert "left out" in found.left_out
    content = b"".join(found.backup.parts.values())
    assert b"PRIVATE KEY" not in content
    assert not [name for name in found.backup.parts if "mail" in name]


def test_with_a_lock_keys_passwords_and_secret_files_are_in_it(school: BackedUpSchool) -> None:
    school.with_keys()
    public, secret = a_key_pair()
    found = gather(school.config, school.state, school.clock, BackupLock(key=public))
    secrets = backup_parts.decrypt(found.backup.parts[SECRETS], BackupLock(key=secret))
    assert sorted(secrets) == [
        "accounts.json",
        "device.pem",
        "secrets/mail",
        "web/certificate.pem",
        "web/key.pem",
    ]
    assert FORMAT.parse(secrets[ACCOUNTS], "") == school.book
    assert found.backup.device == device_of(school.state) != ""
    assert not found.left_out


def test_the_log_and_the_requests_of_pupils_are_never_in_it(school: BackedUpSchool) -> None:
    for path in (school.state.query_log, school.state.review_requests, school.state.log_key):
        path.write_bytes(b"ten.mien.bi.mat")
    school.state.log_days.mkdir()
    (school.state.log_days / "2026-11-28.sqlite3").write_bytes(b"ten.mien.bi.mat")
    found = gather(school.config, school.state, school.clock, BackupLock())
    assert b"bi.mat" not in b"".join(found.backup.parts.values())


def test_trust_and_followed_lists_of_a_feed_are_in_it_and_its_lists_not(
    school: BackedUpSchool,
) -> None:
    feed = school.state.feed
    FollowFile(feed).write(FollowState(by_command=(Wanted("one"),)))
    (feed / "root.json").write_bytes(b"root")
    (feed / "metadata" / "root_history").mkdir(parents=True)
    (feed / "metadata" / "root_history" / "1.root.json").write_bytes(b"root")
    (feed / "metadata" / "timestamp.json").symlink_to("/etc/passwd")
    (feed / "versions" / "1").mkdir(parents=True)
    (feed / "versions" / "1" / "catalog.yaml").write_bytes(b"x")
    parts = gather(school.config, school.state, school.clock, BackupLock()).backup.parts
    assert sorted(name for name in parts if name.startswith("feed/")) == [
        "feed/followed.state",
        "feed/metadata/root_history/1.root.json",
        "feed/root.json",
    ]


def test_a_site_with_an_error_is_backed_up_as_it_is(school: BackedUpSchool) -> None:
    (school.config / "site.yaml").write_text("school: [")
    assert [name for name, _ in site_files(school.config)] == ["site.yaml"]
    assert gather(school.config, school.state, school.clock, BackupLock()).backup.school == ""


def test_a_site_cannot_name_files_elsewhere(school: BackedUpSchool) -> None:
    (school.config / "site.yaml").write_text("lists: [{file: ../../etc/passwd}, {file: a/.b}, 5]")
    assert [name for name, _ in site_files(school.config)] == ["site.yaml"]


def test_a_pipe_in_the_place_of_a_file_is_named(school: BackedUpSchool) -> None:
    path = school.config / "timetable.yaml"
    path.mkdir()
    with pytest.raises(StoreError, match=r"timetable\.yaml: cannot be read"):
        list(site_files(school.config))


def test_a_damaged_key_of_the_gateway_prevents_no_backup(school: BackedUpSchool) -> None:
    school.state.device_key.write_bytes(b"x")
    assert device_of(school.state) == ""
