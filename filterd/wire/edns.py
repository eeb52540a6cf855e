# SPDX-License-Identifier: Apache-2.0
"""EDNS: the OPT record (RFC 6891).

OPT is hop by hop: it is read, never stored or forwarded, and composed anew for
each client. Its CLASS is a size and its TTL holds flags, which is why code that ages
or compares records must never see it.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import BadEdnsError, TruncatedMessageError
from filterd.wire.cursor import Cursor
from filterd.wire.registry import RRType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.wire.record import Record

UDP_SIZE = 1232
"""The size that filterd advertises, and the largest that it sends by UDP (RFC 9715)."""

MAX_OPTIONS = 32
DO = 0x8000

_OPTION = Struct("!HH")
_TTL_FIELDS = Struct("!BBH")
_TYPE = int(RRType.OPT)
_OPT = Struct("!BHHBBHH")


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
