# SPDX-License-Identifier: Apache-2.0
"""Measure what fits one packet between two processes, in octets and not in rows.

A kernel takes no packet that is larger than half of the socket's buffer, whose size it bounds
itself (``net.core.wmem_max``: 212,992 octets as shipped). ``PACKET_OCTETS`` is below that, so
that a packet fits on every machine. What comes in rows is cut by ``PacketRoom``, by what the
rows take as JSON: ids and names may be as long as a site writes them. A row that has no room in
an empty packet either would stand in front of all others for ever, so it is taken out, said in
the log, and its sender counts it as lost.
"""

from __future__ import annotations

import json
import logging
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

_logger = logging.getLogger("filterd.base.packet_room")

PACKET_OCTETS = 192 * 1024
"""A message between processes at most."""

ROWS_OCTETS = 160 * 1024
"""Its rows at most; what is left is for what stands around them."""

_BETWEEN_OCTETS = 2


def json_octets(value: Any) -> int:
    """Return the octets of a value as JSON, with what parts it from the next one."""
    return len(json.dumps(value)) + _BETWEEN_OCTETS


class PacketRoom:
    """The room for the rows of one packet.

    Attributes:
        left: the octets that are free.
    """

    __slots__ = ("_most", "left")

    def __init__(self, most: int | None = None) -> None:
        self._most = self.left = ROWS_OCTETS if most is None else most

    def takes(self, octets: int) -> bool:
        """Take a row of so many octets; return False where it has no room."""
        if octets > self.left:
            return False
        self.left -= octets
        return True

    def take_out(
        self,
        waiting: dict[KeyT, ValueT],
        most: int,
        octets_of: Callable[[KeyT, ValueT], int],
        lose: Callable[[ValueT], None],
    ) -> Iterator[tuple[KeyT, ValueT]]:
        """Take the first rows out of what waits, as long as they have room; yield them.

        Args:
            waiting: rows in their order.
            most: so many at most.
            octets_of: returns the octets of a row.
            lose: called with a row that has no room in an empty packet either.
        """
        for key in list(islice(waiting, most)):
            octets = octets_of(key, waiting[key])
            if self.takes(octets):
                yield key, waiting.pop(key)
            elif octets > self._most:
                _logger.error("a row of %d octets fits no message, and is lost", octets)
                lose(waiting.pop(key))
            else:
                return
