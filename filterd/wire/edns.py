# SPDX-License-Identifier: Apache-2.0
"""EDNS: the OPT record (RFC 6891), and Extended DNS Errors in it (RFC 8914).

OPT is hop by hop: it is read, never stored or forwarded, and composed anew for
each client. Its CLASS is a size and its TTL holds flags, which is why code that ages
or compares records must never see it.

An EDE gives the reason for an answer, for people and logs. It never changes what an answer
means, and it is sent only where the query had OPT. Codes: IANA, "Extended DNS Error Codes".
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import BadEdnsError, TruncatedMessageError
from filterd.base.value_class import frozen
from filterd.wire.cursor import Cursor
from filterd.wire.registry import EdnsOption, RRType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.wire.section import Record

UDP_SIZE = 1232
"""The size that filterd advertises, and the largest that it sends by UDP (RFC 9715)."""

MAX_OPTIONS = 32
DO = 0x8000

_OPTION = Struct("!HH")
_TTL_FIELDS = Struct("!BBH")
_TYPE = int(RRType.OPT)
_OPT = Struct("!BHHBBHH")

MAX_TEXT_OCTETS = 200
"""Keeps an answer in one datagram, and keeps it useless for amplification."""


class Edns(NamedTuple):
    """The content of an OPT record. ``flags`` are its 16 flag bits, DO among them.

    ``options`` are (code, data) in the order in which they came; of a version
    other than 0 they are not read, because their form is not known.
    """

    udp_size: int
    version: int
    do: bool
    extended_rcode: int
    flags: int
    options: tuple[tuple[int, bytes], ...] = ()


def parse_edns(message: bytes, record: Record) -> Edns:
    """Read an OPT record in the additional section.

    Raises:
        BadEdnsError: its owner is not the root, spelled as one octet; its
            options do not fill its RDATA; there are more than 32.
    """
    if message[record.start] != 0:
        raise BadEdnsError("an OPT record's owner must be the root", record.start)
    extended_rcode, version, flags = _TTL_FIELDS.unpack_from(message, record.ttl_offset)
    options = _parse_options(message, record) if version == 0 and record.rdlength else ()
    return Edns(record.rclass, version, flags & DO != 0, extended_rcode, flags, options)


def parse_plain_edns(message: bytes, offset: int) -> Edns | None:
    """Read OPT where it is alone behind ``offset`` and has no options: the usual case.

    None where anything else stands there, for ``parse_edns`` to judge. Never raises.
    """
    if len(message) - offset != _OPT.size:
        return None
    owner, rtype, udp_size, extended_rcode, version, flags, rdlength = _OPT.unpack_from(
        message, offset
    )
    if owner or rtype != _TYPE or rdlength:
        return None
    return Edns(udp_size, version, flags & DO != 0, extended_rcode, flags)


def _parse_options(message: bytes, record: Record) -> tuple[tuple[int, bytes], ...]:
    cursor = Cursor(message, record.rdata_offset, record.end)
    options: list[tuple[int, bytes]] = []
    try:
        while not cursor.at_end:
            if len(options) == MAX_OPTIONS:
                raise BadEdnsError(f"more than {MAX_OPTIONS} EDNS options", cursor.offset)
            code, size = cursor.unpack(_OPTION)
            options.append((code, cursor.take(size)))
    except TruncatedMessageError as error:
        raise BadEdnsError("an EDNS option runs past its record", error.offset) from None
    return tuple(options)


def compose_edns(
    *,
    do: bool = False,
    extended_rcode: int = 0,
    options: Iterable[tuple[int, bytes]] = (),
    udp_size: int = UDP_SIZE,
) -> bytes:
    """Return an OPT record of version 0 with only DO (RFC 6891 §6.1.4, RFC 3225)."""
    rdata = b"".join([_OPTION.pack(code, len(data)) + data for code, data in options])
    flags = DO if do else 0
    return _OPT.pack(0, _TYPE, udp_size, extended_rcode, 0, flags, len(rdata)) + rdata


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


@frozen
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
