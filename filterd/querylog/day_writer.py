# SPDX-License-Identifier: Apache-2.0
"""Write the file of one school day: rows of lookups, distinct names of tiers.

Rows come in the order of time, many at once and with no secondary index: an SD card wears
by the pages that are written. A handover of a worker is noted in each file that has rows of
it, so one that comes again is not added again.

What the file has is memorised as long as it is open: ids of names within a bound, ids of
contexts, the number of rows.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from filterd.querylog.day_schema import SEQUENCE_BITS, TABLES, VERSION, reversed_text
from filterd.querylog.lookups import DISTINCT_FROM, SLOT_S, Lookup, LookupContext
from filterd.querylog.sqlite_file import FileSchema, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import aiosqlite

    from filterd.querylog.day_schema import DaySpan
    from filterd.querylog.lookups import LookupBatch
    from filterd.querylog.seen_names import SeenName

SCHEMA = FileSchema(
    VERSION,
    TABLES,
    pragmas=(
        "PRAGMA cache_size = -2048",
        # Pages that many batches change are written back once.
        "PRAGMA wal_autocheckpoint = 4000",
    ),
    folder_mode=0o700,
)

MOST_ROWS = 3_000_000
"""Rows of a day, about. Merging does not help where each lookup has another name."""

MOST_NAMES = 150_000
"""Names of a day; a school has 30,000 to 100,000. Malware that makes up names would else write
a page of the card for each of them. Lookups of names that are there are still added."""

MOST_MEMORISED = 30_000
"""Names whose ids are memorised: some 5 MB."""

_AT_ONCE = 4_000
"""Rows that are prepared between two waits, so that the event loop goes on."""

_LAST_SECOND = 26 * 3600 - 1
"""Of any day: one with a change of clocks has 25 hours."""

_ABOUT = "SELECT begins, distinct_since FROM about"
_BEGIN = "INSERT INTO about VALUES (?, ?, -1)"
_ROWS = "SELECT COUNT(*), IFNULL(MAX(at), -1) FROM lookups"
_LAST_NAME = "SELECT IFNULL(MAX(id), 0) FROM names"
_HANDOVERS = "SELECT worker, number FROM handovers"
_CONTEXTS = "SELECT grade, class, network, category, action, blocker, id FROM contexts"
_NAMES = "SELECT name, id FROM names WHERE name IN (SELECT value FROM json_each(?))"
_LAST_OF_SECONDS = f"""
SELECT value, (
    SELECT MAX(at) FROM lookups
    WHERE at >= value << {SEQUENCE_BITS} AND at < (value + 1) << {SEQUENCE_BITS}
) FROM json_each(?)
"""
_EQUAL_ROWS = """
SELECT at, name << 32 | context AS both FROM lookups
WHERE at >= ? AND at < ? AND device = 0 AND both IN (SELECT value FROM json_each(?))
"""
_ADD_SEEN = """
INSERT INTO seen VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET devices = MAX(devices, excluded.devices)
"""

_logger = logging.getLogger("filterd.querylog")


_DayRow: TypeAlias = tuple[int, int, int, int, int]
"""A row to be: second of the day, ids of name and context, device, n."""


@dataclass
class _OpenDay:
    """What an open file has."""

    connection: aiosqlite.Connection
    day: str
    begins: int
    distinct_since: int
    rows: int
    last_row: int
    last_name: int
    handovers: dict[str, int]
    contexts: dict[LookupContext, int]
    names: dict[bytes, int]
    is_full: bool = False

    def second(self, at: int) -> int:
        """Return the second of the day; at the day's edge if the zone has changed since."""
        return max(0, min(at - self.begins, _LAST_SECOND))


