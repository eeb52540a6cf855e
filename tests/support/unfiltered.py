# SPDX-License-Identifier: Apache-2.0
"""The one invariant: a must-block name gets no answer but a block.

It is checked from a reply alone, by another parser than filterd's: if the reply
answers anything, neither its question nor an alias in it may be a must-block name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rdatatype

if TYPE_CHECKING:
    from collections.abc import Iterator

MUST_BLOCK = dns.name.from_text("porn.example")
"""At and beneath it; in the lists of ``tests.support.serving``."""

_FIRST_LABEL = b"\x04porn"
_ALIASES = (
    dns.rdatatype.CNAME,
    dns.rdatatype.DNAME,
    dns.rdatatype.HTTPS,
    dns.rdatatype.SVCB,
)


def is_unfiltered(reply: bytes) -> bool:
    """Return whether a reply has an answer that a filter must not let through.

    A reply without answers proves nothing; most replies are distinguished by that or
    by not holding the name anywhere, which needs no parser.
    """
    if reply[6:8] == b"\0\0" or _FIRST_LABEL not in reply.lower():
        return False
    # RDATA of other types is the upstream's own affair, and may be no such RDATA.
    message = dns.message.from_wire(reply, continue_on_error=True)
    return any(name.is_subdomain(MUST_BLOCK) for name in _names(message))


def _names(message: dns.message.Message) -> Iterator[dns.name.Name]:
    yield from (one.name for one in (*message.question, *message.answer))
    for rrset in message.answer:
        if rrset.rdtype in _ALIASES:
            # In another class than IN a type means something else, and has no target.
            yield from (rdata.target for rdata in rrset if hasattr(rdata, "target"))
