# SPDX-License-Identifier: Apache-2.0
"""Make the certificate of the dashboard: self-made, ECDSA P-256 (RFC 5280).

Browsers warn of it; its fingerprint is shown in ``filterd status`` and on the sheet, to be
compared once. ``filterd cert install`` replaces it by one that a browser knows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from filterd.paths import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_VALID = timedelta(days=825)
"""The longest that Apple's devices take."""
_BEFORE = timedelta(days=1)


def make(
    chain: Path, key: Path, names: Sequence[str], addresses: Sequence[str], now: float
) -> None:
    """Write a new key and its certificate.

    Args:
        chain: the file of the certificate, PEM.
        key: the file of the key, PEM; readable by its owner only.
        names: host names by which browsers reach the dashboard.
        addresses: IP addresses by which they do.
        now: Unix time.

    Raises:
        StoreError: the disk refused.
    """
    private, at = ec.generate_private_key(ec.SECP256R1()), datetime.fromtimestamp(now, UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [
        *(x509.DNSName(one) for one in names),
        *(x509.IPAddress(ip_address(one)) for one in addresses),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BEFORE)
        .not_valid_after(at + _VALID)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    write_atomically(
        key,
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        mode=0o600,
    )
    write_atomically(chain, certificate.public_bytes(pem), mode=0o644)
