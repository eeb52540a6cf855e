# SPDX-License-Identifier: Apache-2.0
"""Answers that need no thinking, in readable Python (the reference of ``_core``).

Two readers of what others decided, and no policy of its own. *Replay*: the chain
has answered this very question for this class of clients, and that still holds.
*Table*: all that the lists say of the name is plain, and nobody else says
anything. Whatever else comes is not answered here; where neither the lists nor
anybody else say a thing against a name, its *opening* says so, and ``_direct_forward`` asks
for it. ``filterd.fastpath.core_filler`` fills both and says when everything is to be
forgotten.

Classes of clients, openings and tallies are small numbers that the filler hands out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from filterd.fastpath._decision_cells_py import BLOCK, MOST_OPENINGS, MOST_ROWS, OPEN, Table
from filterd.fastpath._packet_cache_py import ENTRIES, Replay
from filterd.fastpath._question_py import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.fastpath._question_py import Asked
    from filterd.resolve.site import EpochGuard, Site

CLIENTS, CLIENT_WAYS = 4_096, 4
MOST_CLASSES, MOST_TALLIES = 1_024, 8_192

STEP_S = 0.5
"""A wall clock that moves by so much against the other has been set."""


class InForce(NamedTuple):
    """What everything here was made of; ``drift_s`` is the wall clock's lead over the other."""

    site: Site
    standing: EpochGuard
    version: int
    tell_wall: Callable[[], float]
    lead: memoryview[float]
    drift_s: float


class Core:
    """Tables of fixed size; see the module.

    Args:
        seed: 16 octets, so that nobody can foretell what pushes out what.
        entries: how many answers are kept.

    Attributes:
        replay: answers of the chain's.
        table: blocks by the lists alone.
        client_class: of who sent the last datagram; -1: not known.
        opening: as what the name of the last question is counted, if that was open to be
            asked upstream; else -1.
        epoch: another number whenever everything was forgotten.
        house_at: the monotonic time at which ``FastPath.keep_house`` is due.
    """

    def __init__(self, seed: bytes, entries: int = ENTRIES) -> None:
        self.replay, self.table = Replay(seed, entries), Table(seed)
        self._now = self._wall = self.house_at = 0.0
        self._counts: Counter[int] = Counter()
        self.client_class = self.opening = -1
        self.epoch = 0
        self.forget()

    def forget(self) -> None:
        """Forget everything but what was counted."""
        self.epoch += 1
        self.replay.forget()
        self.table.forget()
        self._classes: list[tuple[int, int]] = []
        self._clients: dict[tuple[bytes, int], tuple[int, float]] = {}
        self._in_force: InForce | None = None

    def hold(
        self,
        site: Site,
        standing: EpochGuard,
        version: int,
        now: float,
        wall: float,
        tell_wall: Callable[[], float],
        lead: memoryview[float],
    ) -> None:
        """Take it, until all is forgotten, that everything here was made of this at these times.

        Args:
            site: what was in force when this was made.
            standing: by what is seen that it still is.
            version: of its surroundings, when this was made.
            now: monotonic time.
            wall: Unix time.
            tell_wall: tells that from now on while ``lead`` says 0.
            lead: an aligned word of eight octets (format ``d``): what Unix time leads monotonic
                time by, in seconds; by that ``wall`` was told too.
        """
        self._in_force = InForce(site, standing, version, tell_wall, lead, wall - now)
        self._wall = wall
        self.at(now, wall)

    @property
    def site(self) -> Site | None:
        """The site that everything here was made of."""
        return None if self._in_force is None else self._in_force.site

    def holds(self, now: float) -> bool:
        """Tell whether that still is in force; if so, set the times by which is answered next.

        Never raises: where it cannot be told it holds no longer.
        """
        made_of = self._in_force
        if made_of is None:
            return False
        try:
            lead_s, version = made_of.lead[0], made_of.site.surroundings.version
            wall = now + lead_s if lead_s else made_of.tell_wall()
            if version != made_of.version or not made_of.standing.holds_at(wall):
                return False
        except Exception:  # noqa: BLE001 -- ``FastPath.refresh`` meets it again, and logs it
            return False
        if wall < self._wall or abs(wall - now - made_of.drift_s) > STEP_S:
            return False
        self._wall = wall
        self.at(now, wall)
        return True

    def at(self, now: float, wall: float) -> None:
        """Set the times by which what follows is answered."""
        self._now = now
        self.replay.at(now, wall)

    def add_class(self, row: int, opening: int = 0) -> int:
        """Return the number of another class of clients; -1: full.

        Args:
            row: of its cells.
            opening: as what a name is counted that no list names.
        """
        if (
            len(self._classes) == MOST_CLASSES
            or not 0 <= row < MOST_ROWS
            or not 0 <= opening < MOST_OPENINGS
        ):
            return -1
        self._classes.append((row, opening))
        return len(self._classes) - 1

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
        client_class, self.opening = self.class_of(address, interface), -1
        self.client_class = client_class
        if client_class < 0 or (asked := read(message)) is None:
            return None
        answered = self.replay.answer(message, asked, client_class) or self._by_table(
            message, asked, client_class
        )
        if answered is None:
            return None
        reply, tally = answered
        self._counts[tally] += 1
        return reply

    def _by_table(
        self, message: bytes, asked: Asked, client_class: int
    ) -> tuple[bytes, int] | None:
        row, opening = self._classes[client_class]
        kind, cell = self.table.judge(asked, row)
        if kind == BLOCK and cell is not None:
            return self.table.from_template(message, asked, cell.template), cell.tally
        if kind == OPEN:
            self.opening = opening if cell is None else cell.template
        return None

    def lets_through(self, name: bytes, client_class: int) -> bool:
        """Tell whether nobody says a thing against a name that an answer leads to."""
        if not 0 <= client_class < len(self._classes):
            return False
        return self.table.lets_through(name, self._classes[client_class][0])

    def count(self, tally: int) -> None:
        """Count an answer that was given by what is known here."""
        self._counts[tally] += 1

    def take_counts(self) -> list[tuple[int, int]]:
        """Return how often was answered by each tally since the last time."""
        counts, self._counts = self._counts, Counter()
        return sorted(counts.items())
