# SPDX-License-Identifier: Apache-2.0
"""Make, check and install the certificate of dashboard and DNS (RFC 5280).

A self-made one (ECDSA P-256) is there from the installation on. Browsers warn of it; its
fingerprint is shown in ``filterd status`` and on the sheet, to be compared once. A browser
knows the one that ``filterd cert install`` puts in its place. Each has its facts beside it
(``certificate_facts``). Key and certificate change together: until both are on the
disk, the old ones are in force.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from filterd.base.certificate_facts import FACTS, FILE, CertificateFacts, facts_in
from filterd.base.errors import ConfigError
from filterd.base.paths import make_folder, open_plain, replacing, writing
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import UNSAID, refused, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.texts.i18n import Sentence

CHAIN, KEY = "certificate.pem", "key.pem"
_VALID = timedelta(days=825)
"""The longest that Apple's devices take."""
_BEFORE = timedelta(days=1)
_MOST_OCTETS, _MOST_CERTIFICATES = 1 << 16, 10
_LEAST_RSA_BITS = 2048
_WEAK = (hashes.MD5, hashes.SHA1)
_MALFORMED = (
    *(ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion),
    *(x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType),
)
"""What the parser raises for a certificate or key that is none, or of a kind it does not know."""
_CURVES = (ec.SECP256R1, ec.SECP384R1)
"""Those that all browsers take."""
_STRENGTH = say("browsers accept RSA from 2048 bits on, and the curves P-256 and P-384")


class CheckedCertificate(NamedTuple):
    """A certificate that browsers take, with its chain and its key, PEM."""

    first: x509.Certificate
    chain: bytes
    key: bytes


