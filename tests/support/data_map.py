# SPDX-License-Identifier: Apache-2.0
"""The data map of ``deploy/PRIVACY.md``: every file, column and key, and why it is there.

``python -m tests.support.data_map`` writes the tables into the document. What there is to
explain comes from the program (``places``); the explanations are ``deploy/data-map.yaml``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from filterd.base.state_folder import StateFolder
from filterd.overrides.history import store_file
from filterd.querylog import day_schema, totals_file
from tests.support.json_schema import json_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MAP, DOCUMENT = DEPLOY / "data-map.yaml", DEPLOY / "PRIVACY.md"
BEGIN, END = "<!-- data map: begin -->\n", "<!-- data map: end -->\n"

SCHEMAS = {
    "log": day_schema.TABLES,
    "totals": totals_file.TABLES,
    "changes": ";".join(sql for step in store_file.MIGRATIONS for sql in step),
}
"""The tables of each kind of SQLite file, by the name that the map has for it."""


def places() -> set[str]:
    """Return all that holds data: files, columns of SQLite files, keys of ``site.yaml``."""
    return {*_files(), *_columns(), *_keys()}


def _files() -> Iterator[str]:
    folder = StateFolder(Path("state"))
    # Names of Python itself are left out: ``__weakref__`` cannot be read on 3.11.2.
    for name in dir(StateFolder):
        public = name != "folder" and not name.startswith("_")
        if public and isinstance(getattr(folder, name, None), Path):
            yield f"file {name}"


def _columns() -> Iterator[str]:
    for kind, tables in SCHEMAS.items():
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(tables)
            select = "SELECT name FROM sqlite_schema WHERE type = 'table'"
            for (table,) in database.execute(select).fetchall():
                for _, column, *_ in database.execute(f"PRAGMA table_info({table})"):
                    yield f"{kind} {table}.{column}"


def _keys() -> Iterator[str]:
    schema = json_schemas()["site.schema.json"]
    yield from (f"site {key}" for key in schema["properties"])
    for kind, one in schema.get("$defs", {}).items():
        yield from (f"site {kind}.{key}" for key in one.get("properties", ()))


def read_map() -> dict[str, Any]:
    """Return the explanations."""
    found: dict[str, Any] = yaml.safe_load(MAP.read_text(encoding="utf-8"))
    return found


def explained(data_map: Mapping[str, Any]) -> list[str]:
    """Return every place that the map explains, as often as it does."""
    held = [place for entry in data_map["personal"] for place in entry["holds"]]
    return held + [place for group in data_map["nothing"].values() for place in group]


def tables(data_map: Mapping[str, Any]) -> str:
    """Return the tables of the document, in Vietnamese and in English."""
    return "\n".join(_table(data_map, *words) for words in (_VIETNAMESE, _ENGLISH))


_VIETNAMESE = "vi", ("dữ liệu", "để làm gì", "giữ bao lâu", "ai xem được", "xóa"), "nơi"
_ENGLISH = "en", ("data", "purpose", "retention", "reader", "deletion"), "fields"
_PARTS = "what", "why", "kept", "reader", "deletion"


def _table(
    data_map: Mapping[str, Any], language: str, headings: tuple[str, ...], fields: str
) -> str:
    lines = [f"| {' | '.join((*headings, fields))} |", "| --- " * (len(headings) + 1) + "|"]
    for entry in data_map["personal"]:
        cells = [entry[part][language] for part in _PARTS]
        places_of = ", ".join(f"`{place}`" for place in entry["holds"])
        lines.append(f"| {' | '.join((*cells, places_of))} |")
    intro = data_map["intro"][language]
    return f"{intro}\n\n" + "\n".join(lines) + "\n"


def written(document: str, data_map: Mapping[str, Any]) -> str:
    """Return the document with the tables of the map."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(data_map)}\n{END}{after}"


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(written(text, read_map()), encoding="utf-8")
