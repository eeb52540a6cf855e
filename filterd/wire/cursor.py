# SPDX-License-Identifier: Apache-2.0
"""Bounded reading: the cursor, the only way through a message; budget and names.

Every read goes through ``advance``, which checks before it moves, so that no
caller can forget to. A cursor may be narrower than its message: RDATA is read
through a cursor that ends at RDLENGTH (RFC 9267 §5), and a read beyond it
fails there, though the message goes on.

Expansion of compressed names (RFC 1035 §4.1.4) ends by construction: each pointer must aim
strictly below all octets that the name has used so far, so there are no loops and no hop
counter. Its total cost is bounded by the message's ``Budget``. A label that runs past the end
of the message is noticed because every label must be followed by another length octet, and
reading that one fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.errors import (
    BadLabelError,
    BadPointerError,
    CostlyMessageError,
    TruncatedMessageError,
)
from filterd.wire.header import HEADER_OCTETS
from filterd.wire.name import MAX_LABEL_OCTETS, MAX_NAME_OCTETS, ROOT

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
            CostlyMessageError: less is left. ``offset`` is where that happened.
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


_POINTER = 0xC0
_MAX_POINTER_TARGET = 0x3FFF
_TOO_LONG = "the name is longer than 255 octets"


def skip_name(message: bytes, offset: int, *, may_point: bool = True) -> int:
    """Skip one name without following a pointer; return the offset just past it.

    Args:
        message: the whole message.
        offset: where the name begins.
        may_point: whether the name may end in a pointer; in a question it may
            not, because nothing stands before it.

    Raises:
        TruncatedMessageError: the name runs past the end of the message.
        BadLabelError: the part that stands here is longer than 255 octets, or a
            label is of a type that RFC 6891 §5 retired.
        BadPointerError: there is a pointer where none may be.
    """
    position = offset
    limit = offset + MAX_NAME_OCTETS
    try:
        while length := message[position]:
            if length > MAX_LABEL_OCTETS:
                if length < _POINTER:
                    raise BadLabelError(f"label type {length >> 6} is not in use", position)
                if not may_point:
                    raise BadPointerError("a pointer where a name is spelled out", position)
                message[position + 1]  # the pointer's second octet must be there
                return position + 2
            position += length + 1
            if position >= limit:
                raise BadLabelError(_TOO_LONG, offset)
    except IndexError:
        raise TruncatedMessageError("the name runs past the end", offset) from None
    return position + 1


def expand_name(message: bytes, offset: int, budget: Budget) -> tuple[bytes, int]:
    """Read one possibly compressed name, in the letter case of the message.

    Args:
        message: the whole message.
        offset: where the name begins.
        budget: the message's; it pays for labels and pointers not seen before.

    Returns:
        The uncompressed wire form, and the offset just past the name (past its
        first pointer, if it has one).

    Raises:
        TruncatedMessageError: the name runs past the end of the message.
        BadLabelError: it is longer than 255 octets, or has a label of no type in use.
        BadPointerError: a pointer does not aim strictly backwards, or into the header.
        CostlyMessageError: the budget is used up.
    """
    try:
        length = message[offset]
        if length >= _POINTER:
            target = (length & ~_POINTER) << 8 | message[offset + 1]
            known = budget.names.get(target)
            if known is not None and target < offset:
                return known, offset + 2
        elif not length:
            return ROOT, offset + 1
        elif offset in budget.names:
            return budget.names[offset], skip_name(message, offset)
        return _follow(message, offset, budget)
    except IndexError:
        raise TruncatedMessageError("the name runs past the end", offset) from None


def _follow(message: bytes, offset: int, budget: Budget) -> tuple[bytes, int]:
    """Expand a name that is not known yet; remember it, and its target."""
    position = lowest = offset
    end = spelled = first_target = steps = octets = 0
    pieces: list[bytes] = []
    allowed = budget.steps_left
    try:
        while length := message[position]:
            steps += 1
            if steps > allowed:
                raise CostlyMessageError("the names take too many steps to read", offset)
            if length <= MAX_LABEL_OCTETS:
                octets += length + 1
                if octets >= MAX_NAME_OCTETS:
                    raise BadLabelError(_TOO_LONG, offset)
                pieces.append(message[position : position + length + 1])
                position += length + 1
                continue
            target = _pointer_target(message, position, lowest)
            if not end:
                end, first_target, spelled = position + 2, target, octets
            known = budget.names.get(target)
            if known is not None:
                if octets + len(known) > MAX_NAME_OCTETS:
                    raise BadLabelError(_TOO_LONG, offset)
                pieces.append(known)
                break
            position = lowest = target
        else:
            pieces.append(ROOT)
    finally:  # what fails has cost its steps too
        budget.steps_left = allowed - steps
    name = b"".join(pieces)
    budget.names[offset] = name
    if end:
        budget.names[first_target] = name[spelled:]
    return name, end or position + 1


def _pointer_target(message: bytes, position: int, lowest: int) -> int:
    length = message[position]
    if length < _POINTER:
        raise BadLabelError(f"label type {length >> 6} is not in use", position)
    target = (length & ~_POINTER) << 8 | message[position + 1]
    if not HEADER_OCTETS <= target < lowest:
        raise BadPointerError(f"the pointer to {target} does not aim back into a name", position)
    return target


def read_name(message: bytes, offset: int, budget: Budget) -> tuple[bytes, int]:
    """Read one name as ``expand_name`` does, in canonical form: lower-case.

    Never returns a name of other than 1 to 255 octets.
    """
    name, end = expand_name(message, offset, budget)
    return name.lower(), end


class Compressor:
    """Offsets of the names in a message being written, to compress later ones.

    Names are compared without regard to letter case, so a pointer may show a
    name in the case in which it was written first (RFC 4343 §4 allows it). A
    compressor works at most ``steps`` new labels.
    """

    __slots__ = ("_budget", "_offsets")

    def __init__(self, qname: bytes, steps: int = MAX_STEPS) -> None:
        self._budget = Budget(steps)
        self._offsets: dict[bytes, int] = {}
        self.write(qname, HEADER_OCTETS)

    def pointer_to(self, name: bytes) -> bytes | None:
        """Return a pointer to a canonical name in the message, None if it has none."""
        target = self._offsets.get(name)
        return None if target is None else (_POINTER << 8 | target).to_bytes(2)

    def write(self, name: bytes, offset: int) -> bytes:
        """Return the shortest form of ``name`` at ``offset`` of the message.

        Raises:
            CostlyMessageError: more new labels than any honest message has.
        """
        canonical = name.lower()
        position = 0
        while length := name[position]:
            suffix = canonical[position:]
            target = self._offsets.get(suffix)
            if target is not None:
                return name[:position] + (_POINTER << 8 | target).to_bytes(2)
            self._budget.spend(1, offset)
            if offset + position <= _MAX_POINTER_TARGET:
                self._offsets[suffix] = offset + position
            position += length + 1
        return name