def make(
    chain: Path, key: Path, names: Sequence[str], addresses: Sequence[str], now: float
) -> CertificateFacts:
    """Write a new key and its self-made certificate.

    Args:
        chain: the file of the certificate, PEM.
        key: the file of the key, PEM; readable by its owner and group only.
        names: host names by which browsers reach the dashboard.
        addresses: IP addresses by which they do.
        now: Unix time.

    Raises:
        StoreError: the disk refused.
    """
    private, at = ec.generate_private_key(ec.SECP256R1()), datetime.fromtimestamp(now, UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [
        *(x509.DNSName(name) for name in names),
        *(x509.IPAddress(ip_address(address)) for address in addresses),
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
    secret = private.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _put(chain, key, CheckedCertificate(certificate, certificate.public_bytes(pem), secret))


def ensure(
    folder: Path, names: Sequence[str], addresses: Sequence[str], now: float
) -> CertificateFacts:
    """Return the facts of the certificate; make one where it is missing or short.

    A self-made one is short where it is not for all of these names and IPv4 addresses; IPv6
    addresses change by themselves (RFC 8981). One that was installed is never replaced.

    Raises:
        StoreError: the disk refused.
    """
    found = facts_in(folder)
    if found is not None and os.path.lexists(folder / CHAIN):
        wanted = {*names, *(address for address in addresses if ":" not in address)}
        if found.issuer or wanted <= {*found.names, *found.addresses}:
            return found
    return make(folder / CHAIN, folder / KEY, names, addresses, now)


def load(chain: Path, key: Path, now: float) -> CheckedCertificate:
    """Read a certificate and check that browsers take it.

    Args:
        chain: the certificate, then those of its authorities; PEM.
        key: the private key, PEM; readable by its owner only, without a passphrase.
        now: Unix time.

    Raises:
        ConfigError: they do not.
    """
    secret, offered = _read_key(key), _read(chain)
    first = _checked(offered, chain, now)
    try:
        private = serialization.load_pem_private_key(secret, None)
    except _MALFORMED as error:
        raise ConfigError(
            say("this is not a private key in PEM without a passphrase"), path=str(key)
        ) from error
    if private.public_key() != first.public_key():
        raise ConfigError(
            say("the key is not that of the certificate"),
            path=str(key),
            hint=say("name the pair that was issued together"),
        )
    return CheckedCertificate(first, offered, secret)


def install(folder: Path, offered: CheckedCertificate) -> CertificateFacts:
    """Put a certificate in the place of the old one.

    Raises:
        StoreError: the disk refused; the old one stays in force.
    """
    return _put(folder / CHAIN, folder / KEY, offered)


def facts_of(path: Path) -> CertificateFacts:
    """Return the facts of a certificate, from its file.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        return _facts(_certificates(_read(path), path)[0])
    except _MALFORMED as error:
        raise _no_certificate(path) from error


def _put(chain: Path, key: Path, new: CheckedCertificate) -> CertificateFacts:
    facts, folder = _facts(new.first), chain.parent
    with writing(folder):
        make_folder(folder, mode=0o755)
    with (
        # Of the group of the folder: on a gateway the daemon's, which serves DNS by TLS with it.
        replacing(key, new.key, mode=0o640) as put_key,
        replacing(chain, new.chain, mode=0o644) as put_chain,
        replacing(chain.with_name(FILE), FACTS.dump(facts), mode=0o644) as put_facts,
    ):
        put_key()
        put_chain()
        put_facts()
    return facts


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    names, addresses = _reached_by(certificate)
    is_self_made = certificate.issuer == certificate.subject
    return CertificateFacts(
        fingerprint(certificate.public_bytes(serialization.Encoding.DER)),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        names,
        addresses,
        "" if is_self_made else certificate.issuer.rfc4514_string(),
    )


def _reached_by(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and the addresses that a certificate is for."""
    try:
        kind = x509.SubjectAlternativeName
        found = certificate.extensions.get_extension_for_class(kind).value
    except _MALFORMED:  # browsers take no other field
        return (), ()
    names = tuple(found.get_values_for_type(x509.DNSName))
    return names, tuple(map(str, found.get_values_for_type(x509.IPAddress)))


def _checked(pem: bytes, path: Path, now: float) -> x509.Certificate:
    """Return the first certificate of a chain that browsers take.

    Raises:
        ConfigError: they do not.
    """
    chain = _certificates(pem, path)
    try:
        fault = _fault(chain[0], now)
        if chain[-1].issuer == chain[-1].subject:
            chain.append(chain[-1])
    except _MALFORMED:
        fault = _STRENGTH
    for number, (below, above) in enumerate(pairwise(chain), 1):
        try:
            below.verify_directly_issued_by(above)
        except (*_MALFORMED, InvalidSignature):
            fault = fault or say(
                "certificate {number} of the file is not signed by the next one", number=number
            )
    if fault:
        raise ConfigError(
            fault, path=str(path), hint=say("the one that was in force stays in force")
        )
    return chain[0]


def _fault(certificate: x509.Certificate, now: float) -> Sentence:
    """Return why browsers would refuse a certificate; UNSAID if they would not."""
    facts, key = _facts(certificate), certificate.public_key()
    if not facts.names and not facts.addresses:
        return say("it has no host name and no address (subjectAltName)")
    if now < facts.begins_at:
        return say("it is not valid yet; is the clock right?")
    if now >= facts.ends_at:
        return say("it has ended; is the clock right?")
    if isinstance(certificate.signature_hash_algorithm, _WEAK):
        return say("it is signed with MD5 or SHA-1, which browsers refuse")
    is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    )
    return UNSAID if is_strong else _STRENGTH


def _certificates(pem: bytes, path: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(pem)
    except _MALFORMED as error:
        raise _no_certificate(path) from error
    if len(found) > _MOST_CERTIFICATES:
        raise ConfigError(say("too many certificates in one file"), path=str(path))
    return found


def _no_certificate(path: Path) -> ConfigError:
    return ConfigError(say("this is not a certificate in PEM"), path=str(path))


def _read_key(path: Path) -> bytes:
    pem, mode = _read_with_mode(path)
    if mode & 0o077:
        raise ConfigError(
            say("others can read this private key"),
            path=str(path),
            hint=say(
                "replace the key if they may have read it; then: chmod 600 {path}",
                path=quote(str(path)),
            ),
        )
    return pem


def _read(path: Path) -> bytes:
    return _read_with_mode(path)[0]


def _read_with_mode(path: Path) -> tuple[bytes, int]:
    try:
        with open_plain(path) as file:
            mode, pem = os.fstat(file.fileno()).st_mode, file.read(_MOST_OCTETS + 1)
    except OSError as error:
        raise ConfigError(
            say("cannot be read: {why}", why=refused(error)), path=str(path)
        ) from error
    if len(pem) > _MOST_OCTETS:
        raise ConfigError(say("the file is too large"), path=str(path))
    return pem, mode
