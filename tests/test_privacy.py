# SPDX-License-Identifier: Apache-2.0
"""The data map: complete, and written into the document; a new place must be explained."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from filterd.base.state_folder import StateFolder
from filterd.config.reporting_schema import LogEntry
from filterd.overrides.rights.read_access import READERS
from filterd.querylog import day_schema
from tests.support import data_map
from tests.support.data_map import DOCUMENT, explained, places, read_map, written
from tests.support.json_schema import json_schemas

if TYPE_CHECKING:
    from collections.abc import Callable

MAP = read_map()


def unexplained() -> set[str]:
    return places() - set(explained(MAP))


def test_every_file_column_and_key_is_explained_once() -> None:
    assert unexplained() == set()
    assert set(explained(MAP)) - places() == set(), "explained, and not there"
    assert [place for place, n in Counter(explained(MAP)).items() if n > 1] == []


def test_the_document_has_the_tables_of_the_map() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    remedy = "run `python -m tests.support.data_map`"
    assert written(document, MAP) == document, remedy


def add_column(monkeypatch: pytest.MonkeyPatch) -> str:
    tables = day_schema.TABLES.replace("device INTEGER", "address TEXT, device INTEGER")
    monkeypatch.setitem(data_map.SCHEMAS, "log", tables)
    return "log lookups.address"


def add_file(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(StateFolder, "diary", vars(StateFolder)["query_log"], raising=False)
    return "file diary"


def add_key(monkeypatch: pytest.MonkeyPatch) -> str:
    schemas = json_schemas()
    schemas["site.schema.json"]["$defs"][LogEntry.__name__]["properties"]["photo"] = {}
    monkeypatch.setattr(data_map, "json_schemas", lambda: schemas)
    return "site LogEntry.photo"


@pytest.mark.parametrize("add", [add_column, add_file, add_key])
def test_a_new_column_file_or_key_must_be_explained(
    monkeypatch: pytest.MonkeyPatch, add: Callable[[pytest.MonkeyPatch], str]
) -> None:
    added = add(monkeypatch)
    assert unexplained() == {added}


def test_each_text_is_there_in_both_languages() -> None:
    for entry in MAP["personal"]:
        for part in ("what", "why", "kept", "reader", "deletion"):
            assert set(entry[part]) == {"vi", "en"}
            assert all("|" not in text for text in entry[part].values())


def test_the_table_of_readers_is_not_wider_than_the_map() -> None:
    """By the map only administrators see names and rows."""
    assert {view.value for view, roles in READERS.items() if len(roles) == 1} == {
        "names",
        "rows",
        "help",
    }
