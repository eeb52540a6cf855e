# SPDX-License-Identifier: Apache-2.0
"""The message header (RFC 1035 §4.1.1, RFC 6895 §2) and its TCP frame (RFC 7766).

The header has twelve octets. On a stream two octets of length stand before a message.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import CostlyMessageError, TruncatedMessageError

if TYPE_CHECKING:
    from collections.abc import Iterator

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

MAX_MESSAGE_OCTETS = 65535
_PREFIX_OCTETS = 2


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


def frame(message: bytes) -> bytes:
    """Prepend the length to a message of at most 65535 octets.

    Raises:
        CostlyMessageError: it is longer.
    """
    if len(message) > MAX_MESSAGE_OCTETS:
        raise CostlyMessageError(f"{len(message)} octets do not fit a stream message")
    return len(message).to_bytes(_PREFIX_OCTETS) + message


class Deframer:
    """Splitter of a stream, delivered in pieces of any size, into messages.

    It keeps at most one unfinished message. A length prefix of zero, or of more than
    ``limit`` octets, ends the stream: from then on it is unknown where a message
    begins.
    """

    __slots__ = ("_buffer", "_limit")

    def __init__(self, limit: int = MAX_MESSAGE_OCTETS) -> None:
        self._buffer = bytearray()
        self._limit = limit

    @property
    def pending(self) -> int:
        """The octets that have come of an unfinished message."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take ``data`` and return an iterator over the messages that are now complete.

        The iterator raises:
            TruncatedMessageError: a message of no octets is announced.
            CostlyMessageError: one of more octets than the limit is announced.
        """
        self._buffer += data
        return self._messages()

    def _messages(self) -> Iterator[bytes]:
        buffer = self._buffer
        while len(buffer) >= _PREFIX_OCTETS:
            end = _PREFIX_OCTETS + self._announced(buffer)
            if len(buffer) < end:
                return
            message = bytes(buffer[_PREFIX_OCTETS:end])
            del buffer[:end]
            yield message

    def _announced(self, buffer: bytearray) -> int:
        size = int.from_bytes(buffer[:_PREFIX_OCTETS])
        if size == 0:
            raise TruncatedMessageError("a stream message of no octets")
        if size > self._limit:
            raise CostlyMessageError(f"a stream message of {size} octets, more than {self._limit}")
        return size
