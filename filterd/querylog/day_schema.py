# SPDX-License-Identifier: Apache-2.0
"""Define what a day file stores: a day, its tables, the form of names.

There is no secondary index: time order is the row id, and a search finds names first.
The data map (``deploy/PRIVACY.md``) has the purpose of each column.

A name is its presentation form with the labels from the right: ``www.tiktok.com`` is
``com.tiktok.www``, so that a subtree is one range of the ordered texts. Octets that are not
visible ASCII are escaped (RFC 1035 section 5.1), dots and backslashes within a label too; so
different names have different texts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from filterd.querylog.lookups import Lookup


class DaySpan(NamedTuple):
    """A day (ISO 8601) of the school, and its Unix times [``begins``, ``ends``)."""

    day: str
    begins: int
    ends: int

    @classmethod
    def at(cls, now: float, zone: ZoneInfo) -> DaySpan:
        """Return the day of a Unix time."""
        return cls.of(datetime.fromtimestamp(now, zone).date(), zone)

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> DaySpan:
        """Return a day by its date."""
        dates = day, day + timedelta(days=1)
        begins, ends = (int(datetime.combine(one, time(), zone).timestamp()) for one in dates)
        return cls(day.isoformat(), begins, ends)

    @classmethod
    def last(cls, days: int, now: float, zone: ZoneInfo) -> Iterator[DaySpan]:
        """Yield the last days, the day of a Unix time included, the latest first."""
        today = datetime.fromtimestamp(now, zone).date()
        for ago in range(days):
            yield cls.of(today - timedelta(days=ago), zone)

    def has(self, now: float) -> bool:
        """Return whether a Unix time is in the day."""
        return self.begins <= now < self.ends


def by_days(
    lookups: Sequence[Lookup], zone: ZoneInfo
) -> Iterable[tuple[DaySpan, Sequence[Lookup]]]:
    """Divide lookups by their days, each day once; nearly always they are of one."""
    if not lookups:
        return ()
    times = [lookup.at for lookup in lookups]
    span = DaySpan.at(times[0], zone)
    if span.has(min(times)) and span.has(max(times)):
        return [(span, lookups)]
    days = defaultdict[DaySpan, list["Lookup"]](list)
    for lookup in lookups:
        if not span.has(lookup.at):
            span = DaySpan.at(lookup.at, zone)
        days[span].append(lookup)
    return days.items()


VERSION = 1
"""Kept in the file as ``user_version``; 0 is a file that has just been made."""

SEQUENCE_BITS = 20
"""Of a row id, below the seconds since the day's begin: a million rows each second."""

TABLES = f"""
CREATE TABLE about (
    day TEXT NOT NULL,
    begins INTEGER NOT NULL,
    distinct_since INTEGER NOT NULL
) STRICT;
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE contexts (
    id INTEGER PRIMARY KEY,
    grade TEXT NOT NULL,
    class TEXT NOT NULL,
    network TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    blocker TEXT NOT NULL,
    UNIQUE (grade, class, network, category, action, blocker)
) STRICT;
CREATE TABLE lookups (
    at INTEGER PRIMARY KEY,
    name INTEGER NOT NULL,
    context INTEGER NOT NULL,
    device INTEGER NOT NULL,
    n INTEGER NOT NULL
) STRICT;
CREATE TABLE seen (
    tier TEXT NOT NULL,
    name INTEGER NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    devices INTEGER NOT NULL,
    PRIMARY KEY (tier, name, category, action)
) STRICT, WITHOUT ROWID;
CREATE TABLE handovers (
    worker TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
"""``about`` has one row: the day (ISO 8601), the Unix time of its begin, and since which second
of the day rows are distinct lookups of a slot, -1 for not. ``names`` are as ``reversed_text``
writes them. ``lookups.at`` is ``seconds since begins << SEQUENCE_BITS | sequence``; ``name`` and
``context`` are ids. ``seen``: the distinct names of a tier, with the largest number of distinct
devices known, at most ``least_devices``. ``handovers``: the last batch of each worker that is in
this file."""


_needs_no_escape = re.compile(rb"[a-z0-9_.-]+").fullmatch


class NameRange(NamedTuple):
    """The texts of a subtree: ``top``, and those from ``low`` to below ``high``."""

    top: str
    low: str
    high: str


def reversed_text(name: bytes) -> str:
    """Return the text of a name in canonical wire form; ``.`` for the root."""
    labels = names.labels(name)
    text = b".".join(labels[::-1])
    if _needs_no_escape(text) and text.count(b".") == len(labels) - 1:  # nearly all
        return text.decode()
    return ".".join(names.to_text(one) for one in _single(name)) or "."


def name_of(text: str) -> bytes:
    """Return the name of a text.

    Raises:
        NameTextError: it is no such text.
    """
    return names.from_labels(tuple(reversed(names.labels_from_text(text))))


def plain_text(text: str) -> str:
    """Return a text as people write the name: with the labels from the left."""
    return names.to_text(name_of(text)) if "\\" in text else ".".join(text.split(".")[::-1])


def subtree(name: bytes) -> NameRange:
    """Return the range of a name and everything beneath it.

    ``/`` is the next character after the dot that ends a label.
    """
    if name == names.ROOT:
        return NameRange(".", "", "\x7f")
    text = reversed_text(name)
    return NameRange(text, f"{text}.", f"{text}/")


def _single(name: bytes) -> list[bytes]:
    """Return each label as a name of its own, the last label first."""
    return [names.from_labels((label,)) for label in reversed(list(names.labels(name)))]
