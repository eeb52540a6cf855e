# SPDX-License-Identifier: Apache-2.0
"""Bounded reading: the cursor, the only way through a message, and its budget.

Every read goes through ``advance``, which checks before it moves, so that no
caller can forget to. A cursor may be narrower than its message: RDATA is read
through a cursor that ends where RDLENGTH says (RFC 9267 §5), and a read beyond it
fails there, though the message goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import CostlyMessageError, TruncatedMessageError

if TYPE_CHECKING:
    from struct import Struct


MAX_STEPS = 2048
"""Twenty times what the largest honest responses by UDP need; about 0.2 ms of CPU."""

OCTETS_A_STEP = 8
"""A message by TCP may have a step for so many octets: the smallest record with a name of its
own in RDATA has 16 octets and takes two, so a whole RRset of them can be read, in 1 ms."""


def steps_for(size_octets: int) -> int:
    """Return how many steps a message of this size may take."""
    return max(MAX_STEPS, size_octets // OCTETS_A_STEP)


class Budget:
    """The steps left for one message.

    ``names`` maps offsets to the names expanded there, as written.
    """

    __slots__ = ("names", "steps_left")

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps_left = steps
        self.names: dict[int, bytes] = {}

    def spend(self, steps: int, offset: int) -> None:
        """Take ``steps`` from the budget.

        Raises:
            CostlyMessageError: less is left. ``offset`` says where that happened.
        """
        self.steps_left -= steps
        if self.steps_left < 0:
            raise CostlyMessageError("the message takes too many steps to read", offset)


class Cursor:
    """A position in ``message`` that never passes ``end``.

    Args:
        message: the whole message, without TCP length prefix; pointers are
            offsets into it.
        offset: where reading begins.
        end: the first octet that may not be read; the whole message if left out.
    """

    __slots__ = ("end", "message", "offset")

    def __init__(self, message: bytes, offset: int = 0, end: int | None = None) -> None:
        self.message = message
        self.offset = offset
        self.end = len(message) if end is None else end

    def advance(self, size: int) -> int:
        """Skip ``size`` octets (0 or more) and return where they begin.

        Raises:
            TruncatedMessageError: fewer are left; the cursor has not moved.
        """
        start = self.offset
        if start + size > self.end:
            raise TruncatedMessageError(f"{size} octets needed, {self.end - start} left", start)
        self.offset = start + size
        return start

    def unpack(self, layout: Struct) -> tuple[int, ...]:
        """Read the integers that ``layout`` describes."""
        return layout.unpack_from(self.message, self.advance(layout.size))

    def take(self, size: int) -> bytes:
        """Read ``size`` octets."""
        start = self.advance(size)
        return self.message[start : start + size]

    def move_to(self, offset: int) -> None:
        """Move to ``offset``, the end of a name that was read elsewhere; never back."""
        self.advance(offset - self.offset)

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.offset == self.end
