# SPDX-License-Identifier: Apache-2.0
"""Differences of two versions, and their grades, by the versions' own ages."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.top_names import Popular
from filterd.policy.model import GRADES
from filterd.publish.version_diff import SAMPLES, Differences, closed_to, differences
from tests.support.feed_folders import write_blocklists
from tests.support.yaml_files import change_yaml, write_yaml

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a.example", "b.example")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with two names of gambling."""
    return write_blocklists(tmp_path_factory.mktemp("old") / "version", *NAMES)


@pytest.fixture
def new(old: Path, tmp_path: Path) -> Path:
    """The same version, to be changed."""
    return shutil.copytree(old, tmp_path / "new")


def _list(folder: Path, *lines: str) -> None:
    (folder / "lists" / "gambling.txt").write_text("".join(f"{line}\n" for line in lines))


def _set(folder: Path, category: str, **values: Any) -> None:
    """Change a category."""

    def change(data: Any) -> None:
        (entry,) = (one for one in data["categories"] if one["id"] == category)
        entry.update(values)

    change_yaml(folder / "categories.yaml", change)


def _only(found: Differences) -> tuple[int, int, int, int]:
    (one,) = found.categories
    assert one.id == "gambling"
    return one.had, one.has, one.added, one.removed


def test_a_version_does_not_differ_from_itself(old: Path) -> None:
    assert differences(old, old) == Differences((), (), {})


def test_names_that_come_and_go_are_counted_and_shown(old: Path, new: Path) -> None:
    _list(new, "a.example", "c.example", "d.example")
    found = differences(old, new)
    assert _only(found) == (2, 3, 2, 1)
    assert found.categories[0].added_names == ("c.example", "d.example")
    assert found.categories[0].removed_names == ("b.example",)


def test_the_order_of_lines_and_what_stands_twice_make_no_difference(old: Path, new: Path) -> None:
    _list(new, *reversed(NAMES), NAMES[0], "# a comment")
    assert differences(old, new).categories == ()


def test_only_the_first_names_are_shown(old: Path, new: Path) -> None:
    _list(new, *NAMES, *(f"n{number:03}.example" for number in range(SAMPLES + 5)))
    (found,) = differences(old, new).categories
    assert (found.added, len(found.added_names)) == (SAMPLES + 5, SAMPLES)
    assert found.added_names[0] == "n000.example"


def test_one_host_and_all_beneath_it_are_two_things(old: Path, new: Path) -> None:
    change_yaml(new / "catalog.yaml", lambda data: data["lists"][0].update(format="wildcard"))
    _list(new, "=a.example", "b.example")
    (found,) = differences(old, new).categories
    assert (found.added_names, found.removed_names) == (("=a.example",), ("a.example",))


def test_a_category_that_suits_others_now_differs_without_a_name(old: Path, new: Path) -> None:
    _set(new, "games", min_age=16)
    found = {category.id: category for category in differences(old, new).categories}
    assert set(found) == {"games"}
    assert "10" in found["games"].closed_to
    assert (found["games"].added, found["games"].removed) == (0, 0)


def test_a_category_that_is_gone_is_reported_as_it_was(old: Path, new: Path) -> None:
    _set(new, "gambling", id="betting")
    change_yaml(new / "catalog.yaml", lambda data: data["lists"][0].update(category="betting"))
    for table in ("protect.yaml", "services.yaml"):
        text = (new / table).read_text(encoding="utf-8")
        (new / table).write_text(text.replace("gambling", "betting"), encoding="utf-8")
    found = {category.id: category for category in differences(old, new).categories}
    assert (found["betting"].had, found["betting"].has) == (0, 2)
    assert (found["gambling"].had, found["gambling"].has) == (2, 0)
    assert found["gambling"].closed_to == found["gambling"].closed_before


def test_popular_names_are_shown_by_rank_and_grades(old: Path, new: Path) -> None:
    _list(new, "a.example", "c.example")
    popular = Popular(["www.c.example", "other.example", "b.example", "a.example"])
    first, second = differences(old, new, popular).popular
    assert (first.rank, first.name, first.categories) == (1, "www.c.example", ("gambling",))
    assert (first.closed, first.opened) == (GRADES, ())
    assert (second.rank, second.closed, second.opened) == (3, (), GRADES)


def test_a_popular_name_that_another_category_keeps_closed_is_not_reported(
    old: Path, new: Path
) -> None:
    change_yaml(new / "catalog.yaml", lambda data: data["lists"][0].update(category="scam"))
    assert differences(old, new, Popular(["a.example"])).popular == ()


def test_tables_are_reported_entry_by_entry(old: Path, new: Path) -> None:
    entry = {"name": "help.example", "reason": "help"}
    change_yaml(new / "pins.yaml", lambda data: data["pins"].append(entry))
    change_yaml(
        new / "services.yaml", lambda data: data["services"][0]["names"].append("x.example")
    )
    tables = differences(old, new).tables
    assert tables["pins"] == (("help.example",), ())
    (added,), removed = tables["services"]
    assert added.endswith(": x.example")
    assert removed == ()
    assert "protect" not in tables


def test_rules_of_lookalikes_are_reported_with_their_category(old: Path, new: Path) -> None:
    rule = {"shape": "i9bet#", "category": "gambling", "digits": 3}
    rules = {"suffixes": {"gambling": ["com"]}, "lookalikes": [rule]}
    write_yaml(new / "lookalikes.yaml", rules)
    assert differences(old, new).tables == {"lookalikes": (("gambling: ~i9bet#",), ())}


def test_a_script_reads_what_a_person_does(old: Path, new: Path) -> None:
    _list(new, "a.example")
    plain = json.loads(json.dumps(differences(old, new, Popular(["b.example"])).to_json()))
    assert plain["categories"][0]["removed_names"] == ["b.example"]
    assert plain["popular"][0]["opened"] == list(GRADES)


def test_it_reports_its_progress(old: Path) -> None:
    seen = list[tuple[int, int]]()
    differences(old, old, progress=lambda *step: seen.append(step))
    assert seen[-1] == (len(seen), len(seen))


def test_a_folder_that_is_no_version_is_reported(old: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"categories\.yaml: cannot be read"):
        differences(old, tmp_path)


def test_a_locked_category_is_closed_to_all_and_others_below_their_age(old: Path) -> None:
    (gambling,) = (
        category for category in load_catalog(old).categories if category.id == "gambling"
    )
    assert closed_to(replace(gambling, locked=True, min_age=None)) == GRADES
    teens = closed_to(replace(gambling, locked=False, min_age=13))
    assert "7" in teens
    assert "8" not in teens
    assert closed_to(replace(gambling, locked=False, min_age=None)) == ()
