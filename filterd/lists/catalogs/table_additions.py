# SPDX-License-Identifier: Apache-2.0
"""Read and write keys that tables got after their first release: additions.

The tables of a version forbid unknown keys: a key that is written wrong would else decide nothing,
unseen. But a school whose program is older than its publisher's would refuse each version with a
new key. So a key comes in one of two ways.

**By this file**, if a program that does not know the key protects as it did before: who may open a
category, a text, a date. The file has, by table and entry, the keys that are not in ``FIRST_KEYS``,
and the build of a version moves them here from the tables. Programs of before the file do not read
it; others take the keys that they know and leave the rest. It replaces nothing: a key of
``FIRST_KEYS`` here, or a key that the entry has in its table, too, is an error. What ignores a key
must not be weaker than what ships, so a key that protects has its least value in the program as
well (``ALWAYS_CONFIDENTIAL``).

**Program first**, for all else: a new value of a known key, a key that changes what other keys
mean, a table that opens something. The release that knows it comes first; publishers write it
when the schools have that release. ``orders.yaml`` and ``canaries.yaml`` are of this kind: the file
here is signed by the online keys, and orders are not. So are the keys of a rule for look-alikes;
whole rules of a later kind come by this file (``optional_lists``), for a program without them has
the others as before.

The guard compares what a program takes from here as it compares all fields of a table
(``feed.guard.tables``), and notes what it does not know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.documents import dump, load
from filterd.lists.catalogs.catalog_schema import (
    CategoryEntry,
    EngineEntry,
    FolderList,
    FolderService,
    HolidayEntry,
    PartEntry,
    PinEntry,
    ProtectionEntry,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from filterd.documents import Document, DocumentModel

ADDITIONS_FILE = "additions.yaml"

Additions = dict[str, dict[str, dict[str, Any]]]
"""By table and entry, keys and their values."""


class _Entries(NamedTuple):
    """The entries of a table: keys of their list and of each, and their schema."""

    group: str
    told_by: str
    model: type[DocumentModel]


_RULES, _KEYS_OF_RULES = "lookalikes", frozenset(("near", "parts", "schools"))
"""By category, rules of a later kind; ``optional_lists`` reads them."""

ENTRIES = {
    "categories": _Entries("categories", "id", CategoryEntry),
    "catalog": _Entries("lists", "id", FolderList),
    "pins": _Entries("pins", "name", PinEntry),
    "protect": _Entries("protections", "name", ProtectionEntry),
    "safe_search": _Entries("engines", "target", EngineEntry),
    "services": _Entries("services", "id", FolderService),
    "holidays": _Entries("holidays", "first", HolidayEntry),
}
"""By the name of a table without ``.yaml``."""

FIRST_KEYS = {
    "categories": frozenset(
        ("id", "name", "description", "min_age", "rating", "legal_basis", "review_date", "locked",
         "security", "sinkhole", "confidential")
    ),
    "catalog": frozenset(("id", "title", "category", "format", "file", "own", "subtrees")),
    "pins": frozenset(("name", "subtree", "reason")),
    "protect": frozenset(("name", "subtree", "reason", "except_categories")),
    "safe_search": frozenset(("target", "names")),
    "services": frozenset(("id", "name", "group", "min_age", "names")),
    "holidays": frozenset(("first", "last", "name")),
}  # fmt: skip
"""What every program knows. It never grows: a program without a key refuses it in a table."""

_PARTS = "parts"
"""Of a category: a program that does not know them has their lists in the whole category."""


def with_additions(folder: Path, table: str, document: Document) -> Document:
    """Return a table with the keys that its folder adds and this program knows.

    Args:
        folder: with or without the file.
        table: its name without ``.yaml``.
        document: the table as it is written.

    Raises:
        ConfigError: the file cannot be read, or replaces a key.
    """
    added = _read(folder).get(table)
    if not added:
        return document
    known = ENTRIES[table].model.model_fields.keys() - FIRST_KEYS[table]
    data = dict(document.data)
    data[ENTRIES[table].group] = [
        {**entry, **{key: _known(key, value) for key, value in more.items() if key in known}}
        for name, entry in _entries(table, document.data)
        for more in [added.get(name, {})]
    ]
    return replace(document, data=data)


def _known(key: str, value: Any) -> Any:
    """Return a value without the later keys of a part that this program does not know."""
    if key != _PARTS or not isinstance(value, list):
        return value
    return [
        {name: its for name, its in part.items() if name in PartEntry.model_fields}
        if isinstance(part, dict)
        else part
        for part in value
    ]


def added_to(
    folder: Path, table: str, known: Collection[str]
) -> tuple[Document | None, dict[str, dict[str, Any]]]:
    """Return what a folder adds to a table that has no entries of its own here.

    Args:
        folder: with or without the file.
        table: its name without ``.yaml``.
        known: the keys that this program knows; others are left aside.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = folder / ADDITIONS_FILE
    added = _read(folder).get(table, {})
    return (load(path) if added else None), {
        name: {key: value for key, value in keys.items() if key in known}
        for name, keys in added.items()
    }


