# SPDX-License-Identifier: Apache-2.0
"""TCP framing: two octets of length, then the message (RFC 1035 §4.2.2, RFC 7766)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import CostlyMessageError, TruncatedMessageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MESSAGE_OCTETS = 65535
_PREFIX_OCTETS = 2


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
