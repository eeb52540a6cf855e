# SPDX-License-Identifier: Apache-2.0
"""Secrets leave the gateway encrypted only, in a format that libraries of age read."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from unittest.mock import Mock

import pytest

from filterd.appliance.backup_secrets import (
    BackupLock,
    check_passphrase,
    decrypt,
    encrypt,
    identity_in,
    is_recovery_key,
)
from filterd.errors import ConfigError
from tests.support.backed_up_school import PUBLIC, a_key_pair

SECRETS = {"device.pem": b"\0key", "secrets/mail": b"mat khau"}
PHRASE = BackupLock("năm từ dễ nhớ lắm")


def test_the_recovery_key_decrypts_what_was_encrypted_to_its_public_half() -> None:
    public, secret = a_key_pair()
    assert is_recovery_key(public)
    content = encrypt(SECRETS, BackupLock(key=public))
    assert content.startswith(b"age-encryption.org/v1\n")
    assert b"mat khau" not in content
    assert decrypt(content, BackupLock(key=secret)) == SECRETS
    with pytest.raises(ConfigError, match="cannot be decrypted"):
        decrypt(content, BackupLock(key=a_key_pair()[1]))
    with pytest.raises(ConfigError, match="recovery key"):
        decrypt(content, PHRASE)
    with pytest.raises(ConfigError, match="cannot be decrypted"):
        decrypt(content[:-1], BackupLock(key=secret))


def test_a_passphrase_decrypts_what_was_encrypted_to_it() -> None:
    content = encrypt(SECRETS, PHRASE)
    assert decrypt(content, PHRASE) == SECRETS
    composed = BackupLock(unicodedata.normalize("NFD", PHRASE.passphrase))
    assert decrypt(content, composed) == SECRETS, "as another keyboard writes it"
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
    encrypt(SECRETS, PHRASE)
    given = asked.call_args.kwargs
    assert 128 * given["n"] * given["r"] == 64 << 20


def test_a_damaged_line_of_the_passphrase_is_refused() -> None:
    content = encrypt(SECRETS, PHRASE)
    for at in (30, 80):
        damaged = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises(ConfigError):
            decrypt(damaged, PHRASE)


def test_what_is_encrypted_must_be_secrets_of_filterd(monkeypatch: pytest.MonkeyPatch) -> None:
    public, secret = a_key_pair()
    monkeypatch.setattr(json, "dumps", lambda _: "[]")
    with pytest.raises(ConfigError, match="none of filterd"):
        decrypt(encrypt(SECRETS, BackupLock(key=public)), BackupLock(key=secret))


@pytest.mark.parametrize("name", ["secrets/../../cron.d/x", "web//etc/cron.d/x", "/etc/x"])
def test_names_of_secrets_lead_nowhere_else(name: str) -> None:
    """The recovery key is public: a stick of anyone may have secrets that it decrypts."""
    public, secret = a_key_pair()
    with pytest.raises(ConfigError, match="none of filterd"):
        decrypt(encrypt({name: b"x"}, BackupLock(key=public)), BackupLock(key=secret))


@pytest.mark.parametrize("text", ["short", "x" * 1_001, ""])
def test_a_passphrase_has_bounds(text: str) -> None:
    with pytest.raises(ConfigError, match="12 to 1000"):
        check_passphrase(text)
    assert check_passphrase("x" * 12) == "x" * 12


def test_keys_are_known_by_their_form() -> None:
    assert not is_recovery_key("age1x")
    with pytest.raises(ConfigError, match="no public key of age"):
        encrypt(SECRETS, BackupLock(key=PUBLIC[:-1] + "p"))
    _, secret = a_key_pair()
    assert identity_in(f"# created: today\n{secret}\n") == secret
    with pytest.raises(ConfigError, match="no secret key"):
        identity_in("nothing")
