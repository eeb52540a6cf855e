# SPDX-License-Identifier: Apache-2.0
"""The RDATA that filterd must understand: where a name leads, addresses, negative TTLs.

Each reader is bounded by RDLENGTH and must use it up; what it costs comes out
of the response's budget, so reading all records of a hostile message is as
bounded as parsing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from filterd.errors import BadCountError, BadPointerError, WireError
from filterd.wire.cursor import Cursor
from filterd.wire.registry import RRType
from filterd.wire.svcparams import KEY_ECH

if TYPE_CHECKING:
    from filterd.wire.record import Record
    from filterd.wire.response import ParsedResponse

_U16 = Struct("!H")
_PARAM = Struct("!HH")
_SOA_NUMBERS = Struct("!IIIII")
_ADDRESS_OCTETS = {int(RRType.A): 4, int(RRType.AAAA): 16}
_SERVICE_TYPES = frozenset((int(RRType.SVCB), int(RRType.HTTPS)))
_SVCB_STEPS = 16
"""What reading one such record costs beside its names and parameters."""

_KEY_IPV4HINT, _KEY_IPV6HINT = 4, 6


@dataclass(frozen=True, slots=True)
class SvcbParts:
    """What a SVCB or HTTPS record leads to (RFC 9460 §2).

    ``priority`` 0 is AliasMode. ``target`` is as written: the root stands for
    the owner name in ServiceMode. Hints are packed addresses. ``ech``: the
    record offers Encrypted ClientHello.
    """

    priority: int
    target: bytes
    ipv4hints: tuple[bytes, ...] = ()
    ipv6hints: tuple[bytes, ...] = ()
    ech: bool = False


def _rdata_cursor(response: ParsedResponse, record: Record) -> Cursor:
    return Cursor(response.message, record.rdata_offset, record.end)


def _expect_end(cursor: Cursor) -> None:
    if not cursor.at_end:
        raise BadCountError("RDLENGTH is longer than its RDATA", cursor.offset)


def _take_name(cursor: Cursor, response: ParsedResponse) -> bytes:
    name, end = response.read_name(cursor.offset)
    cursor.move_to(end)
    return name


def target_of(response: ParsedResponse, record: Record) -> bytes:
    """Return the canonical name that a record leads to.

    Args:
        response: what the record stands in.
        record: CNAME, DNAME, PTR or NS, or SVCB or HTTPS.

    Raises:
        WireError: the name is malformed or does not end where RDATA ends.
    """
    if record.rtype in _SERVICE_TYPES:
        return svcb_parts(response, record).target
    name, end = response.read_name(record.rdata_offset)
    if end != record.end:
        raise BadCountError("RDLENGTH and RDATA disagree", record.rdata_offset)
    return name


def soa_minimum(response: ParsedResponse, record: Record) -> int:
    """Return the MINIMUM of a SOA record in seconds (RFC 2308 §4); top bit set means 0.

    Raises:
        WireError: RDATA is not that of a SOA.
    """
    cursor = _rdata_cursor(response, record)
    _take_name(cursor, response)
    _take_name(cursor, response)
    minimum = cursor.unpack(_SOA_NUMBERS)[-1]
    _expect_end(cursor)
    return minimum if minimum < 1 << 31 else 0


def address_of(response: ParsedResponse, record: Record) -> bytes:
    """Return the 4 octets of an A record or the 16 of an AAAA record.

    Raises:
        WireError: RDATA has another length, or the record is neither.
    """
    size = _ADDRESS_OCTETS.get(record.rtype)
    if size != record.rdlength:
        raise WireError(f"an address of {record.rdlength} octets", record.rdata_offset)
    return response.message[record.rdata_offset : record.end]


def covered_type(response: ParsedResponse, record: Record) -> int:
    """Return the type of the records that an RRSIG signs (RFC 4034 §3.1.1).

    Raises:
        WireError: RDATA is too short to say.
    """
    (covered,) = _rdata_cursor(response, record).unpack(_U16)
    return int(covered)


def svcb_parts(response: ParsedResponse, record: Record) -> SvcbParts:
    """Read a SVCB or HTTPS record.

    Raises:
        WireError: the target is compressed, or keys do not ascend (RFC 9460
            §2.2), or a hint is no list of addresses.
    """
    cursor = _rdata_cursor(response, record)
    response.spend(_SVCB_STEPS, cursor.offset)
    (priority,) = cursor.unpack(_U16)
    start = cursor.offset
    target = _take_name(cursor, response)
    if cursor.offset - start != len(target):
        raise BadPointerError("a TargetName is never compressed", start)
    params = _svc_params(cursor, response)
    return SvcbParts(
        priority,
        target,
        _hints(response, params.get(_KEY_IPV4HINT), 4),
        _hints(response, params.get(_KEY_IPV6HINT), 16),
        KEY_ECH in params,
    )


def _svc_params(cursor: Cursor, response: ParsedResponse) -> dict[int, tuple[int, int]]:
    """Map each key to the start and size of its value."""
    params: dict[int, tuple[int, int]] = {}
    last = -1
    while not cursor.at_end:
        response.spend(1, cursor.offset)
        key, size = cursor.unpack(_PARAM)
        if key <= last:
            raise WireError("SvcParamKeys do not ascend", cursor.offset)
        params[key] = (cursor.advance(size), size)
        last = key
    return params


def _hints(response: ParsedResponse, value: tuple[int, int] | None, size: int) -> tuple[bytes, ...]:
    if value is None:
        return ()
    start, octets = value
    if not octets or octets % size:
        raise WireError(f"{octets} octets are no addresses of {size}", start)
    response.spend(octets // size, start)
    message = response.message
    return tuple(message[at : at + size] for at in range(start, start + octets, size))
