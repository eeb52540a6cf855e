# SPDX-License-Identifier: Apache-2.0
"""The tables of a day file: names and rows of one school day.

There is no secondary index: time order is the row id, and a search finds names first.
The data map (``deploy/PRIVACY.md``) has the purpose of each column.
"""

from __future__ import annotations

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
of the day rows are distinct lookups of a slot, -1 for not. ``names`` are as ``reversed_names``
writes them. ``lookups.at`` is ``seconds since begins << SEQUENCE_BITS | sequence``; ``name`` and
``context`` are ids. ``seen``: the distinct names of a tier, with the largest number of distinct
devices known, at most ``least_devices``. ``handovers``: the last batch of each worker that is in
this file."""
