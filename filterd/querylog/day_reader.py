# SPDX-License-Identifier: Apache-2.0
"""Read the tables of one day file: names first, then rows as integers.

The file is attached read-only to a connection in memory, which has what is looked for. A day
has few names and many rows, and no index but the order of time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from filterd.base.errors import ControlError
from filterd.base.paths import is_plain, with_sides
from filterd.base.value_class import frozen
from filterd.policy.field_checks import is_date, shown
from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.day_schema import (
    SEQUENCE_BITS,
    VERSION,
    name_of,
    plain_text,
    reversed_text,
    subtree,
)
from filterd.querylog.lookups import LookupContext
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

HOUR = 3600 << SEQUENCE_BITS
DAY_ENDS = 26 * HOUR
"""Above every row id of a day: one with a change of clocks has 25 hours."""

_ALLOWED = ("pass", "rewritten")
"""Actions of names that are new to a tier, and so worth a look."""

_day = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_id = re.compile(
    r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-5]):([0-5]\d):([0-5]\d)\.(\d{1,7})", re.ASCII
).fullmatch
"""A day with a change of clocks has 25 hours."""


_WANTED = """
CREATE TABLE wanted_names (id INTEGER PRIMARY KEY);
CREATE TABLE wanted_contexts (id INTEGER PRIMARY KEY, kind INTEGER);
CREATE TABLE sums (key INTEGER PRIMARY KEY, n INTEGER);
"""
_FITS = """
CREATE TEMP VIEW fitting AS SELECT at, name, context, device, n, kind
    FROM day.lookups AS lookups CROSS JOIN wanted_contexts AS of ON of.id = lookups.context;
CREATE TEMP VIEW fitting_seen AS SELECT * FROM day.seen;
"""
_FITS_BY_NAME = """
CREATE TEMP VIEW fitting AS SELECT at, name, context, device, n, kind
    FROM day.lookups AS lookups CROSS JOIN wanted_contexts AS of ON of.id = lookups.context
    WHERE name IN wanted_names;
CREATE TEMP VIEW fitting_seen AS SELECT * FROM day.seen WHERE name IN wanted_names;
"""
_OF_TEXT = "INSERT INTO wanted_names SELECT id FROM day.names WHERE name = ?"
_OF_RANGE = """
INSERT INTO wanted_names SELECT id FROM day.names WHERE name = ? OR (name >= ? AND name < ?)
"""

# CROSS: rows first, in their order. They are many, and no index leads from a name to its rows.
_ROWS = """
SELECT at, names.name, context, device, n
FROM (SELECT * FROM fitting WHERE at >= ? AND at < ?) AS found
CROSS JOIN day.names AS names ON names.id = found.name ORDER BY at DESC
"""
# Not GROUP BY: it would sort a million rows, in a file.
_ADD = """
INSERT INTO sums SELECT name << 16 | kind, n FROM fitting WHERE TRUE
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""
_SUMS = """
SELECT names.name, key & 65535, n
FROM sums CROSS JOIN day.names AS names ON names.id = sums.key >> 16
"""
_ADD_GROUPS = """
INSERT INTO groups SELECT name << 24 | context, n FROM day.lookups WHERE at >= ? AND at < ?
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""
_CONTEXTS = """
SELECT names.name, context FROM (SELECT DISTINCT name, context FROM fitting) AS found
CROSS JOIN day.names AS names ON names.id = found.name
"""
_SEEN = """
SELECT names.name, tier, category, action, devices
FROM fitting_seen CROSS JOIN day.names AS names ON names.id = fitting_seen.name
ORDER BY tier, names.name
"""
_KNOWN = """
SELECT asked.tier, asked.name, EXISTS (
    SELECT 1 FROM day.seen WHERE seen.tier = asked.tier AND seen.name = names.id
) FROM asked CROSS JOIN day.names AS names ON names.name = asked.name
"""

_KNOWN_BENEATH = """
SELECT top FROM asked_domains WHERE EXISTS (SELECT 1 FROM day.names WHERE name = top)
OR EXISTS (SELECT 1 FROM day.names WHERE name >= low AND name < high)
"""

_SORTS = "PRAGMA temp_store = MEMORY"


class RowId(NamedTuple):
    """The place of a row: its day, and its id there.

    It is written ``2026-11-28T07:35:12.3``; the last number counts the rows of a second.
    """

    day: str
    at: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the written form.

        Raises:
            ControlError: it is no row id.
        """
        found = _id(text)
        if found is None or not is_day(found[1]):
            raise ControlError(
                say(
                    "{text} is not the ID of a row, such as {example}",
                    text=shown(text),
                    example="2026-11-28T07:35:12.3",
                )
            )
        hour, minute, second, sequence = map(int, found.groups()[1:])
        at = (hour * 3600 + minute * 60 + second) << SEQUENCE_BITS
        return cls(found[1], at + min(sequence, (1 << SEQUENCE_BITS) - 1))

    def __str__(self) -> str:
        second, sequence = self.at >> SEQUENCE_BITS, self.at & ((1 << SEQUENCE_BITS) - 1)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        return f"{self.day}T{clock}.{sequence}"


