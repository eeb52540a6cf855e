# SPDX-License-Identifier: Apache-2.0
"""RDATA that filterd must understand: targets, addresses, TTLs, SvcParams.

Each reader is bounded by RDLENGTH and must use it up; its cost is taken from
the response's budget, so reading all records of a hostile message is as
bounded as parsing it.

Where a SvcParam is removed (RFC 9460 §2.2, §8), the rest must still be well-formed: a
record whose ``mandatory`` names a key that is missing would be ignored by every
client.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from filterd.base.errors import BadCountError, BadPointerError, WireError
from filterd.base.value_class import frozen
from filterd.wire.cursor import Cursor, skip_name
from filterd.wire.registry import RRType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.wire.response import ParsedResponse
    from filterd.wire.section import Record

KEY_MANDATORY, KEY_ECH = 0, 5
_PRIORITY_OCTETS = 2
_KEY_OCTETS = 2

_U16 = Struct("!H")
_PARAM = Struct("!HH")
_SOA_NUMBERS = Struct("!IIIII")
_BEFORE_SIGNER = Struct("!HBBIIIH")
_ADDRESS_OCTETS = {int(RRType.A): 4, int(RRType.AAAA): 16}
_SERVICE_TYPES = frozenset((int(RRType.SVCB), int(RRType.HTTPS)))
_SVCB_STEPS = 16
"""The cost of reading one such record beside its names and parameters."""

_KEY_IPV4HINT, _KEY_IPV6HINT = 4, 6


def without_param(rdata: bytes, key: int) -> bytes:
    """Remove one parameter from SVCB or HTTPS RDATA, and from its ``mandatory``.

    Raises:
        WireError: the name is compressed or runs past the end, a parameter
            does, or ``mandatory`` is no list of keys.
    """
    cursor = Cursor(rdata)
    cursor.move_to(skip_name(rdata, _PRIORITY_OCTETS, may_point=False))
    start = cursor.offset
    params = dict(_params(cursor))
    params.pop(key, None)
    if KEY_MANDATORY in params:
        params[KEY_MANDATORY] = _without_key(params[KEY_MANDATORY], key)
        if not params[KEY_MANDATORY]:
            del params[KEY_MANDATORY]  # an empty list is malformed
    written = (_PARAM.pack(one, len(value)) + value for one, value in params.items())
    return rdata[:start] + b"".join(written)


def _params(cursor: Cursor) -> Iterator[tuple[int, bytes]]:
    while not cursor.at_end:
        key, size = cursor.unpack(_PARAM)
        yield key, cursor.take(size)


def _without_key(mandatory: bytes, key: int) -> bytes:
    if not mandatory or len(mandatory) % _KEY_OCTETS:
        raise WireError("mandatory is no list of keys")
    unwanted = key.to_bytes(_KEY_OCTETS)
    keys = [mandatory[at : at + _KEY_OCTETS] for at in range(0, len(mandatory), _KEY_OCTETS)]
    return b"".join(one for one in keys if one != unwanted)


@frozen
class SvcbParts:
    """The target and parameters of a SVCB or HTTPS record (RFC 9460 §2).

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
    """Return the canonical target name of a record.

    Args:
        response: the one with the record.
        record: CNAME, DNAME, PTR or NS, or SVCB or HTTPS.

    Raises:
        WireError: the name is malformed or does not end where RDATA ends.
    """
    if record.rtype in _SERVICE_TYPES:
        return svcb_parts(response, record).target
    name, end = response.read_name(record.rdata_offset)
    if end != record.end:
        raise BadCountError("RDLENGTH and RDATA disagree", end)
    return name


def soa_minimum(response: ParsedResponse, record: Record) -> int:
    """Return the MINIMUM of a SOA record in seconds (RFC 2308 §4).

    One with its top bit set means 0.

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


def signer_of(response: ParsedResponse, record: Record) -> bytes:
    """Return the zone whose key made an RRSIG (RFC 4034 §3.1.7).

    Raises:
        WireError: RDATA is too short to say.
    """
    cursor = _rdata_cursor(response, record)
    cursor.unpack(_BEFORE_SIGNER)
    return _take_name(cursor, response)


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
