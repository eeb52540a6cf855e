# SPDX-License-Identifier: Apache-2.0
"""The message header of twelve octets (RFC 1035 §4.1.1, RFC 6895 §2)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from filterd.errors import TruncatedMessageError

HEADER_OCTETS = 12

QR = 0x8000
AA = 0x0400
TC = 0x0200
RD = 0x0100
RA = 0x0080
AD = 0x0020
CD = 0x0010
OPCODE_MASK = 0x7800
RCODE_MASK = 0x000F

HEADER = Struct("!HHHHHH")


class Header(NamedTuple):
    """ID, flags and counts.

    A tuple and not a dataclass: one is made for every message.
    """

    id: int
    flags: int
    qdcount: int
    ancount: int
    nscount: int
    arcount: int

    @property
    def tc(self) -> bool:
        """Truncated: ask again over TCP."""
        return self.flags & TC != 0

    @property
    def rd(self) -> bool:
        """Recursion desired."""
        return self.flags & RD != 0

    @property
    def ad(self) -> bool:
        """Authentic data; in a query, the client understands it (RFC 6840 §5.7)."""
        return self.flags & AD != 0

    @property
    def cd(self) -> bool:
        """Checking disabled."""
        return self.flags & CD != 0

    @property
    def rcode(self) -> int:
        """The lower four bits of the response code; an OPT record may hold eight more."""
        return self.flags & RCODE_MASK


def peek_header(message: bytes) -> Header:
    """Read the header of a message, whatever the rest is.

    Raises:
        TruncatedMessageError: there are fewer than 12 octets.
    """
    if len(message) < HEADER_OCTETS:
        raise TruncatedMessageError(f"a header needs 12 octets, {len(message)} came")
    return Header._make(HEADER.unpack_from(message))


def compose_header(header: Header) -> bytes:
    """Return the 12 octets."""
    return HEADER.pack(*header)