class DayWriter:
    """The file of one school day, for its only writer.

    ``lost``: lookups for which there was no room.
    """

    def __init__(self, path: Path, span: DaySpan) -> None:
        self.lost = 0
        self._file, self._span = SqliteFile(path, SCHEMA), span
        self._known: _OpenDay | None = None

    @property
    def distinct_since(self) -> int:
        """From which second of the day equal lookups of a slot are one row, -1 for not."""
        return self._known.distinct_since if self._known else -1

    async def write(self, batches: Sequence[LookupBatch]) -> None:
        """Add rows, all or none; a batch that is there already is skipped.

        Raises:
            StoreError: the disk refused, or another process holds the file.
        """

        async def add(connection: aiosqlite.Connection) -> int:
            known = await self._know(connection)
            lookups: list[Lookup] = []
            for batch in batches:
                if batch.number > known.handovers.get(batch.worker, 0):
                    known.handovers[batch.worker] = batch.number
                    lookups.extend(batch.lookups)
            if not lookups:
                return 0
            handovers = known.handovers.items()
            await connection.executemany(
                "INSERT OR REPLACE INTO handovers VALUES (?, ?)", handovers
            )
            return await _add(known, lookups)

        self.lost += await self._file.transact(add)

    async def add_seen(self, rows: Sequence[SeenName]) -> None:
        """Add distinct names of tiers; of two numbers of devices the larger one stays.

        Raises:
            StoreError: as ``write``.
        """

        async def add(connection: aiosqlite.Connection) -> None:
            known = await self._know(connection)
            ids = await _name_ids(known, dict.fromkeys(row.name for row in rows))
            added = [(row.group, ids[row.name], *row[2:]) for row in rows if row.name in ids]
            await connection.executemany(_ADD_SEEN, added)

        await self._file.transact(add)

    async def close(self) -> None:
        """Close the file."""
        self._known = None
        await self._file.close()

    async def _know(self, connection: aiosqlite.Connection) -> _OpenDay:
        """Return what the file has, read anew after each opening and so each error."""
        if self._known is None or self._known.connection is not connection:
            self._known = await _read(connection, self._span)
        return self._known


async def _read(connection: aiosqlite.Connection, span: DaySpan) -> _OpenDay:
    fetch = connection.execute_fetchall
    about = list(await fetch(_ABOUT))
    if not about:
        await connection.execute(_BEGIN, (span.day, span.begins))
    begins, distinct_since = about[0] if about else (span.begins, -1)
    ((rows, last_row),) = await fetch(_ROWS)
    ((last_name,),) = await fetch(_LAST_NAME)
    handovers = {worker: number for worker, number in await fetch(_HANDOVERS)}  # noqa: C416 -- typed
    contexts = {LookupContext(*row[:-1]): row[-1] for row in await fetch(_CONTEXTS)}
    return _OpenDay(
        connection,
        span.day,
        begins,
        distinct_since,
        rows,
        last_row,
        last_name,
        handovers,
        contexts,
        {},
    )


async def _add(known: _OpenDay, lookups: list[Lookup]) -> int:
    """Add lookups; return how many had no room."""
    lookups.sort(key=itemgetter(0))  # at
    lost = 0
    for first in range(0, len(lookups), _AT_ONCE):
        part = lookups[first : first + _AT_ONCE]
        if known.rows >= MOST_ROWS:
            _be_full(known)
            lost += sum(one.n for one in part)
            continue
        if known.distinct_since < 0 and known.rows + len(part) > DISTINCT_FROM:
            await _be_distinct(known, part[0].at)
        names = await _name_ids(known, dict.fromkeys([one.name for one in part]))
        # By object: to hash the six texts of each costs more than all the rest here.
        objects = {id(one.context): one.context for one in part}
        contexts = await _context_ids(known, dict.fromkeys(objects.values()))
        ids = {key: contexts[one] for key, one in objects.items()}
        begins, last = known.begins, known.begins + _LAST_SECOND
        rows = [
            (
                at - begins if begins <= at <= last else known.second(at),
                names[name],
                ids[id(context)],
                device,
                n,
            )
            for at, name, context, device, _, n in part
            if name in names
        ]
        if len(rows) < len(part):
            lost += sum(one.n for one in part if one.name not in names)
        if known.distinct_since >= 0:
            rows = await _merged(known, rows)
        lost += await _insert(known, rows)
    return lost


async def _be_distinct(known: _OpenDay, since: int) -> None:
    known.distinct_since = _slot(known.second(since))
    await known.connection.execute("UPDATE about SET distinct_since = ?", (known.distinct_since,))
    _logger.warning(
        "the log of %s has %d rows; from now on equal lookups of %d minutes are one row",
        known.day,
        known.rows,
        SLOT_S // 60,
    )


