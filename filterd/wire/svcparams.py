# SPDX-License-Identifier: Apache-2.0
"""The parameters of a service binding, and how to take one out (RFC 9460 §2.2, §8).

What is left must still be well-formed: a record whose ``mandatory`` names a key
that it does not have would be thrown away by every client.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from filterd.errors import WireError
from filterd.wire.compression import skip_name
from filterd.wire.cursor import Cursor

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_MANDATORY, KEY_ECH = 0, 5

_PARAM = Struct("!HH")
_PRIORITY_OCTETS = 2
_KEY_OCTETS = 2


def without_param(rdata: bytes, key: int) -> bytes:
    """Return RDATA of SVCB or HTTPS without one parameter and its mention in ``mandatory``.

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
