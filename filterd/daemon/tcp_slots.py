# SPDX-License-Identifier: Apache-2.0
"""Share the places for TCP connections; when all are taken, the largest holder loses one.

There are few of them, and holding one costs an attacker nothing. A limit alone would
therefore lock every client out: fifteen addresses with ten connections each are enough.
So a client that holds less than others gets a place of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_CONNECTIONS = 150
MOST_CONNECTIONS_A_CLIENT = 10
"""For one worker."""


class Holder(Protocol):
    """A connection, as far as its place is concerned."""

    client: str
    """Its address."""

    progressed_at: float
    """When its last whole question or answer passed, or when it was made; seconds of any clock."""

    @property
    def is_busy(self) -> bool:
        """Whether it waits for an answer of ours."""

    def abort(self) -> None:
        """End it at once."""


class TcpSlots:
    """The holders of connections, over all the TCP listeners of a worker."""

    def __init__(self) -> None:
        self._held: dict[str, dict[Holder, None]] = {}  # in the order in which they came
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def of(self, client: str) -> int:
        """Return how many connections a client holds."""
        return len(self._held.get(client, ()))

    def take(self, newcomer: Holder) -> bool:
        """Give a place, perhaps after ending another's; return whether there was one."""
        own = self.of(newcomer.client)
        if own >= MOST_CONNECTIONS_A_CLIENT:
            return False
        if self._total >= MOST_CONNECTIONS:
            leaving = self._who_makes_room(own)
            if leaving is None:
                return False
            self.release(leaving)
            leaving.abort()
        self._held.setdefault(newcomer.client, {})[newcomer] = None
        self._total += 1
        return True

    def release(self, holder: Holder) -> None:
        """Take a place back; nothing happens where none is held."""
        held = self._held.get(holder.client, {})
        if holder not in held:
            return
        del held[holder]
        self._total -= 1
        if not held:
            del self._held[holder.client]

    def _who_makes_room(self, own: int) -> Holder | None:
        """Return the connection whose place a client with ``own`` connections may take.

        An idle one; otherwise one that waits for an answer, but only of a client that
        holds more than the new one will: equals must not end each other.
        """
        idle = [one for one in self._of_who_hold_more_than(own) if not one.is_busy]
        return self._first_to_leave(idle or self._of_who_hold_more_than(own + 1))

    def _of_who_hold_more_than(self, own: int) -> list[Holder]:
        return [one for held in self._held.values() if len(held) > own for one in held]

    def _first_to_leave(self, holders: Iterable[Holder]) -> Holder | None:
        """Return, of the largest holder, the connection with the oldest last progress."""
        return min(holders, key=lambda one: (-self.of(one.client), one.progressed_at), default=None)
