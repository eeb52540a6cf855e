# SPDX-License-Identifier: Apache-2.0
"""Extended DNS Errors: the reason for an answer, for people and logs (RFC 8914).

An EDE never changes what an answer means, and it is sent only where the query had OPT.
Codes: IANA, "Extended DNS Error Codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from filterd.errors import BadEdnsError
from filterd.wire.registry import EdnsOption

if TYPE_CHECKING:
    from filterd.wire.edns import Edns

MAX_TEXT_OCTETS = 200
"""Keeps an answer in one datagram, and keeps it useless for amplification."""


class EdeCode(IntEnum):
    """INFO-CODEs: RFC 8914 §4, and those registered since."""

    OTHER = 0
    UNSUPPORTED_DNSKEY_ALGORITHM = 1
    UNSUPPORTED_DS_DIGEST_TYPE = 2
    STALE_ANSWER = 3
    FORGED_ANSWER = 4
    DNSSEC_INDETERMINATE = 5
    DNSSEC_BOGUS = 6
    SIGNATURE_EXPIRED = 7
    SIGNATURE_NOT_YET_VALID = 8
    DNSKEY_MISSING = 9
    RRSIGS_MISSING = 10
    NO_ZONE_KEY_BIT_SET = 11
    NSEC_MISSING = 12
    CACHED_ERROR = 13
    NOT_READY = 14
    BLOCKED = 15
    CENSORED = 16
    FILTERED = 17
    PROHIBITED = 18
    STALE_NXDOMAIN_ANSWER = 19
    NOT_AUTHORITATIVE = 20
    NOT_SUPPORTED = 21
    NO_REACHABLE_AUTHORITY = 22
    NETWORK_ERROR = 23
    INVALID_DATA = 24
    SIGNATURE_EXPIRED_BEFORE_VALID = 25
    TOO_EARLY = 26
    UNSUPPORTED_NSEC3_ITERATIONS = 27
    UNABLE_TO_CONFORM_TO_POLICY = 28
    SYNTHESIZED = 29


@dataclass(frozen=True, slots=True)
class Ede:
    """One extended error. ``code`` may be one that ``EdeCode`` does not name."""

    code: int
    text: str = ""


def compose_ede(ede: Ede) -> tuple[int, bytes]:
    """Return the option, its text cut to 200 octets between characters."""
    text = ede.text.encode("utf-8", "replace")
    if len(text) > MAX_TEXT_OCTETS:
        text = text[:MAX_TEXT_OCTETS].decode("utf-8", "ignore").encode()
    return int(EdnsOption.EDE), ede.code.to_bytes(2) + text


def edes_of(edns: Edns | None) -> tuple[Ede, ...]:
    """Read the extended errors of an OPT record.

    Raises:
        BadEdnsError: one is too short to hold its code.
    """
    if edns is None or not edns.options:
        return ()
    return tuple(_parse_ede(data) for code, data in edns.options if code == EdnsOption.EDE)


def _parse_ede(data: bytes) -> Ede:
    """Read one option's data; a final NUL is no text (RFC 8914 §2)."""
    if len(data) < 2:
        raise BadEdnsError("an extended error without its code")
    return Ede(int.from_bytes(data[:2]), data[2:].rstrip(b"\0").decode("utf-8", "replace"))