def _be_full(known: _OpenDay) -> None:
    if not known.is_full:
        known.is_full = True
        _logger.warning(
            "the log of %s is full (%d rows, %d names); more lookups are counted, not recorded",
            known.day,
            MOST_ROWS,
            MOST_NAMES,
        )


async def _name_ids(known: _OpenDay, wanted: Iterable[bytes]) -> dict[bytes, int]:
    """Return ids of names, and perhaps of others; new ones up to a bound."""
    missing = {reversed_text(one): one for one in wanted if one not in known.names}
    if len(known.names) + len(missing) > MOST_MEMORISED:
        known.names = {}
        missing = {reversed_text(one): one for one in wanted}
    if missing:
        connection = known.connection
        for text, key in await connection.execute_fetchall(_NAMES, (json.dumps([*missing]),)):
            known.names[missing.pop(text)] = key
        new = list(enumerate(missing, known.last_name + 1))
        if new and new[-1][0] > MOST_NAMES:
            _be_full(known)
            new = [one for one in new if one[0] <= MOST_NAMES]
        await connection.executemany("INSERT INTO names VALUES (?, ?)", new)
        known.names.update((missing[text], key) for key, text in new)
        known.last_name += len(new)
    return known.names


async def _context_ids(
    known: _OpenDay, wanted: Iterable[LookupContext]
) -> dict[LookupContext, int]:
    missing = [one for one in wanted if one not in known.contexts]
    new = list(enumerate(missing, max(known.contexts.values(), default=0) + 1))
    if new:
        rows = ((key, *context) for key, context in new)
        await known.connection.executemany(
            "INSERT INTO contexts VALUES (?, ?, ?, ?, ?, ?, ?)", rows
        )
        known.contexts.update((context, key) for key, context in new)
    return known.contexts


async def _merged(known: _OpenDay, rows: list[_DayRow]) -> list[_DayRow]:
    """Merge equal rows of a slot; return those that have no equal in the file."""
    sums = dict[int, Counter[int]]()
    for second, name, context, _, n in rows:
        sums.setdefault(_slot(second), Counter())[name << 32 | context] += n
    new = list[_DayRow]()
    for slot, of_slot in sums.items():
        limits = (slot << SEQUENCE_BITS, (slot + 1) << SEQUENCE_BITS, json.dumps([*of_slot]))
        found = await known.connection.execute_fetchall(_EQUAL_ROWS, limits)
        more = [(of_slot.pop(both, 0), at) for at, both in found]
        await known.connection.executemany("UPDATE lookups SET n = n + ? WHERE at = ?", more)
        new += ((slot, both >> 32, both & 0xFFFFFFFF, 0, n) for both, n in of_slot.items())
    return new


async def _insert(known: _OpenDay, rows: list[_DayRow]) -> int:
    """Insert rows, in the order of time, behind those of their second.

    Returns: how many had no room.
    """
    last_second = known.last_row >> SEQUENCE_BITS
    old = {row[0] for row in rows if row[0] <= last_second}
    last_of = dict[int, int]()
    if old:
        found = await known.connection.execute_fetchall(_LAST_OF_SECONDS, (json.dumps([*old]),))
        last_of = {second: last for second, last in found if last is not None}
    placed, lost = list[tuple[int, ...]](), 0
    present, at, end = -1, 0, 0
    for second, name, context, device, n in rows:
        if second != present:
            begin, end = second << SEQUENCE_BITS, (second + 1) << SEQUENCE_BITS
            present, at = second, last_of.get(second, begin - 1) + 1
        if at < end:
            placed.append((at, name, context, device, n))
            at += 1
        else:  # a million rows of one second
            lost += n
    await known.connection.executemany("INSERT INTO lookups VALUES (?, ?, ?, ?, ?)", placed)
    known.rows += len(placed)
    known.last_row = max(known.last_row, max((row[0] for row in placed), default=-1))
    return lost


def _slot(second: int) -> int:
    """Return the second in which the slot of a second begins."""
    return second - second % SLOT_S
