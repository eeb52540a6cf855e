# SPDX-License-Identifier: Apache-2.0
"""DNS numbers and mnemonics, as IANA registers them.

From "Domain Name System (DNS) Parameters", https://www.iana.org/assignments/dns-parameters.
A number that is not listed here is not an error anywhere: RFC 3597 writes it
``TYPE65280``, and filterd carries it like any other.
"""

from __future__ import annotations

from enum import IntEnum

from filterd.base.errors import NameTextError
from filterd.texts.i18n import say


class Rcode(IntEnum):
    """Response codes (RFC 6895 §2.3); above 15 only with an OPT record."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    YXRRSET = 7
    NXRRSET = 8
    NOTAUTH = 9
    NOTZONE = 10
    DSOTYPENI = 11
    BADVERS = 16
    BADCOOKIE = 23


class RRClass(IntEnum):
    """Classes (RFC 6895 §3.2)."""

    IN = 1
    CH = 3
    HS = 4
    NONE = 254
    ANY = 255


class RRType(IntEnum):
    """Types of records and of questions (RFC 6895 §3.1)."""

    A = 1
    NS = 2
    MD = 3
    MF = 4
    CNAME = 5
    SOA = 6
    MB = 7
    MG = 8
    MR = 9
    NULL = 10
    WKS = 11
    PTR = 12
    HINFO = 13
    MINFO = 14
    MX = 15
    TXT = 16
    RP = 17
    AFSDB = 18
    X25 = 19
    ISDN = 20
    RT = 21
    NSAP = 22
    SIG = 24
    KEY = 25
    PX = 26
    GPOS = 27
    AAAA = 28
    LOC = 29
    NXT = 30
    SRV = 33
    NAPTR = 35
    KX = 36
    CERT = 37
    A6 = 38
    DNAME = 39
    OPT = 41
    APL = 42
    DS = 43
    SSHFP = 44
    IPSECKEY = 45
    RRSIG = 46
    NSEC = 47
    DNSKEY = 48
    DHCID = 49
    NSEC3 = 50
    NSEC3PARAM = 51
    TLSA = 52
    SMIMEA = 53
    HIP = 55
    CDS = 59
    CDNSKEY = 60
    OPENPGPKEY = 61
    CSYNC = 62
    ZONEMD = 63
    SVCB = 64
    HTTPS = 65
    DSYNC = 66
    SPF = 99
    NID = 104
    L32 = 105
    L64 = 106
    LP = 107
    EUI48 = 108
    EUI64 = 109
    TKEY = 249
    TSIG = 250
    IXFR = 251
    AXFR = 252
    MAILB = 253
    MAILA = 254
    ANY = 255
    URI = 256
    CAA = 257
    AMTRELAY = 260
    RESINFO = 261


class EdnsOption(IntEnum):
    """Options of the OPT record (RFC 6891 §9)."""

    NSID = 3
    CLIENT_SUBNET = 8
    COOKIE = 10
    KEEPALIVE = 11
    PADDING = 12
    EDE = 15
    OWN_MARK = 65_001
    """For local use (RFC 6891 §9): marks the queries that filterd sends to itself."""


_NAME_OF_TYPE = {int(rtype): rtype.name for rtype in RRType}


def type_to_text(rtype: int) -> str:
    """Return the mnemonic, or ``TYPE<n>`` where there is none (RFC 3597 §5)."""
    return _NAME_OF_TYPE.get(rtype) or f"TYPE{rtype}"


def type_from_text(text: str) -> int:
    """Parse a mnemonic in any letter case, ``TYPE65`` or ``65``.

    Raises:
        NameTextError: it is none of them.
    """
    word = text.strip().upper()
    if word in RRType.__members__:
        return int(RRType[word])
    digits = word.removeprefix("TYPE")
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 0xFFFF:
        return int(digits)
    raise NameTextError(
        say("{text} is not a record type; write AAAA, TYPE28 or 28", text=ascii(text[:32]))
    )
