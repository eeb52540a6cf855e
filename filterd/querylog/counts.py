# SPDX-License-Identifier: Apache-2.0
"""Count the answers and devices of one worker until they are on disk.

The chain and the fast path count by the same key: grade, category, action, network, the
list or rule that blocked, and class. Each cell also has the number of distinct devices, capped,
from a set of short keyed hashes that is dropped with its hour; ``day_reach`` has those of
the day. Neither a hash nor an address leaves the process. An hour has at most ``MOST_CELLS``
cells; what goes beyond is counted under ``OTHER``. Hours that are not collected pile up while
the disk is full: their cells are first merged over networks, blockers and classes, then dropped
and counted as lost.

A device number comes from ``Counts.device_of``: odd for a MAC, even for an IPv4 address
whose MAC is not known. A device that was first seen by its address and later by its MAC has
two numbers, so the two kinds are never added: the larger one counts. All errors are
therefore to the small side, and a cell is rather left out than published.

A block of a confidential category is counted for the whole school only, with neither grade nor
class, network nor blocker; an answer that such a category passes is one like any other. All that
counts goes by ``Counts.add``, so nothing else need know it. Such blocks are in ``hidden`` and in
no other figure of this module that is shown while a day runs (``querylog.disclosure``). So are
the answers to confidential names where the log has rows of the others (``hide``), which are not
counted at all.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import field, replace
from datetime import UTC, datetime, tzinfo
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.packet_room import ROWS_OCTETS, PacketRoom, json_octets
from filterd.base.value_class import frozen
from filterd.policy.log_levels import LogLevel
from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.day_reach import MANY_DEVICES, DayReach, ReachRow, distinct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from filterd.base.clock import Clock
    from filterd.policy.model import Client, Policy

    Key = tuple[str, str, str, str, str, str]  # grade, category, action, network, blocker, class
    Cells = dict[Key, list[int]]  # answers, distinct devices


BLOCKED = "blocked"
CHAIN = "chain"
"""The path of answers beside the fast one."""

HOUR_S = 3600
MOST_ROWS = 20_000
"""Rows held at most beside the hour that is being counted: some weeks of a school."""

ROWS_A_BATCH = 2_500
"""Rows of one batch at most, whose work is bounded so; of long ids fewer fit one packet of the
channel between processes (``filterd.base.packet_room``)."""

MOST_CELLS = 4_096
"""Cells of one hour, beside those of ``OTHER``."""

MOST_DEVICES = 15
"""The largest number of distinct devices of a cell: enough to see whether it is a few."""

OTHER = "*"
"""Network, blocker, class of what is counted beyond a bound; no id is written so."""

MOST_DAYS = 800
"""The most days of totals that are kept and shown: ``keep_totals_days`` in site.yaml."""


class CountRow(NamedTuple):
    """The number of answers of one kind in an hour; ``hour``: Unix time, its start.

    ``grade`` is empty for a confidential category, whose rows are of the whole school.
    ``network`` is empty for unknown clients, ``class_id`` where no class is known.
    ``blocker`` is the id of the list or rule that blocked, else empty. ``devices``: how many
    distinct devices this worker has answered so in this hour so far, capped at
    ``MOST_DEVICES``. So rows of one cell are merged by the sum of ``n`` and the largest
    ``devices``. A device is a MAC, or an IPv4 address while no MAC is known.
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


