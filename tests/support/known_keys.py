# SPDX-License-Identifier: Apache-2.0
"""Signing keys made of their names, for what a fixture holds signed; worthless elsewhere."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner


def known_signers(*roles: str) -> dict[str, list[CryptoSigner]]:
    """Return the same keys of each role at each call: three of the root, one of another."""
    return {
        role: [known_signer(f"{role}-{n}") for n in range(3 if role == "root" else 1)]
        for role in roles
    }


def known_signer(name: str) -> CryptoSigner:
    """Return the key that follows from a name."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))
