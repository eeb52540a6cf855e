# SPDX-License-Identifier: Apache-2.0
"""Counts of one worker for the log, kept until they are on disk.

The chain and the fast path count by the same key: grade, category, action, network, the
list or rule that blocked, and class. Each cell also has the number of distinct devices, capped,
from a set of short keyed hashes that is dropped with its hour. Neither a hash nor an
address leaves the process. An hour has at most ``MOST_CELLS`` cells; what goes beyond is
counted under ``OTHER``. Hours that are not collected pile up while the disk is full:
their cells are first merged over networks, blockers and classes, then dropped and counted as
lost.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.clock import Clock
    from filterd.policy.model import Client

    Key = tuple[str, str, str, str, str, str]  # grade, category, action, network, blocker, class
    Cells = dict[Key, list[int]]  # answers, distinct devices

HOUR_S = 3600
MOST_ROWS = 20_000
"""Rows held at most beside the hour that is being counted: some weeks of a school."""

ROWS_A_BATCH = 2_500
"""Rows of one batch, so that it fits one packet of the channel between processes."""

MOST_CELLS = 4_096
"""Cells of one hour, beside those of ``OTHER``."""

MOST_DEVICES = 15
"""The largest number of distinct devices of a cell: enough to see whether it is a few."""

OTHER = "*"
"""Network, blocker, class of what is counted beyond a bound; no id is written so."""

DAYS_KEPT = 400
"""A school year and what is left of the one before.

