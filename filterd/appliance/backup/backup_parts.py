# SPDX-License-Identifier: Apache-2.0
"""Gather the parts of a backup from a gateway, and encrypt its secrets.

The gateway may serve meanwhile. Each part is consistent by itself: the history is one transaction
of SQLite, the accounts are a file that is replaced whole, and so is each file of the feed. The
query log, the requests of pupils and the lists are left out: the first two are nothing to carry
away, the lists come again.

The state folder is read with the rights of its owner, which could put a link there to any file.

Secrets are encrypted in the age format (age-encryption.org/v1). To the province's recovery key, of
which the gateway has the public half, ``age1...``: then only the province can decrypt them. Or to
a passphrase: the secrets are encrypted to a key of their own, and a line before them has its secret
half, encrypted by the passphrase (scrypt, RFC 7914; ChaCha20-Poly1305, RFC 8439). The passphrases
of age itself take as much memory as the machine that encrypts has to spare, and a gateway of 1 GB
could not decrypt what a larger one has made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from filterd.accounts import account
from filterd.accounts.account import AccountBook
from filterd.accounts.account_file import FORMAT as ACCOUNT_FORMAT
from filterd.appliance.backup.backup_file import (
    ACCOUNTS,
    HISTORY,
    SECRETS,
    SECRETS_FOLDER,
    SITE,
    Backup,
    is_part,
)
from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.base.paths import open_plain, read_plain
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import BesideFolder
from filterd.base.value_class import frozen
from filterd.config.build_record import EXPECTATIONS, SITE_FILE
from filterd.documents import load
from filterd.overrides.history import restored_history
from filterd.overrides.history.store import Store
from filterd.texts.i18n import UNSAID, Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder

SHORTEST, LONGEST = 12, 1_000
"""Letters of a passphrase: the file may be stolen, and tried at leisure."""
_WORK, _WORK_OCTETS = 1 << 16, 1 << 27
"""Scrypt with blocks of 8: 64 MB of memory, and about a second on a small board."""
_SALT_OCTETS, _KEY_OCTETS, _NONCE = 16, 32, bytes(12)
"""A nonce may be fixed where each key encrypts once."""
_sealed = re.compile(rb"filterd-passphrase/1 ([A-Za-z0-9+/=]{24}) ([A-Za-z0-9+/=]{120})\n").match
_is_identity = re.compile(r"^(AGE-SECRET-KEY-1[0-9A-Z]{58})\s*$", re.MULTILINE).search


@frozen
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
            say("a passphrase has {least} to {most} characters", least=SHORTEST, most=LONGEST),
            hint=say("such as five words"),
        )
    return text


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

    named = {name: base64.b64encode(secret).decode() for name, secret in secrets.items()}
    plain = json.dumps(named).encode()
    if lock.passphrase:
        own = pyrage.x25519.Identity.generate()
        sealed = _seal(str(own), lock.passphrase)
        return sealed + bytes(pyrage.encrypt(plain, [own.to_public()]))
    try:
        recipient = pyrage.x25519.Recipient.from_str(lock.key)
    except pyrage.RecipientError as error:
        raise ConfigError(
            say("backup.recovery_key in site.yaml is not a public key of age"),
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
        raise ConfigError(say("the secrets in the backup are not those of filterd")) from error


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


FEEDS = ("feed/", "beside/")
WEB_FILES, DEVICE_KEY, ENROLMENT = "web/", "device.pem", "enrolment.filterd"
_OF_FEED = ("root.json", "followed.state", "in-force.json", "metadata/*.json",
            "metadata/root_history/*.root.json")  # fmt: skip
_MOST_FILE_OCTETS = 16 << 20
_MOST_SECRET_OCTETS = 128 << 10


class Gathered(NamedTuple):
    """A backup of this gateway, and what was left out of it."""

    backup: Backup
    left_out: Sentence = UNSAID


def gather(config: Path, state: StateFolder, clock: Clock, lock: BackupLock) -> Gathered:
    """Return a backup of this gateway.

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder; a daemon may serve from it.
        clock: for the time of the backup.
        lock: encrypts the secrets; without one they are left out.

    Raises:
        StoreError, ConfigError: a part cannot be read.
    """
    parts = {f"{SITE}{name}": content for name, content in site_files(config)}
    secrets = dict(_secret_files(config, state))
    with as_owner_of(state.folder):
        rows = tuple(reversed(Store(state, clock).rows()))
        book = accounts_of(state)
        device = device_of(state)
        for name, folder in zip(FEEDS, feeds_of(state), strict=True):
            parts |= {f"{name}{path}": content for path, content in _feed_files(folder)}
        for name, path in ((DEVICE_KEY, state.device_key), (ENROLMENT, state.enrolment)):
            with suppress(OSError):
                secrets[name] = read_plain(path, _MOST_SECRET_OCTETS)
    parts[HISTORY] = restored_history.dump(rows)
    parts[ACCOUNTS] = ACCOUNT_FORMAT.dump(account.without_secrets(book))
    secrets[ACCOUNTS] = ACCOUNT_FORMAT.dump(book)
    left_out = UNSAID
    if lock.is_any:
        parts[SECRETS] = encrypt(secrets, lock)
    else:
        left_out = say(
            "passwords, keys and secret files are left out: give a passphrase, or"
            " `backup.recovery_key` in site.yaml"
        )
    return Gathered(Backup(clock.wall(), device, _school(config), parts), left_out)


def site_files(config: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the site's YAML files, and of the lists that it names.

    Raises:
        StoreError: one cannot be read.
    """
    folders = (config, config / EXPECTATIONS)
    paths = [path for folder in folders for path in sorted(folder.glob("[!.]*.yaml"))]
    paths += [config / name for name in _named_lists(config)]
    for path in dict.fromkeys(paths):
        name = path.relative_to(config).as_posix()
        if not is_part(f"{SITE}{name}"):
            continue
        try:
            with open_plain(path) as file:
                content = file.read(_MOST_FILE_OCTETS + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be read: {why}", path=path, why=refused(error))
            ) from error
        if len(content) > _MOST_FILE_OCTETS:
            raise StoreError(say("{path}: too large for a backup", path=path))
        yield name, content