def is_day(text: str) -> bool:
    """Return whether a text is a day as files and rows have it: ``2026-11-28``."""
    return _day(text) is not None and is_date(text)


@frozen
class LogFilter:
    """What is looked for; an empty field does not restrict it.

    Attributes:
        name: in canonical wire form.
        is_subtree: whether names beneath it count too.
        part: a text that is in the name as people write it.
        tier, grade, class_id, action, category: of the context.
        parts: categories that count with ``category``, of which they are parts.
    """

    name: bytes = b""
    is_subtree: bool = False
    part: str = ""
    tier: str = ""
    grade: str = ""
    class_id: str = ""
    action: str = ""
    category: str | None = None
    parts: frozenset[str] = frozenset()

    @property
    def has_name(self) -> bool:
        """Whether names are restricted."""
        return bool(self.name or self.part)

    def has(self, context: LookupContext) -> bool:
        """Return whether a context fits."""
        return self.has_seen(context.tier, context.category, context.action) and (
            self.grade in ("", context.grade) and self.class_id in ("", context.class_id)
        )

    def has_seen(self, tier: str, category: str, action: str) -> bool:
        """Return whether an entry of ``seen`` fits, which has neither grade nor class."""
        return (
            self.tier in ("", tier)
            and self.action in ("", action)
            and (self.category in (None, category) or category in self.parts)
        )


class LoggedRow(NamedTuple):
    """A row of ``lookups``; ``text`` is the stored name."""

    at: int
    text: str
    context: LookupContext
    device: int
    n: int

    def to_plain(self, day: Day) -> dict[str, Any]:
        """Return it as plain data, with its ID and Unix time."""
        of = self.context
        return {
            "id": str(RowId(day.day, self.at)),
            "at": day.begins + (self.at >> SEQUENCE_BITS),
            "name": plain_text(self.text),
            "grade": of.grade,
            "class": of.class_id,
            "network": of.network,
            "category": of.category,
            "action": of.action,
            "blocker": of.blocker,
            "device": self.device,
            "n": self.n,
        }


class DistinctName(NamedTuple):
    """A row of ``seen``; ``text`` is the stored name."""

    text: str
    tier: str
    category: str
    action: str
    devices: int

    def to_plain(self, day: Day) -> dict[str, Any]:
        """Return it as plain data, with its day."""
        return {
            "day": day.day,
            "name": plain_text(self.text),
            "tier": self.tier,
            "category": self.category,
            "action": self.action,
            "devices": self.devices,
        }