def write_added(made: Path, table: str, entries: dict[str, dict[str, Any]]) -> None:
    """Replace what a version in the making adds to a table.

    Args:
        made: the folder of the version.
        table: its name without ``.yaml``.
        entries: by entry, keys and their values.

    Raises:
        ConfigError: the additions of the version are damaged.
        OSError: the disk refused.
    """
    additions = {name: its for name, its in _read(made).items() if name != table}
    if entries:
        additions[table] = entries
    if additions:
        (made / ADDITIONS_FILE).write_bytes(dump(additions))
    else:
        (made / ADDITIONS_FILE).unlink(missing_ok=True)


def unknown_additions(folder: Path) -> list[str]:
    """Return the keys of the file that this program does not know, in words.

    Raises:
        ConfigError: the file cannot be read, or replaces a key.
    """
    return [
        f"{table}: {key}"
        for table, entries in _read(folder).items()
        for key in sorted({key for keys in entries.values() for key in keys})
        if key not in _known_keys(table)
    ]


def _known_keys(table: str) -> Collection[str]:
    """Return the keys of a table that this program knows; none of an unknown table."""
    if table == _RULES:
        return _KEYS_OF_RULES
    return ENTRIES[table].model.model_fields if table in ENTRIES else ()


def moved(table: str, data: Any) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Split a table into what every program knows, and what is added, by entry."""
    first, kept, added = FIRST_KEYS[table], [], dict[str, dict[str, Any]]()
    for name, entry in _entries(table, data):
        kept.append({key: value for key, value in entry.items() if key in first})
        if more := {key: value for key, value in entry.items() if key not in first}:
            added[name] = more
    return {**data, ENTRIES[table].group: kept}, added


def write_table(made: Path, table: str, content: Any) -> None:
    """Write a table of a version in the making, so that every program can read it.

    Args:
        made: the folder of the version, with the tables of its base.
        table: its name without ``.yaml``.
        content: with all keys.

    Raises:
        ConfigError: the additions of the version are damaged.
        OSError: the disk refused.
    """
    data, added = moved(table, content)
    (made / f"{table}.yaml").write_bytes(dump(data))
    additions = _read(made) | {table: added}
    if not added:
        del additions[table]
    if additions:
        (made / ADDITIONS_FILE).write_bytes(dump(additions))


def write_tables(folder: Path, made: Path, tables: tuple[str, ...]) -> None:
    """Write tables of a folder so that every program can read them.

    A table without newer keys is copied octet by octet, comments included.

    Args:
        folder: a ``blocklists/`` folder.
        made: the folder of a version.
        tables: names of files.

    Raises:
        ConfigError: a table cannot be read.
        OSError: the disk refused.
    """
    additions = _read(folder)
    for file in tables:
        table = file.removesuffix(".yaml")
        data, added = moved(table, load(folder / file).data)
        (made / file).write_bytes(dump(data) if added else (folder / file).read_bytes())
        for name, keys in added.items():
            additions.setdefault(table, {}).setdefault(name, {}).update(keys)
    if additions:
        (made / ADDITIONS_FILE).write_bytes(dump(additions))


def _entries(table: str, data: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entries of a table that has them, each with what tells it."""
    group, told_by, _ = ENTRIES[table]
    for entry in (data.get(group) or ()) if isinstance(data, dict) else ():
        if isinstance(entry, dict):
            yield str(entry.get(told_by)), entry


def _read(folder: Path) -> Additions:
    """Read the file; there are no additions where there is none."""
    path = folder / ADDITIONS_FILE
    if not path.exists():
        return {}
    document = load(path)
    data = document.data
    for where, value in _mappings(data):
        if not isinstance(value, dict):
            reason = say("table, entry and key are expected")
            raise document.error(reason, where, hint=say("such as categories: {games: {key: 1}}"))
    for table, entries in data.items():
        for name, keys in entries.items():
            if replaced := FIRST_KEYS.get(table, frozenset()) & keys.keys():
                reason = say("'{key}' is no later key", key=min(replaced))
                hint = say("write it into {table}", table=f"{table}.yaml")
                raise document.error(reason, (table, name, min(replaced)), hint=hint)
    additions: Additions = data
    return additions


def _mappings(data: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield (), data
    for table, entries in data.items() if isinstance(data, dict) else ():
        yield (table,), entries
        for name, keys in entries.items() if isinstance(entries, dict) else ():
            yield (table, name), keys