def device_of(state: StateFolder) -> str:
    """Return the fingerprint of this gateway's key; empty where it has none."""
    if not os.path.lexists(state.device_key):
        return ""
    from filterd.appliance.enrolment import (  # noqa: PLC0415 -- tuf, where there is a key only
        device_key,
        key_fingerprint,
    )

    with suppress(FilterdError):  # a damaged one is `doctor`'s to report
        return key_fingerprint(device_key(state.device_key))
    return ""


def feeds_of(state: StateFolder) -> tuple[Path, Path]:
    """Return the state folders of the feeds, in the order of ``FEEDS``."""
    return state.feed, BesideFolder(state.folder).feed


def _named_lists(config: Path) -> Iterator[str]:
    with suppress(ConfigError):  # a file with an error is backed up as it is
        data = load(config / SITE_FILE).data
        lists = data.get("lists") if isinstance(data, dict) else ()
        for one in lists if isinstance(lists, list) else ():
            name = one.get("file") if isinstance(one, dict) else None
            if isinstance(name, str) and is_part(name):
                yield name


def _school(config: Path) -> str:
    with suppress(ConfigError, KeyError, TypeError):
        return str(load(config / SITE_FILE).data["school"]["name"])[:200]
    return ""


def accounts_of(state: StateFolder) -> AccountBook:
    """Return the newest sound copy, as the manager takes it."""
    found = [book for copy in state.accounts_copies if (book := ACCOUNT_FORMAT.read(copy))]
    return max(found, key=lambda book: book.number, default=AccountBook())


def _feed_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a feed's state that are not lists.

    Without its lock, which a run holds for minutes: each file was verified for itself.
    """
    for pattern in _OF_FEED:
        for path in sorted(folder.glob(pattern)):
            name = path.relative_to(folder).as_posix()
            with suppress(OSError):  # it is being replaced, or a link to what is none of ours
                if is_part(name) and not path.is_symlink():
                    yield name, read_plain(path, _MOST_FILE_OCTETS)


def _secret_files(config: Path, state: StateFolder) -> Iterator[tuple[str, bytes]]:
    for begin, folder in ((SECRETS_FOLDER, config / "secrets"), (WEB_FILES, state.web)):
        for path in sorted(folder.glob("[!.]*")):
            with suppress(OSError):
                if not path.is_symlink():
                    yield f"{begin}{path.name}", read_plain(path, _MOST_SECRET_OCTETS)
