# SPDX-License-Identifier: Apache-2.0
"""Encrypt the secrets of a backup in the age format (age-encryption.org/v1).

To a passphrase (scrypt), or to the province's recovery key, of which the gateway has the public
half, ``age1...``: then only the province can decrypt them. A file from elsewhere may ask for
any amount of work, so the work factor is bounded before it is decrypted.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.errors import ConfigError
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST, LONGEST = 12, 1_000
"""Letters of a passphrase: the file may be stolen, and tried at leisure."""
MOST_OCTETS = 16 << 20
_HIGHEST_WORK = 20
"""2**20 is a gigabyte of memory."""
_work_of = re.compile(rb"age-encryption\.org/v1\n-> scrypt [A-Za-z0-9+/]{22} ([0-9]{1,3})\n").match
_is_recovery_key = re.compile(r"age1[0-9a-z]{58}").fullmatch
_is_identity = re.compile(r"^(AGE-SECRET-KEY-1[0-9A-Z]{58})\s*$", re.MULTILINE).search


@dataclass(frozen=True, slots=True)
class BackupLock:
    """What encrypts or decrypts: a passphrase, or the recovery key.

    Attributes:
        passphrase: empty for none.
        key: to encrypt, the public key ``age1...``; to decrypt, ``AGE-SECRET-KEY-1...``.
    """

    passphrase: str = ""
    key: str = ""

    @property
    def is_any(self) -> bool:
        """Whether there is one."""
        return bool(self.passphrase or self.key)


def check_passphrase(text: str) -> str:
    """Return a passphrase that is long enough.

    Raises:
        ConfigError: it is too short or too long.
    """
    if not SHORTEST <= len(text) <= LONGEST:
        raise ConfigError(
            say("a passphrase has {least} to {most} letters", least=SHORTEST, most=LONGEST),
            hint=say("such as five words"),
        )
    return text


def is_recovery_key(text: str) -> bool:
    """Return whether a text has the form of a public key of age, X25519."""
    return _is_recovery_key(text) is not None


def identity_in(text: str) -> str:
    """Return the secret key in the text of a file, as ``age-keygen`` writes it.

    Raises:
        ConfigError: there is none.
    """
    found = _is_identity(text)
    if found is None:
        raise ConfigError(say("there is no secret key of age in this file"))
    return found[1]


def encrypt(secrets: Mapping[str, bytes], lock: BackupLock) -> bytes:
    """Return secrets, encrypted.

    Args:
        secrets: content by name.
        lock: with a passphrase or a public key.

    Raises:
        ConfigError: the key is none.
    """
    import pyrage  # noqa: PLC0415 -- two megabytes, for this alone

    named = {name: base64.b64encode(one).decode() for name, one in secrets.items()}
    plain = json.dumps(named).encode()
    if lock.passphrase:
        return bytes(pyrage.passphrase.encrypt(plain, lock.passphrase))
    try:
        recipient = pyrage.x25519.Recipient.from_str(lock.key)
    except pyrage.RecipientError as error:
        raise ConfigError(say("this is no recovery key")) from error
    return bytes(pyrage.encrypt(plain, [recipient]))


def decrypt(content: bytes, lock: BackupLock) -> dict[str, bytes]:
    """Return the secrets, by name.

    Raises:
        ConfigError: the passphrase or key is another one, or the content is damaged.
    """
    import pyrage  # noqa: PLC0415 -- see above

    work = _work_of(content)
    if (work is not None) != bool(lock.passphrase):
        has = say("a passphrase") if work else say("the province's recovery key")
        raise ConfigError(say("the secrets are encrypted to {what}", what=has))
    if work is not None and int(work[1]) > _HIGHEST_WORK:
        raise ConfigError(say("the secrets ask for more memory than a gateway has"))
    try:
        if lock.passphrase:
            plain = pyrage.passphrase.decrypt(content, lock.passphrase)
        else:
            plain = pyrage.decrypt(content, [pyrage.x25519.Identity.from_str(lock.key)])
        named = json.loads(plain)
        return {str(name): base64.b64decode(one, validate=True) for name, one in named.items()}
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise ConfigError(
            say("the secrets cannot be decrypted: another passphrase or key, or damaged")
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ConfigError(say("the secrets in the backup are none of filterd")) from error