Days with counts are meant, not days of the calendar: a clock that is wrong for
an hour must not make all that was counted look old.
"""


class CountRow(NamedTuple):
    """The number of answers of one kind in an hour; ``hour``: Unix time, its start.

    ``network`` is empty for unknown clients, ``class_id`` where no class is known.
    ``blocker`` is the id of the list or rule that blocked, else empty. ``devices``: how many
    distinct devices this worker has answered so in this hour so far, capped at
    ``MOST_DEVICES``. So rows of one cell are merged by the sum of ``n`` and the largest
    ``devices``. A device is a MAC, or an address while no MAC is known.
    """

    hour: int
    grade: str
    category: str
    action: str
    n: int
    network: str = ""
    blocker: str = ""
    devices: int = 0
    class_id: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows on their way to the disk.

    ``worker`` names the process that counted, for as long as it lives; ``number``
    grows with each batch of it. ``more``: there is another one behind it.
    """

    worker: str
    number: int
    rows: tuple[CountRow, ...] = ()
    more: bool = False

    def to_plain(self) -> dict[str, Any]:
        """Return the batch as plain data, for another process."""
        return {
            "worker": self.worker,
            "number": self.number,
            "rows": [list(row) for row in self.rows],
            "more": self.more,
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Batch:
        """Return the batch that another process sent as plain data."""
        rows = tuple(CountRow(*row) for row in data["rows"])
        return cls(data["worker"], data["number"], rows, data["more"])


class Counts:
    """Totals by hour, grade, category, action, network, blocker and class.

    ``enabled``: whether anything is counted. ``lost``: how many answers were counted and
    then dropped, because they were not collected while there was room.

    While the clock shows a time that is certainly past (``know_from``), answers are
    counted apart. They go to the hour in which the time becomes known: on a board
    without a battery that is minutes after they were given, and no report would ever
    show the days of 1970. Where the time never becomes known they end with the process.
    """

    def __init__(self, clock: Clock) -> None:
        self.enabled = True
        self.lost = 0
        self._clock = clock
        self._name = secrets.token_hex(8)
        self._hours: dict[int, Cells] = {}
        self._open: Cells = {}
        self._seen: dict[Key, set[int]] = {}
        """Devices by cell, of the open hour."""
        self._secret = secrets.randbits(61)
        self._opened, self._ends = 0.0, 0.0
        self._known_from = -inf
        self._undated: Cells = {}
        self._handed = Batch(self._name, 0)

    def __len__(self) -> int:
        """Return how many rows wait to be written."""
        held = sum(map(len, self._hours.values()))
        return len(self._handed.rows) + held + len(self._undated)

    @property
    def undated(self) -> int:
        """The number of answers that wait for the time to become known."""
        return sum(n for n, _ in self._undated.values())

    def know_from(self, floor: float) -> None:
        """Treat a clock that shows less than this Unix time as not set."""
        self._known_from = floor
        self._ends = 0  # the next answer finds the hour

    def device_of(self, client: Client) -> int:
        """Return a short keyed hash of a device, 0 where it is not known.

        Two devices may share one: then they are counted as one.
        """
        device = client.mac or client.address
        return 1 + hash((self._secret, device)) % 0xFFFF if device else 0

    def add(
        self,
        grade: str,
        category: str,
        action: str,
        n: int = 1,
        *,
        network: str = "",
        blocker: str = "",
        devices: Iterable[int] = (),
        class_id: str = "",
    ) -> None:
        """Count answers that are given now.

        Args:
            grade: of the client.
            category: of the rule that decided, empty for none.
            action: what the client got.
            n: how many.
            network: of the client, empty for none.
            blocker: the id of the list or rule that blocked, empty for none.
            devices: ``device_of`` of the clients; 0 is not counted.
            class_id: of the client, empty for none.
        """
        if not self.enabled:
            return
        now = self._clock.wall()
        if not self._opened <= now < self._ends:
            self._open_hour(now)
        key = grade, category, action, network, blocker, class_id
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= MOST_CELLS:
                key = grade, category, action, OTHER, OTHER, OTHER
            seen = self._seen.setdefault(key, set())
        cell = self._open.get(key)
        if cell is None:
            cell = self._open[key] = [0, 0]
        cell[0] += n
        if len(seen) < MOST_DEVICES:
            seen.update(devices)
            seen.discard(0)
        cell[1] = max(cell[1], min(len(seen), MOST_DEVICES))  # an hour may be opened again

    def take(self, worker: str = "", acknowledged: int = 0) -> Batch:
        """Return the next batch, or the last one again if it is not acknowledged.

        Args:
            worker: whose batch is acknowledged; one of a predecessor is ignored.
            acknowledged: the number of a batch that is on disk and is forgotten here.
        """
        if self._undated and (now := self._clock.wall()) >= self._known_from:
            self._open_hour(now)
        if worker == self._name and acknowledged == self._handed.number:
            self._handed = Batch(self._name, acknowledged)
        if not self._handed.rows and self._hours:
            rows = tuple(self._taken(ROWS_A_BATCH))
            self._handed = Batch(self._name, self._handed.number + 1, rows)
        return replace(self._handed, more=bool(self._hours))

    def take_all(self) -> Iterator[Batch]:
        """Yield every batch that is left, when there will be no further call."""
        while (batch := self.take()).rows:
            yield batch
            self.take(batch.worker, batch.number)

    def _open_hour(self, now: float) -> None:
        """Count into the hour of ``now``; the clock may have been set either way."""
        is_dated = now >= self._known_from
        hour = int(now // HOUR_S) * HOUR_S if is_dated else -inf
        if hour != self._opened:
            self._opened, self._seen = hour, {}
        if not is_dated:
            self._ends, self._open = self._known_from, self._undated
            return
        self._ends = hour + HOUR_S
        self._make_room()
        self._open = self._hours.setdefault(int(hour), {})
        undated, self._undated = self._undated, {}
        _merge(self._open, undated.items())

    def _make_room(self) -> None:
        """Merge the cells of hours over all but grade, category, action; then drop hours."""
        for hour, cells in self._hours.items():
            if len(self) <= MOST_ROWS:
                return
            rougher = (((*key[:3], OTHER, OTHER, OTHER), cell) for key, cell in cells.items())
            self._hours[hour] = _merge({}, rougher)
        while self._hours and len(self) > MOST_ROWS:
            oldest = self._hours.pop(next(iter(self._hours)))
            self.lost += sum(n for n, _ in oldest.values())

    def _taken(self, most: int) -> Iterator[CountRow]:
        """Take rows out, the hour that was begun first before the others."""
        while most and self._hours:
            hour, counted = next(iter(self._hours.items()))
            keys = list(islice(counted, most))
            for key in keys:
                n, devices = counted.pop(key)
                grade, category, action, network, blocker, class_id = key
                yield CountRow(
                    hour, grade, category, action, n, network, blocker, devices, class_id
                )
            most -= len(keys)
            if not counted:
                del self._hours[hour]
                if hour == self._opened:
                    self._ends = 0  # the next answer opens it again


def _merge(into: Cells, cells: Iterable[tuple[Key, list[int]]]) -> Cells:
    """Add cells to others: answers are added up, of the devices the most are taken."""
    for key, (n, devices) in cells:
        cell = into.setdefault(key, [0, 0])
        cell[0], cell[1] = cell[0] + n, max(cell[1], devices)
    return into