@frozen
class Batch:
    """Rows on their way to the disk.

    ``worker`` names the process that counted, for as long as it lives; ``number``
    grows with each batch of it. ``more``: there is another one behind it. ``reach``: the
    devices of the day, ``ROWS_A_BATCH`` rows together with ``rows``. ``lost``: ``Counts.lost``.
    """

    worker: str
    number: int
    rows: tuple[CountRow, ...] = ()
    more: bool = False
    reach: tuple[ReachRow, ...] = ()
    lost: int = 0

    def __len__(self) -> int:
        """Return the number of its rows."""
        return len(self.rows) + len(self.reach)

    def to_plain(self) -> dict[str, Any]:
        """Return the batch as plain data, for another process."""
        return {
            "worker": self.worker,
            "number": self.number,
            "rows": [list(row) for row in self.rows],
            "more": self.more,
            "reach": [list(row) for row in self.reach],
            "lost": self.lost,
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Batch:
        """Return the batch that another process sent."""
        rows = tuple(CountRow(*row) for row in data["rows"])
        reach = tuple(ReachRow(*row) for row in data.get("reach", ()))
        lost = data.get("lost", 0)
        return cls(data["worker"], data["number"], rows, data["more"], reach, lost)


@frozen
class CountingRules:
    """The rules of counting, by the policy.

    Attributes:
        zone: in which the school's day begins.
        off: grades of which nothing is counted.
        confidential: categories that are counted for the whole school only.
        least_devices: up to so many devices of a day are counted (k).
    """

    zone: tzinfo = UTC
    off: Collection[str] = field(default=frozenset())
    confidential: Collection[str] = field(default=frozenset())
    least_devices: int = 5

    @classmethod
    def of(cls, policy: Policy, confidential: Collection[str]) -> CountingRules:
        """Return the rules of the policy of a moment."""
        log = policy.log
        off = (key for key, tier in TIER_OF_GRADE.items() if log.level_of(tier) is LogLevel.OFF)
        zone = ZoneInfo(policy.time_zone)
        return cls(zone, frozenset(off), confidential, log.least_devices)


class Counts:
    """Totals by hour, grade, category, action, network, blocker and class.

    ``rules``: of the present policy. ``lost``: how many answers were counted and
    then dropped, because they were not collected while there was room. Since the start:
    ``sums``, answers by grade, category and action; ``blocks``, those that were blocked, by class;
    ``hidden``, by path, what is in neither: the blocks of confidential categories, and the
    answers given to ``hide``; ``hidden_sources``, the same by the source of the answer.

    While the clock shows a time that is certainly past (``know_from``), answers are
    counted apart. They go to the hour in which the time becomes known: on a board
    without a battery that is minutes after they were given, and no report would ever
    show the days of 1970. Where the time never becomes known they end with the process.
    """

    def __init__(self, clock: Clock) -> None:
        self.rules = CountingRules()
        self.lost = 0
        self.sums: Counter[tuple[str, str, str]] = Counter()
        self.blocks = Counter[str]()
        self.hidden, self.hidden_sources = Counter[str](), Counter[str]()
        self._past, self._past_hour = Counter[tuple[str, str, str]](), 0
        self._clock = clock
        self._name = secrets.token_hex(8)
        self._hours: dict[int, Cells] = {}
        self._open: Cells = {}
        self._seen: dict[Key, set[int]] = {}
        """Devices by cell, of the open hour."""
        self._school = set[int]()
        """Devices of the open hour."""
        self._secret = secrets.randbits(61)
        self._opened, self._ends = 0.0, 0.0
        self._known_from = -inf
        self._undated: Cells = {}
        self._reach = DayReach()
        self._handed = Batch(self._name, 0)

    def __len__(self) -> int:
        """Return how many rows wait to be written."""
        held = sum(map(len, self._hours.values()))
        return len(self._handed.rows) + held + len(self._undated)

    @property
    def waiting(self) -> int:
        """The number of rows that wait to be written, confidential ones apart."""
        cells = (*self._hours.values(), self._undated)
        held = sum(bool(key[0]) for cell in cells for key in cell)
        return sum(bool(row.grade) for row in self._handed.rows) + held

    def past_sums(self) -> Counter[tuple[str, str, str]]:
        """Return ``sums`` as they were when the present hour began."""
        self._end_hour(self._clock.wall())
        return self._past

    @property
    def undated(self) -> int:
        """The number of answers that wait for the time to become known; as ``waiting``."""
        return sum(n for key, (n, _) in self._undated.items() if key[0])

    def know_from(self, floor: float) -> None:
        """Treat a clock that shows less than this Unix time as not set."""
        self._known_from = floor
        self._ends = 0  # the next answer finds the hour

    def device_of(self, client: Client) -> int:
        """Return a short keyed hash of a device, 0 where it is not known.

        It is odd for a MAC, even for an IPv4 address. A device has many IPv6 addresses, so
        these are no device. Two devices may share a hash: then they are counted as one.
        """
        mac, address = client.mac, client.address
        if not mac and (not address or ":" in address):
            return 0
        return 2 + hash((self._secret, mac or address)) % 0x7FFF * 2 + bool(mac)

    def add(  # noqa: PLR0913 -- the key of a cell is of so many parts
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
        path: str = CHAIN,
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
            path: on which they were given.
        """
        rules, now = self.rules, self._clock.wall()
        if grade in rules.off:
            return
        self._end_hour(now)
        if category in rules.confidential:
            if action == BLOCKED:
                self.hide(BLOCKED, n, path=path)
                grade = network = blocker = class_id = ""
            else:
                category = ""
        if not self._opened <= now < self._ends:
            self._open_hour(now)
        key = grade, category, action, network, blocker, class_id
        if grade:
            self.sums[grade, category, action] += n
            if action == BLOCKED:
                self.blocks[class_id] += n
        self._add(key, n, {device for device in devices if device})

    def hide(self, source: str, n: int = 1, *, path: str = CHAIN) -> None:
        """Count answers that no sum may have, so that they can be taken out of others.

        Args:
            source: of the answers (``resolve.query.Source``).
            n: how many.
            path: on which they were given.
        """
        self.hidden[path] += n
        self.hidden_sources[source] += n

    def _add(self, key: Key, n: int, devices: set[int]) -> None:
        """Add answers and devices to a cell of the open hour."""
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= MOST_CELLS:
                key = *key[:3], OTHER, OTHER, OTHER
            seen = self._seen.setdefault(key, set())
        cell = self._open.get(key)
        if cell is None:
            cell = self._open[key] = [0, 0]
        cell[0] += n
        known = len(seen)
        if known < MOST_DEVICES:
            seen |= devices
        if len(self._school) < 2 * MANY_DEVICES:
            self._school |= devices
        if cell[1] < MOST_DEVICES and (len(seen) != known or not cell[1]):
            # An hour may be opened again, so the number of before may be the larger one.
            cell[1] = max(cell[1], min(distinct(seen), MOST_DEVICES))

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
        if not self._handed:
            self._note_devices()
            while (self._hours or self._reach) and not self._handed:
                room = PacketRoom(ROWS_OCTETS // 2)
                reach = tuple(self._reach.take(ROWS_A_BATCH // 2, room))
                room = PacketRoom(ROWS_OCTETS // 2 + room.left)
                rows = tuple(self._taken(ROWS_A_BATCH - len(reach), room))
                self._handed = Batch(self._name, self._handed.number + 1, rows, reach=reach)
        return replace(self._handed, more=bool(self._hours or self._reach), lost=self.lost)

    def take_all(self) -> Iterator[Batch]:
        """Yield every batch that is left, when there will be no further call."""
        while batch := self.take():
            yield batch
            self.take(batch.worker, batch.number)

    def _open_hour(self, now: float) -> None:
        """Count into the hour of ``now``; the clock may have been set either way."""
        is_dated = now >= self._known_from
        hour = int(now // HOUR_S) * HOUR_S if is_dated else -inf
        if hour != self._opened:
            if self._opened > -inf:
                self._note_devices()
            elif is_dated:  # those of the time before it was known are of today, like their answers
                self._note_devices(hour)
            self._opened, self._seen, self._school = hour, {}, set()
        if not is_dated:
            self._ends, self._open = self._known_from, self._undated
            return
        self._ends = hour + HOUR_S
        self._make_room()
        self._open = self._hours.setdefault(int(hour), {})
        undated, self._undated = self._undated, {}
        _merge(self._open, undated.items())

    def _end_hour(self, now: float) -> None:
        """Keep the sums as they are where an hour is over."""
        hour = int(now // HOUR_S)
        if hour != self._past_hour:
            self._past, self._past_hour = self.sums.copy(), hour

    def _note_devices(self, hour: float = 0) -> None:
        """Add the devices of the open hour to those of its day, to which it belongs whole.

        Only of cells that are not taken yet: those of the others were added when they were.
        """
        hour = hour or self._opened
        if self._seen and hour > -inf:
            day = datetime.fromtimestamp(hour, self.rules.zone).date().isoformat()
            cells = ((*key[:3], key[5], self._seen.get(key, ())) for key in self._open)
            self._reach.add(day, cells, self.rules.least_devices, self._school)

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

    def _taken(self, most: int, room: PacketRoom) -> Iterator[CountRow]:
        """Take rows out that have room, the hour that was begun first before the others."""
        while most and self._hours:
            hour, counted = next(iter(self._hours.items()))
            before = len(counted)

            def octets_of(key: Key, cell: list[int], hour: int = hour) -> int:
                return json_octets(_row(hour, key, cell))

            for key, cell in room.take_out(counted, most, octets_of, self._lose):
                yield _row(hour, key, cell)
            if counted:
                return
            most -= before
            del self._hours[hour]
            if hour == self._opened:
                self._ends = 0  # the next answer opens it again

    def _lose(self, cell: list[int]) -> None:
        self.lost += cell[0]


def _row(hour: int, key: Key, cell: list[int]) -> CountRow:
    grade, category, action, network, blocker, class_id = key
    return CountRow(hour, grade, category, action, cell[0], network, blocker, cell[1], class_id)


def _merge(into: Cells, cells: Iterable[tuple[Key, list[int]]]) -> Cells:
    """Add cells to others: answers are added up, of the devices the most are taken."""
    for key, (n, devices) in cells:
        cell = into.setdefault(key, [0, 0])
        cell[0], cell[1] = cell[0] + n, max(cell[1], devices)
    return into
