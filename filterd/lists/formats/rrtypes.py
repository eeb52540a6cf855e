# SPDX-License-Identifier: Apache-2.0
"""Names of record types in lists (IANA registry; ``TYPE65`` of RFC 3597 §5)."""

from __future__ import annotations

import re

RRTYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AFSDB": 18,
    "KEY": 25,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "CERT": 37,
    "DNAME": 39,
    "DS": 43,
    "SSHFP": 44,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "NSEC3": 50,
    "NSEC3PARAM": 51,
    "TLSA": 52,
    "SMIMEA": 53,
    "CDS": 59,
    "CDNSKEY": 60,
    "OPENPGPKEY": 61,
    "CSYNC": 62,
    "ZONEMD": 63,
    "SVCB": 64,
    "HTTPS": 65,
    "SPF": 99,
    "ANY": 255,
    "URI": 256,
    "CAA": 257,
}
"""Type codes by mnemonic."""

_unknown = re.compile(r"TYPE(\d{1,5})", re.ASCII).fullmatch


def rrtype(text: str) -> int | None:
    """Return the code of a type written in any case, or None if it is no type."""
    upper = text.upper()
    if upper in RRTYPES:
        return RRTYPES[upper]
    match = _unknown(upper)
    if match and 0 < (code := int(match[1])) <= 0xFFFF:
        return code
    return None