class UnreadableError(Exception):
    """A day that this release cannot read; it has the reason."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(why)
        self.why = why


def attach(connection: sqlite3.Connection, path: Path) -> bool:
    """Open a day file read-only as ``day``; return whether it has its tables yet.

    Raises:
        UnreadableError: it is no file, or of a newer release.
        sqlite3.Error: it cannot be read.
    """
    if not all(map(is_plain, with_sides(path))):
        raise UnreadableError(say("it is not a plain file"))
    # Else it sorts names in a file of /var/tmp, where retention and forgetting do not reach.
    connection.execute(_SORTS)
    connection.execute("ATTACH ? AS day", (f"{path.absolute().as_uri()}?mode=ro",))
    version: int
    ((version,),) = connection.execute("PRAGMA day.user_version").fetchall()
    if version not in (0, VERSION):
        raise UnreadableError(say("it is of another release of filterd"))
    connection.execute("PRAGMA day.cache_size = -8192")
    return bool(version)


class Day:
    """An opened day file; ``want`` chooses what the other methods return."""

    def __init__(
        self, connection: sqlite3.Connection, day: str, confidential: Collection[str]
    ) -> None:
        self.day, self._connection = day, connection
        self.begins: int
        ((self.begins,),) = connection.execute("SELECT begins FROM day.about").fetchall()
        contexts: Iterable[tuple[int, str, str, str, str, str, str]] = connection.execute(
            "SELECT id, grade, class, network, category, action, blocker FROM day.contexts"
        )
        found = ((key, LookupContext(*context)) for key, *context in contexts)
        self._confidential, self._kinds = confidential, list[tuple[str, str]]()
        self._contexts = {
            key: context
            for key, context in found
            if context.category not in confidential and context.grade in TIER_OF_GRADE
        }

    def want(self, wanted: LogFilter, texts: Collection[str] = ()) -> bool:
        """Choose names and contexts, once; return whether there are any.

        Args:
            wanted: what is looked for.
            texts: stored names, if these are meant.
        """
        run = self._connection.execute
        self._connection.executescript(_WANTED)
        fitting = ((key, context) for key, context in self._contexts.items() if wanted.has(context))
        contexts = [(key, (one.action, one.category)) for key, one in fitting]
        self._kinds = sorted({kind for _, kind in contexts})
        rows = ((key, self._kinds.index(kind)) for key, kind in contexts)
        self._connection.executemany("INSERT INTO wanted_contexts VALUES (?, ?)", rows)
        if not (wanted.has_name or texts):
            self._connection.executescript(_FITS)
            return True
        self._connection.executescript(_FITS_BY_NAME)
        if texts:
            self._connection.executemany(_OF_TEXT, ((one,) for one in texts))
        elif wanted.part:
            longest = max(wanted.part.split("."), key=len)
            some: Iterable[tuple[int, str]] = run(
                "SELECT id, name FROM day.names WHERE instr(name, ?)", (longest,)
            )
            ids = [(key,) for key, text in some if wanted.part in plain_text(text)]
            self._connection.executemany("INSERT INTO wanted_names VALUES (?)", ids)
        elif wanted.is_subtree:
            run(_OF_RANGE, subtree(wanted.name))
        else:
            run(_OF_TEXT, (reversed_text(wanted.name),))
        return bool(run("SELECT 1 FROM wanted_names LIMIT 1").fetchall())

    def rows(self, floor: int, below: int) -> Iterator[LoggedRow]:
        """Yield the rows with ids from ``floor`` to below ``below``, the newest first."""
        found: Iterable[tuple[int, str, int, int, int]]
        found = self._connection.execute(_ROWS, (floor, below))
        for at, text, context, device, n in found:
            yield LoggedRow(at, text, self._contexts[context], device, n)

    def sums(self) -> Iterator[tuple[str, tuple[str, str], int]]:
        """Yield names, action and category, and the number of these lookups."""
        self._connection.execute(_ADD)
        sums: Iterable[tuple[str, int, int]] = self._connection.execute(_SUMS)
        for text, kind, n in sums:
            yield text, self._kinds[kind], n

    @property
    def contexts(self) -> Mapping[int, LookupContext]:
        """The contexts that this release knows, by the ids of ``groups``."""
        return self._contexts

    def texts(self) -> dict[int, str]:
        """Return all stored names, by the ids of ``groups``."""
        return dict(self._connection.execute("SELECT id, name FROM day.names"))

    def groups(self, floor: int, below: int) -> Iterator[tuple[int, int, int]]:
        """Yield name, context and lookups of the rows with ids in [``floor``, ``below``).

        Name and context are ids; a context may be one that this release does not know.
        """
        run = self._connection.execute
        run("CREATE TABLE IF NOT EXISTS groups (key INTEGER PRIMARY KEY, n INTEGER)")
        run("DELETE FROM groups")
        run(_ADD_GROUPS, (floor, below))
        groups: Iterable[tuple[int, int]] = run("SELECT key, n FROM groups")
        for key, n in groups:
            yield key >> 24, key & 0xFFFFFF, n

    def seen_ids(self) -> Iterator[tuple[str, int, str, str]]:
        """Yield tier, id of the name, category and action of the distinct names."""
        yield from self._connection.execute("SELECT tier, name, category, action FROM day.seen")

    def seen(self, wanted: LogFilter) -> Iterator[DistinctName]:
        """Yield distinct names; none for one class or grade, of which they know nothing."""
        found = () if wanted.class_id or wanted.grade else self._connection.execute(_SEEN)
        for one in map(DistinctName._make, found):
            is_shown = one.category not in self._confidential
            if is_shown and wanted.has_seen(one.tier, one.category, one.action):
                yield one

    def allowed(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Return category and devices of the allowed names, by tier and stored name."""
        self.want(LogFilter())
        found = self.seen(LogFilter())
        return {
            (one.tier, one.text): (one.category, one.devices)
            for one in found
            if one.action in _ALLOWED
        }

    def known(self, asked: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield those of some tiers and stored names that this day has."""
        self._connection.execute("CREATE TABLE asked (tier TEXT, name TEXT)")
        self._connection.executemany("INSERT INTO asked VALUES (?, ?)", asked)
        found: list[tuple[str, str, int]] = self._connection.execute(_KNOWN).fetchall()
        unsure = {(tier, text) for tier, text, is_seen in found if not is_seen}
        yield from ((tier, text) for tier, text, is_seen in found if is_seen)
        if unsure and self.want(LogFilter(), {text for _, text in unsure}):
            rows: Iterable[tuple[str, int]] = self._connection.execute(_CONTEXTS)
            yield from unsure & {(self._contexts[key].tier, text) for text, key in rows}

    def known_beneath(self, domains: Collection[str]) -> set[str]:
        """Return those of some stored names that this day has, or has one beneath."""
        self._connection.execute("CREATE TABLE asked_domains (top TEXT, low TEXT, high TEXT)")
        self._connection.executemany(
            "INSERT INTO asked_domains VALUES (?, ?, ?)",
            (subtree(name_of(domain)) for domain in domains),
        )
        known: Iterable[tuple[str]] = self._connection.execute(_KNOWN_BENEATH)
        return {name for (name,) in known}
