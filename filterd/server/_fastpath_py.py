# SPDX-License-Identifier: Apache-2.0
"""Answers that need no thinking, in readable Python (the reference of ``_fastpath``).

Two readers of what others decided, and no policy of its own. *Replay*: the chain
has answered this very question for this class of clients, and that still holds.
*Table*: all that the lists say of the name is plain, and nobody else says
anything. Whatever else comes is left to the chain. ``filterd.server.fastpath``
fills both and says when everything is to be forgotten.

Classes of clients and tallies are small numbers that the filler hands out.
"""

from __future__ import annotations

from collections import Counter

from filterd.server._question_py import read
from filterd.server._replay_py import ENTRIES, Replay
from filterd.server._table_py import MOST_ROWS, Table

CLIENTS, CLIENT_WAYS = 4_096, 4
MOST_CLASSES, MOST_TALLIES = 1_024, 8_192


class Core:
    """Tables of fixed size; see the module.

    Args:
        seed: 16 octets, so that nobody can foretell what pushes out what.
        entries: how many answers are kept.

    Attributes:
        replay: answers of the chain's.
        table: blocks by the lists alone.
        recognised: whether the class of who sent the last datagram was known.
    """

    def __init__(self, seed: bytes, entries: int = ENTRIES) -> None:
        self.replay, self.table = Replay(seed, entries), Table(seed)
        self._now = 0.0
        self._counts: Counter[int] = Counter()
        self.recognised = False
        self.forget()

    def forget(self) -> None:
        """Forget everything but what was counted."""
        self.replay.forget()
        self.table.forget()
        self._rows: list[int] = []
        self._clients: dict[tuple[bytes, int], tuple[int, float]] = {}

    def at(self, now: float, wall: float) -> None:
        """Set the times by which what follows is answered."""
        self._now = now
        self.replay.at(now, wall)

    def add_class(self, row: int) -> int:
        """Return the number of another class of clients, whose cells are of ``row``; -1: full."""
        if len(self._rows) == MOST_CLASSES or not 0 <= row < MOST_ROWS:
            return -1
        self._rows.append(row)
        return len(self._rows) - 1

    def learn(self, address: bytes, interface: int, client_class: int, until: float) -> None:
        """Remember the class of a client."""
        if len(self._clients) >= CLIENTS:
            self._clients.clear()
        self._clients[address, interface] = client_class, until

    def class_of(self, address: bytes, interface: int) -> int:
        """Return the class of a client, -1 where it is not known."""
        client_class, until = self._clients.get((address, interface), (-1, 0.0))
        return client_class if self._now < until else -1

    def answer(self, message: bytes, address: bytes, interface: int) -> bytes | None:
        """Return the answer to a datagram, None where the chain must give it."""
        client_class = self.class_of(address, interface)
        self.recognised = client_class >= 0
        if client_class < 0 or (asked := read(message)) is None:
            return None
        answered = self.replay.answer(message, asked, client_class) or self.table.answer(
            message, asked, self._rows[client_class]
        )
        if answered is None:
            return None
        reply, tally = answered
        self._counts[tally] += 1
        return reply

    def take_counts(self) -> list[tuple[int, int]]:
        """Return how often was answered by each tally since the last time."""
        counts, self._counts = self._counts, Counter()
        return sorted(counts.items())
