# SPDX-License-Identifier: Apache-2.0
"""What the cache holds, as two strings of octets: they take a third of what the objects take.

A school's cache is many thousands of small answers, and of such the objects are
the greater part. Made of them again is only what is asked for here; what is
asked for often is repeated by the fast path, which keeps messages.
"""

from __future__ import annotations

import marshal
from struct import Struct
from typing import TYPE_CHECKING

from filterd.upstream import Resolution
from filterd.wire import Ede, RebuiltSections

if TYPE_CHECKING:
    from filterd.upstream import UpstreamQuestion

_BEHIND_THE_NAME = Struct("!HBI")
_DO, _CD = 1, 2


def pack_key(question: UpstreamQuestion, route: int) -> bytes:
    """Return a question to the route of this number, as one key."""
    flags = (_DO if question.do else 0) | (_CD if question.cd else 0)
    return question.qname + _BEHIND_THE_NAME.pack(question.qtype, flags, route)


def pack(resolution: Resolution) -> bytes:
    """Return a resolution as octets that ``unpack`` reads, in this process only."""
    rcode, sections, targets, ttl_s, edes, authentic, private, ech = resolution
    told = tuple((int(ede.code), ede.text) for ede in edes) if edes else ()
    # One plain tuple: marshal knows no others, and each costs as much as what is in it.
    return marshal.dumps((int(rcode), *sections, targets, ttl_s, told, authentic, private, ech))


def unpack(packed: bytes | bytearray) -> Resolution:
    """Return the resolution that ``pack`` made this of."""
    rcode, *sections, targets, ttl_s, told, authentic, private, ech = marshal.loads(packed)  # noqa: S302 -- made here
    edes = tuple(Ede(*one) for one in told) if told else ()
    return Resolution(
        rcode, RebuiltSections(*sections), targets, ttl_s, edes, authentic, private, ech
    )
