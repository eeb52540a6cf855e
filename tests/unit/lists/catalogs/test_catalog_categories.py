# SPDX-License-Identifier: Apache-2.0
"""Parts of categories in the tables, and what a program that knows no parts reads."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigErrors
from filterd.base.paths import shipped
from filterd.lists.catalogs.catalog import load_catalog, load_categories
from filterd.lists.catalogs.catalog_categories import whole_of, with_parts
from filterd.lists.catalogs.table_additions import (
    ADDITIONS_FILE,
    FIRST_KEYS,
    write_table,
    write_tables,
)
from tests.support.yaml_files import change_yaml, read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = {"vi": "Một phần", "en": "A part"}
PART = {"id": "dice", "name": WORDS, "description": WORDS, "min_age": 18, "legal_basis": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("blocklists"), tmp_path / "blocklists")


def change(folder: Path, table: str, do: Callable[[Any], object]) -> None:
    change_yaml(folder / f"{table}.yaml", do)


def entry(data: Any, group: str, id_: str) -> Any:
    return next(one for one in data[group] if one["id"] == id_)


def with_part(folder: Path, whole: str = "games", **more: object) -> None:
    """Give a category one more part."""

    def add(data: Any) -> None:
        entry(data, "categories", whole).setdefault("parts", []).append({**PART, **more})

    change(folder, "categories", add)


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load_catalog(folder)
    return [str(error).rpartition(".yaml:")[2] for error in caught.value.errors]


def test_a_part_stands_behind_its_whole_and_is_as_hidden_and_guarded_as_that(folder: Path) -> None:
    with_part(folder, "self-harm")
    with_part(folder, "proxy-vpn", id="tunnels")
    categories = load_categories(folder)
    known = {category.id: category for category in categories}
    dice, tunnels = known["dice"], known["tunnels"]
    assert (dice.part_of, dice.confidential, dice.guarded) == ("self-harm", True, True)
    assert (tunnels.part_of, tunnels.sinkhole, tunnels.guarded) == ("proxy-vpn", False, True)
    ids = [category.id for category in categories]
    assert ids.index("self-harm") < ids.index("dice") < ids.index("alcohol-tobacco")
    assert whole_of(dice) == {"category": "self-harm", "part": "dice"}
    assert whole_of(known["games"]) == {"category": "games"}


def test_a_list_and_a_service_of_a_part_are_of_it_alone(folder: Path) -> None:
    with_part(folder)
    change(
        folder, "catalog", lambda data: entry(data, "lists", "starter-games").update(part="dice")
    )
    change(folder, "services", lambda data: entry(data, "services", "roblox").update(part="dice"))
    catalog = load_catalog(folder)
    assert [one.category for one in catalog.lists if one.id == "starter-games"] == ["dice"]
    [roblox] = [service for service in catalog.services if service.id == "roblox"]
    assert (roblox.group, roblox.compiled.category) == ("dice", "dice")


def test_what_may_name_the_whole_may_name_its_parts(folder: Path) -> None:
    with_part(folder, "social-media")
    zalo = next(
        protection
        for protection in load_catalog(folder).protections
        if protection.name == b"\4zalo\2me\0"
    )
    assert "social-media" in zalo.except_categories
    assert "dice" in zalo.except_categories
    assert with_parts(["a"], {"b": "a", "c": "d"}) == {"a", "b"}


@pytest.mark.parametrize(
    ("whole", "more", "reason"),
    [
        ("games", {"min_age": 11}, "the part 'dice' is open where 'games' is closed"),
        ("porn", {}, "the part 'dice' is open where 'porn' is closed"),
        ("law-ordered", {"locked": True}, "'law-ordered' is for legal orders only"),
        ("games", {"locked": "ordered"}, "'games' is for legal orders only"),
        ("games", {"id": "porn"}, "this id occurs twice"),
    ],
)
def test_a_part_never_opens_what_its_whole_closes(
    folder: Path, whole: str, more: dict[str, object], reason: str
) -> None:
    with_part(folder, whole, **more)
    assert [problem for problem in problems(folder) if reason in problem]


def test_a_part_of_another_category_is_refused(folder: Path) -> None:
    with_part(folder)
    change(folder, "catalog", lambda data: entry(data, "lists", "starter-porn").update(part="dice"))
    change(folder, "services", lambda data: entry(data, "services", "tiktok").update(part="dce"))
    found = problems(folder)
    assert any("'dice' is not a part of 'porn'" in one for one in found)
    assert any("'dce' is not a part of 'social-media'" in one for one in found)


def a_version(folder: Path, made: Path) -> None:
    """Write the tables as a version has them."""
    for lists in ("starter", "vn"):
        shutil.copytree(folder / lists, made / lists)
    names = ("categories", "holidays", "pins", "protect", "safe_search", "services")
    write_tables(folder, made, tuple(f"{name}.yaml" for name in names))
    write_table(made, "catalog", {**read_yaml(folder / "catalog.yaml"), "sources": []})


def test_a_program_that_knows_no_parts_has_their_names_in_the_whole(
    folder: Path, tmp_path: Path
) -> None:
    """It reads no additions: without the file the tables are what it sees."""
    a_version(folder, tmp_path / "made")
    now = load_catalog(tmp_path / "made")
    assert now.categories == load_catalog(folder).categories
    wholes = {category.id: category.part_of or category.id for category in now.categories}
    (tmp_path / "made" / ADDITIONS_FILE).unlink()
    for group, table in (("lists", "catalog"), ("services", "services")):
        keys = {key for one in read_yaml(tmp_path / "made" / f"{table}.yaml")[group] for key in one}
        assert keys <= FIRST_KEYS[table]
    before = load_catalog(tmp_path / "made")
    assert {category.part_of for category in before.categories} == {""}
    found = {one.id: one.category for one in before.compiled}
    assert found == {one.id: wholes[one.category] for one in now.compiled}


def test_a_later_key_of_a_part_is_left_aside(folder: Path) -> None:
    later = {"categories": {"games": {"parts": [{**PART, "weight": 7}]}}}
    change(folder, "categories", lambda data: entry(data, "categories", "games").pop("parts", None))
    kept = [one for one in read_yaml(folder / "catalog.yaml")["lists"] if "part" not in one]
    change(folder, "catalog", lambda data: data.update(lists=kept))
    write_yaml(folder / ADDITIONS_FILE, later)
    assert "dice" in {category.id for category in load_categories(folder)}
