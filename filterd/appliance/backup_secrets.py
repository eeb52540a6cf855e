# SPDX-License-Identifier: Apache-2.0
"""Encrypt the secrets of a backup in the age format (age-encryption.org/v1).

To the province's recovery key, of which the gateway has the public half, ``age1...``: then only
the province can decrypt them. Or to a passphrase: the secrets are encrypted to a key of their
own, and a line before them has its secret half, encrypted by the passphrase (scrypt, RFC 7914;
ChaCha20-Poly1305, RFC 8439). The passphrases of age itself take as much memory as the machine
that encrypts has to spare, and a gateway of 1 GB could not decrypt what a larger one has made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.appliance.backup_file import is_part
from filterd.errors import ConfigError
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

SHORTEST, LONGEST = 12, 1_000
"""Letters of a passphrase: the file may be stolen, and tried at leisure."""
_WORK, _WORK_OCTETS = 1 << 16, 1 << 27
"""Scrypt with blocks of 8: 64 MB of memory, and about a second on a small board."""
_SALT_OCTETS, _KEY_OCTETS, _NONCE = 16, 32, bytes(12)
"""A nonce may be fixed where each key encrypts once."""
_sealed = re.compile(rb"filterd-passphrase/1 ([A-Za-z0-9+/=]{24}) ([A-Za-z0-9+/=]{120})\n").match
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
        raise ConfigError(
            say("there is no secret key of age in this file"),
            hint=say("give the file that `age-keygen` wrote"),
        )
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
        own = pyrage.x25519.Identity.generate()
        sealed = _seal(str(own), lock.passphrase)
        return sealed + bytes(pyrage.encrypt(plain, [own.to_public()]))
    try:
        recipient = pyrage.x25519.Recipient.from_str(lock.key)
    except pyrage.RecipientError as error:
        raise ConfigError(
            say("backup.recovery_key in site.yaml is no public key of age"),
            hint=say("copy the line age1... of `age-keygen` once more"),
        ) from error
    return bytes(pyrage.encrypt(plain, [recipient]))


def decrypt(content: bytes, lock: BackupLock) -> dict[str, bytes]:
    """Return the secrets, by name.

    Raises:
        ConfigError: the passphrase or key is another one, or the content is damaged.
    """
    import pyrage  # noqa: PLC0415 -- see above
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- see above

    sealed = _sealed(content)
    if (sealed is not None) != bool(lock.passphrase):
        has = say("a passphrase") if sealed else say("the province's recovery key")
        raise ConfigError(say("the secrets are encrypted to {what}", what=has))
    try:
        key = _unsealed(sealed[1], sealed[2], lock.passphrase) if sealed else lock.key
        identity = pyrage.x25519.Identity.from_str(key)
        plain = pyrage.decrypt(content[sealed.end() if sealed else 0 :], [identity])
        return _named(plain)
    except (pyrage.DecryptError, pyrage.IdentityError, InvalidTag) as error:
        raise ConfigError(
            say("the secrets cannot be decrypted: another passphrase or key, or damaged")
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ConfigError(say("the secrets in the backup are none of filterd")) from error


def _seal(key: str, passphrase: str) -> bytes:
    """Return the line with a secret key that a passphrase decrypts."""
    salt = os.urandom(_SALT_OCTETS)
    sealed = _cipher(salt, passphrase).encrypt(_NONCE, key.encode(), None)
    return b"filterd-passphrase/1 %b %b\n" % (base64.b64encode(salt), base64.b64encode(sealed))


def _unsealed(salt: bytes, sealed: bytes, passphrase: str) -> str:
    """Return the secret key.

    Raises:
        ValueError: the line is damaged.
        InvalidTag: the passphrase is another one.
    """
    cipher = _cipher(base64.b64decode(salt), passphrase)
    return cipher.decrypt(_NONCE, base64.b64decode(sealed), None).decode()


def _cipher(salt: bytes, passphrase: str) -> ChaCha20Poly1305:
    from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 -- see above
        ChaCha20Poly1305,
    )

    key = hashlib.scrypt(
        unicodedata.normalize("NFC", passphrase).encode(),
        salt=salt,
        n=_WORK,
        r=8,
        p=1,
        maxmem=_WORK_OCTETS,
        dklen=_KEY_OCTETS,
    )
    return ChaCha20Poly1305(key)


def _named(plain: bytes) -> dict[str, bytes]:
    """Return the secrets in a decrypted text: anyone can encrypt to a public key."""
    named = json.loads(plain)
    if not all(map(is_part, named)):
        raise ValueError("a name leads elsewhere")
    return {name: base64.b64decode(one, validate=True) for name, one in named.items()}
