# SPDX-License-Identifier: Apache-2.0
"""Signed zones without a signing tool: RSA by hand, the rest by dnspython.

dnspython signs only if ``cryptography`` is installed. The arithmetic of RSA is short,
so a test needs neither that nor a name server's tools. The keys are small and made
from a seed: they are worthless outside a test.
"""

from __future__ import annotations

import base64
import hashlib
import math
import random
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.transaction
import dns.zone
from dns.rdtypes.ANY.RRSIG import RRSIG

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DNSKEY import DNSKEY

_ALGORITHM = 8  # RSASHA256, RFC 5702
_ZONE_AND_ENTRY = 257
_EXPONENT = 65_537
_PRIME_BITS = 512
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in an RSA signature (RFC 8017 §9.2)."""

_DAY_S = 86_400
_rrsig: Any = RRSIG  # whose constructor has no types


@dataclass(frozen=True)
class ZoneKey:
    """An RSA key that signs all of a zone; the same seed makes the same key."""

    seed: int

    @cached_property
    def _primes(self) -> tuple[int, int]:
        rng = random.Random(self.seed)
        return _prime(rng), _prime(rng)

    @cached_property
    def _remainders(self) -> tuple[int, int, int]:
        """The private exponent modulo p - 1 and q - 1, and 1 / q modulo p (RFC 8017 §3.2)."""
        p, q = self._primes
        exponent = pow(_EXPONENT, -1, math.lcm(p - 1, q - 1))
        return exponent % (p - 1), exponent % (q - 1), pow(q, -1, p)

    @cached_property
    def dnskey(self) -> DNSKEY:
        """The public half."""
        p, q = self._primes
        exponent = _EXPONENT.to_bytes(3)
        key = bytes((len(exponent),)) + exponent + (p * q).to_bytes(2 * _PRIME_BITS // 8)
        text = f"{_ZONE_AND_ENTRY} 3 {_ALGORITHM} {base64.b64encode(key).decode()}"
        return cast("DNSKEY", dns.rdata.from_text("IN", "DNSKEY", text))

    def anchor(self, zone: str) -> str:
        """Return the trust anchor for a validating resolver, in zone-file form."""
        return f"{zone} IN DS {dns.dnssec.make_ds(zone, self.dnskey, 'SHA256')}"

    def signature(self, data: bytes) -> bytes:
        """Sign octets (RSASSA-PKCS1-v1_5 with SHA-256)."""
        p, q = self._primes
        octets = 2 * _PRIME_BITS // 8
        digest = _DIGEST_INFO + hashlib.sha256(data).digest()
        padded = b"\0\1" + b"\xff" * (octets - len(digest) - 3) + b"\0" + digest
        message = int.from_bytes(padded)
        modulo_p, modulo_q, inverse = self._remainders
        by_p, by_q = pow(message, modulo_p, p), pow(message, modulo_q, q)
        return (by_q + q * ((by_p - by_q) * inverse % p)).to_bytes(octets)


def sign(zone: dns.zone.Zone, key: ZoneKey) -> None:
    """Sign a zone in place: RRSIGs valid from yesterday for a month, NSECs, the DNSKEY."""
    assert zone.origin is not None
    apex = zone.origin
    now = int(time.time())  # noqa: TID251 -- signatures are for the validator's own clock

    def sign_rrset(txn: dns.transaction.Transaction, rrset: dns.rrset.RRset) -> None:
        owner = rrset.name.derelativize(apex)
        unsigned = _rrsig(
            rrset.rdclass,
            dns.rdatatype.RRSIG,
            rrset.rdtype,
            _ALGORITHM,
            len(owner) - 1 - owner.is_wild(),
            rrset.ttl,
            now + 30 * _DAY_S,
            now - _DAY_S,
            dns.dnssec.key_id(key.dnskey),
            apex,
            b"",
        )
        data = dns.dnssec._make_rrsig_signature_data(rrset, unsigned, apex)
        txn.add(rrset.name, rrset.ttl, unsigned.replace(signature=key.signature(data)))

    with zone.writer() as txn:
        txn.add(apex, 3600, key.dnskey)
        dns.dnssec.sign_zone(zone, txn, [], add_dnskey=False, rrset_signer=sign_rrset)


def _prime(rng: random.Random) -> int:
    while True:
        candidate = rng.getrandbits(_PRIME_BITS) | (3 << _PRIME_BITS - 2) | 1
        if _is_prime(candidate, rng) and math.gcd(candidate - 1, _EXPONENT) == 1:
            return candidate


def _is_prime(candidate: int, rng: random.Random) -> bool:
    """Return whether a number is prime, by twenty rounds of Miller and Rabin's test."""
    if any(candidate % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23)):
        return False
    odd, twos = candidate - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(candidate, rng.randrange(2, candidate - 1), odd, twos) for _ in range(20))


def _passes(candidate: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, candidate)
    if power in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        power = pow(power, 2, candidate)
        if power == candidate - 1:
            return True
    return False
