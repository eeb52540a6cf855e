# SPDX-License-Identifier: Apache-2.0
"""Make and read the publisher's private keys, with safe permissions.

One file a key, PEM (PKCS 8, Ed25519), readable by its owner alone, with an optional
passphrase. Each offline key has a folder of its own, to be carried to its own safe;
online keys stay on the publishing machine::

    offline/root-1/root-1.pem  offline/root-2/...  offline/root-3/...
    orders/orders.pem          at the ordering authority, on a machine of its own
    program/program.pem        at the makers of the program, on a machine of their own
    fleet/fleet.pem            at the office that enrols gateways, on a machine of its own
    online/targets.pem         online/snapshot.pem  online/timestamp.pem
"""

from __future__ import annotations

import os
import stat
from shlex import quote
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from filterd.base.errors import ConfigError
from filterd.base.paths import open_plain, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.feed.version_files import DELEGATED, FLEET, ONLINE, ORDERS, PROGRAM, TARGETS
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FLEET", "ORDERS", "PROGRAM", "TARGETS"]
ROOT, SNAPSHOT, TIMESTAMP = "root", "snapshot", "timestamp"

ROOT_KEYS, ROOT_THRESHOLD = 3, 2
"""So many root keys there are, and so many must sign."""

_LONGEST = 16_384
_NOT_FOR_OTHERS = 0o077


@frozen
class KeyFolder:
    """The private keys under one folder; each role's are read when it signs.

    Args:
        folder: where they are.
        passphrase: what encrypts all of them; ``None`` for none.
    """

    folder: Path
    passphrase: bytes | None = None

    def paths(self, role: str) -> list[Path]:
        """Return where a role's keys belong, whether they are there or not."""
        if role == ROOT:
            names = [f"root-{number}" for number in range(1, ROOT_KEYS + 1)]
            return [self.folder / "offline" / name / f"{name}.pem" for name in names]
        return [self.folder / ("online" if role in ONLINE else role) / f"{role}.pem"]

    def create(self) -> dict[str, list[CryptoSigner]]:
        """Make every role's keys.

        Raises:
            ConfigError: a key is there already: none is ever written over.
            StoreError: the disk refused.
        """
        roles = (ROOT, *ONLINE, *DELEGATED, FLEET)
        for path in (path for role in roles for path in self.paths(role)):
            if os.path.lexists(path):
                raise ConfigError(
                    say("there already is a key"),
                    path=str(path),
                    hint=say(
                        "choose an empty folder; a key is replaced by `filterd feed rotate-key`"
                    ),
                )
        return {role: [self._make(path) for path in self.paths(role)] for role in roles}

    def signers(self, role: str) -> list[CryptoSigner]:
        """Return the keys of a role that are here.

        The root's keys are kept apart: maybe only some of them are here.

        Raises:
            ConfigError: none is here, or one is not as it must be.
        """
        found = [path for path in self.paths(role) if os.path.lexists(path)]
        if not found:
            raise ConfigError(
                say("the key of the role {role} is missing", role=role),
                path=str(self.paths(role)[0]),
                hint=say("insert the medium that it is kept on, or give its folder"),
            )
        return [load_key(path, self.passphrase) for path in found]

    def next_key(self, path: Path) -> CryptoSigner:
        """Return the key that is to take the place of the one at ``path``.

        It waits beside it until ``promote``, so that a rotation that was
        interrupted goes on with the same key.
        """
        waiting = _waiting(path)
        return load_key(waiting, self.passphrase) if waiting.exists() else self._make(waiting)

    def promote(self, path: Path) -> None:
        """Put the next key in the place of the one at ``path``, once the root names it.

        Raises:
            StoreError: the disk refused.
        """
        with writing(path):
            _waiting(path).replace(path)

    def _make(self, path: Path) -> CryptoSigner:
        with writing(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.chmod(0o700)
        return make_key(path, self.passphrase)


def make_key(path: Path, passphrase: bytes | None = None) -> CryptoSigner:
    """Make one private key and write it, readable by its owner alone.

    Its folder exists.

    Raises:
        StoreError: the disk refused.
    """
    private = Ed25519PrivateKey.generate()
    secrecy = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secrecy
    )
    write_atomically(path, pem, mode=0o600)
    return CryptoSigner(private)


def load_key(path: Path, passphrase: bytes | None = None) -> CryptoSigner:
    """Read one private key, unless others might have read it too.

    Raises:
        ConfigError: it is missing, is a link, is not its owner's alone, or no
            Ed25519 key that this passphrase opens.
    """
    pem = _read_secret(path)
    try:
        private = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            say("this is not a private key, or the passphrase is wrong"), path=str(path)
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError(say("the key is not of the kind Ed25519"), path=str(path))
    return CryptoSigner(private)


def _read_secret(path: Path) -> bytes:
    try:
        if path.is_symlink():
            raise ConfigError(
                say("a private key must not be a link"), path=str(path), hint=say("name the file")
            )
        with open_plain(path) as file:
            status = os.fstat(file.fileno())
            pem = file.read(_LONGEST + 1)
    except OSError as error:
        raise ConfigError(
            say("cannot be read: {why}", why=refused(error)), path=str(path)
        ) from error
    if stat.S_IMODE(status.st_mode) & _NOT_FOR_OTHERS or status.st_uid not in (0, os.geteuid()):
        raise ConfigError(
            say("others can read this private key"),
            path=str(path),
            hint=say(
                "replace the key if they may have read it; then: chmod 600 {path}",
                path=quote(str(path)),
            ),
        )
    return pem[:_LONGEST]


def _waiting(path: Path) -> Path:
    return path.with_suffix(".next.pem")
