# SPDX-License-Identifier: Apache-2.0
"""The tables of a day file: names and rows of one school day.

There is no secondary index: time order is the row id, and a search finds names first.
Each column is explained in ``PURPOSES``, of which the data map is made.
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

PURPOSES = {
    ("about", "day"): "which school day the file is of",
    ("about", "begins"): "from which row ids are counted",
    ("about", "distinct_since"): "whether rows are merged because there are too many",
    ("names", "id"): "stands for the name in other tables",
    ("names", "name"): "a name that was looked up",
    ("contexts", "id"): "stands for the context in other tables",
    ("contexts", "grade"): "the grade of the client",
    ("contexts", "class"): "the class of the client",
    ("contexts", "network"): "the network of the client, such as a room",
    ("contexts", "category"): "the category of the list that names it",
    ("contexts", "action"): "blocked, pass or another result",
    ("contexts", "blocker"): "the list or rule that blocked",
    ("lookups", "at"): "when, to the second",
    ("lookups", "name"): "the id of the name",
    ("lookups", "context"): "the id of the context",
    ("lookups", "device"): "a pseudonym that ends with the school day",
    ("lookups", "n"): "how many equal lookups the row stands for",
    ("seen", "tier"): "the age tier of the clients",
    ("seen", "name"): "the id of the name",
    ("seen", "category"): "the category of the list that names it",
    ("seen", "action"): "blocked, pass or another result",
    ("seen", "devices"): "how many devices, at most k",
    ("handovers", "worker"): "which process counted, so that nothing counts twice",
    ("handovers", "number"): "its last batch in this file",
}
"""Why each column of a table is there."""
