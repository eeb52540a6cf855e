# SPDX-License-Identifier: Apache-2.0
"""Make the private key by which this gateway is known, once.

An Ed25519 key (RFC 8032) in the state folder, PEM, readable by its owner alone. It will sign
the inspection record and what a school reports. It is never replaced: a second key would
be a second gateway to those who know the first, so a damaged one is an error.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from filterd.counted import fingerprint
from filterd.publish.keys import load_key, make_key

if TYPE_CHECKING:
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner, Key


def device_key(path: Path) -> CryptoSigner:
    """Return the key of this gateway; make it where there is none.

    Raises:
        ConfigError: what stands there is no such key, or others can read it.
        StoreError: the disk refused.
    """
    return load_key(path) if os.path.lexists(path) else make_key(path)


def key_fingerprint(key: CryptoSigner) -> str:
    """Return the SHA-256 of the public key's 32 octets in groups of four digits."""
    return fingerprint(bytes.fromhex(key.public_key.keyval["public"]))


def device_id(key: Key) -> str:
    """Return the SHA-256 of a public key's 32 octets in hexadecimal."""
    return sha256(bytes.fromhex(key.keyval["public"])).hexdigest()
