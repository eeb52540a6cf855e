# SPDX-License-Identifier: Apache-2.0
"""Keys that tables get later; here ``weight`` is one that a newer program knows."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.base.paths import shipped
from filterd.documents import DocumentModel, load
from filterd.lists.catalogs import catalog, table_additions
from filterd.lists.catalogs.catalog import load_catalog, load_categories
from filterd.lists.catalogs.catalog_schema import CategoryEntry
from filterd.lists.catalogs.table_additions import (
    ADDITIONS_FILE,
    ENTRIES,
    FIRST_KEYS,
    unknown_additions,
    with_additions,
    write_tables,
)
from tests.support.yaml_files import change_yaml, read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

CATEGORIES = "categories.yaml"
LATER_KEYS = {"catalog", "categories", "services"}
"""Tables that ship with keys which the first release does not know."""


class WeighedEntry(CategoryEntry):
    """A category as a newer program reads it."""

    weight: int = 0


class WeighedFile(DocumentModel):
    """The table of a newer program."""

    categories: tuple[WeighedEntry, ...]


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Return what makes this program the newer one, until ``monkeypatch.undo``."""

    def become() -> None:
        entries = {**ENTRIES, "categories": ENTRIES["categories"]._replace(model=WeighedEntry)}
        monkeypatch.setattr(table_additions, "ENTRIES", entries)
        monkeypatch.setattr(catalog, "CategoriesFile", WeighedFile)

    return become


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("blocklists"), tmp_path / "blocklists")


def weigh(folder: Path, weight: object = 7) -> None:
    def change(data: Any) -> None:
        next(one for one in data["categories"] if one["id"] == "games")["weight"] = weight

    change_yaml(folder / CATEGORIES, change)


def test_what_a_newer_publisher_builds_an_older_school_reads(
    folder: Path,
    tmp_path: Path,
    newer: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load_catalog(folder)
    newer()
    weigh(folder)
    made = shutil.copytree(folder, tmp_path / "made")
    write_tables(folder, made, (CATEGORIES, "pins.yaml"))
    assert read_yaml(made / ADDITIONS_FILE)["categories"]["games"] == {"weight": 7}
    weighed = with_additions(made, "categories", load(made / CATEGORIES))
    assert [one.get("weight") for one in weighed.data["categories"] if one["id"] == "games"] == [7]
    assert unknown_additions(made) == []
    monkeypatch.undo()
    assert load_categories(made) == before.categories
    assert load_catalog(made).pins == before.pins
    assert unknown_additions(made) == ["categories: weight"]


def test_the_program_of_the_first_keys_reads_what_is_built_of_what_ships(
    folder: Path, tmp_path: Path
) -> None:
    tables = tuple(f"{one}.yaml" for one in ENTRIES if one != "catalog")
    write_tables(folder, tmp_path, tables)
    for table, (group, _, _) in ENTRIES.items():
        if table != "catalog":
            keys = {key for one in load(tmp_path / f"{table}.yaml").data[group] for key in one}
            assert keys <= FIRST_KEYS[table]
    added = read_yaml(tmp_path / ADDITIONS_FILE)
    assert added["categories"]["self-harm"]["guarded"] is True
    assert added["categories"]["alcohol-tobacco"]["parts"][0]["id"] == "vape"
    assert added["services"]["twitch"] == {"part": "live-streams"}


@pytest.mark.control
def test_control_in_its_table_the_key_would_be_refused(folder: Path) -> None:
    weigh(folder)
    with pytest.raises(ConfigError, match="unknown key 'weight'"):
        load_categories(folder)


def test_a_table_without_later_keys_is_published_as_it_is_written(
    folder: Path, tmp_path: Path
) -> None:
    tables = tuple(f"{one}.yaml" for one in ENTRIES if one not in LATER_KEYS)
    write_tables(folder, tmp_path, tables)
    assert all((tmp_path / table).read_bytes() == (folder / table).read_bytes() for table in tables)
    assert not (tmp_path / ADDITIONS_FILE).exists()


def test_what_is_added_already_is_kept(folder: Path, tmp_path: Path) -> None:
    """A school makes versions of a feed's tables, and may not know all of their keys."""
    written = {"categories": {"games": {"colour": "red"}}, "moods": {"x": {"y": 1}}}
    write_yaml(folder / ADDITIONS_FILE, written)
    write_tables(folder, tmp_path, ("pins.yaml",))
    assert read_yaml(tmp_path / ADDITIONS_FILE) == written
    assert unknown_additions(folder) == ["categories: colour", "moods: y"]
    assert load_catalog(folder) == load_catalog(folder)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"categories": {"games": {"locked": False}}}, "'locked' is no later key"),
        ({"protect": {"google.com": {"except_categories": ["scam"]}}}, "write it into protect"),
        ({"categories": ["games"]}, "table, entry and key are expected"),
        ({"categories": {"games": 1}}, "table, entry and key are expected"),
        ([], "table, entry and key are expected"),
    ],
)
def test_nothing_that_a_program_knows_is_replaced(
    folder: Path, written: object, reason: str
) -> None:
    write_yaml(folder / ADDITIONS_FILE, written)
    with pytest.raises(ConfigError, match=reason):
        load_catalog(folder)


def test_a_later_key_is_held_to_its_form(folder: Path, newer: Callable[[], object]) -> None:
    newer()
    write_yaml(folder / ADDITIONS_FILE, {"categories": {"games": {"weight": "heavy"}}})
    with pytest.raises(ConfigError, match="weight"):
        load_categories(folder)


@pytest.mark.parametrize("table", ENTRIES)
def test_a_later_key_may_be_left_out(table: str) -> None:
    """A key without which a table is no table would stop every older publisher."""
    fields = ENTRIES[table].model.model_fields
    assert FIRST_KEYS[table] <= fields.keys()
    for name in fields.keys() - FIRST_KEYS[table]:
        assert not fields[name].is_required(), name


@pytest.mark.parametrize("table", [one for one in ENTRIES if one != "catalog"])
def test_what_ships_can_be_split(table: str) -> None:
    data = load(shipped("blocklists") / f"{table}.yaml").data
    split, added = table_additions.moved(table, data)
    assert split.keys() == data.keys()
    again = [
        {**one, **added.get(str(one[ENTRIES[table].told_by]), {})}
        for one in split[ENTRIES[table].group]
    ]
    assert again == data[ENTRIES[table].group]
