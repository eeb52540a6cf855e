# SPDX-License-Identifier: Apache-2.0
"""What the shipped lists close, by grade: what a school expects, name by name.

``names_by_grade.tsv`` has well-known names of every kind that pupils meet, with the youngest of
five grades that a school expects to have each, and why. It was written by hand for this.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.lists_build import compile_blocklists
from filterd.config.site_reader import load_site
from filterd.feed.followed.version_content import make_content
from filterd.lists.catalogs.catalog import Catalog, load_catalog
from filterd.lists.catalogs.catalog_tables import load_popular_names, read_canaries
from filterd.lists.catalogs.table_additions import ADDITIONS_FILE
from filterd.lists.index import Index
from filterd.lists.rules import MADE_CANARY
from filterd.lists.top_names import read_popular
from filterd.policy.engine import Engine
from filterd.policy.model import Client
from filterd.wire import RRType
from filterd.wire import name as names

TABLE = Path(__file__).parent / "fixtures" / "names_by_grade.tsv"
GRADES = ("1", "6", "9", "11", "staff")
NOBODY = "nobody"
OPEN_TO_ALL = ("answer-sites", "file-hosts", "shopping", "shorteners")


class Expected(NamedTuple):
    """A name, its kind, the first of ``GRADES`` that has it, and why."""

    name: str
    kind: str
    opens: str
    why: str


@cache
def expected() -> tuple[Expected, ...]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return tuple(Expected(*line.split("\t")) for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(shipped("blocklists"))


@pytest.fixture(scope="module")
def engine(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_of(catalog, tmp_path_factory.mktemp("starter") / "index")


def engine_of(catalog: Catalog, target: Path) -> Engine:
    compile_blocklists(catalog, (), target, now=0.0, feed=None)
    policy = compile_policy(load_site(shipped("policies")), catalog)
    return Engine(policy, Index.open(target))


def is_open(engine: Engine, name: str, grade: str) -> bool:
    client = Client(engine.policy.grades[grade])
    return not engine.decide(client, names.from_text(name), RRType.A, 0.0).blocked


def test_each_grade_has_what_a_school_expects(engine: Engine) -> None:
    wrong = []
    for one in expected():
        first = (*GRADES, NOBODY).index(one.opens)
        for place, grade in enumerate(GRADES):
            if is_open(engine, one.name, grade) is not (place >= first):
                wrong.append(f"{one.name} ({one.kind}: {one.why}) for {grade}")
    assert wrong == []


def test_the_table_has_enough_of_every_kind() -> None:
    kinds = Counter(one.kind for one in expected())
    assert len(expected()) >= 250
    assert len({one.name for one in expected()}) == len(expected())
    assert {one.opens for one in expected()} == {*GRADES, NOBODY}
    assert all(one.why for one in expected())
    assert len(kinds) > 30


def test_each_category_of_names_has_a_starter_list_with_its_canary(catalog: Catalog) -> None:
    """Categories of services only, and those of orders, have none."""
    listed = {
        one.category: Path(one.path) for one in catalog.lists if one.id.startswith("starter-")
    }
    without = {one.id for one in catalog.categories} - listed.keys()
    assert without == {"education", "everyday"}
    ordered = {one.id for one in catalog.categories if one.ordered}
    for category, path in listed.items():
        entries = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")
        ]
        assert category in ordered or entries[0] == category + MADE_CANARY
        assert len(entries) == len(set(entries))


def test_no_name_is_on_two_lists(catalog: Catalog) -> None:
    seen = Counter[str]()
    for one in catalog.lists:
        lines = Path(one.path).read_text(encoding="utf-8").splitlines()
        seen.update(line for line in lines if line and not line.startswith("#"))
    assert [name for name, n in seen.items() if n > 1] == []


def test_starter_lists_name_nothing_that_must_stay_open(catalog: Catalog) -> None:
    popular = {one.name: one.except_categories for one in load_popular_names()}
    pinned = {pin.name for pin in catalog.pins}
    helping = {protection.name for protection in catalog.protections if protection.every_list}
    wrong = []
    for one in catalog.lists:
        if one.category in OPEN_TO_ALL:
            continue
        for line in Path(one.path).read_text(encoding="utf-8").splitlines():
            if line and line[0] not in "#=":
                name = names.from_text(line)
                meant = one.category in popular.get(name, {one.category})
                if not meant or name in pinned or name in helping:
                    wrong.append(f"{one.category}: {line}")
    assert wrong == []


@pytest.mark.parametrize("category", OPEN_TO_ALL)
def test_what_is_open_to_all_can_be_closed_as_a_whole(engine: Engine, category: str) -> None:
    known = engine.policy.categories[category]
    assert (known.min_age, known.locked) == (None, False)
    assert all(is_open(engine, category + MADE_CANARY, grade) for grade in GRADES)
    hits = engine.index.lookup(names.from_text(category + MADE_CANARY))
    assert hits, "a school that closes the category closes its names"


def test_a_program_that_knows_no_parts_closes_what_they_close_at_least_as_before(
    catalog: Catalog, engine: Engine, tmp_path: Path
) -> None:
    """It reads no additions: a version without that file is what it sees."""
    make_content(catalog, {}, read_popular(None)).write(shipped("blocklists"), tmp_path / "made")
    now = load_catalog(tmp_path / "made")
    assert {category.id: category.part_of for category in now.categories} == {
        category.id: category.part_of for category in catalog.categories
    }
    assert len(read_canaries(tmp_path / "made")["ai-chat"]) > len(
        read_canaries(tmp_path / "made")["ai-companions"]
    )
    (tmp_path / "made" / ADDITIONS_FILE).unlink()
    before = load_catalog(tmp_path / "made")
    old = engine_of(before, tmp_path / "index")
    assert not any(category.part_of for category in old.policy.categories.values())
    for part in (category for category in catalog.categories if category.part_of):
        for grade in old.policy.grades:
            whole = is_open(old, part.part_of + MADE_CANARY, grade)
            assert is_open(old, part.id + MADE_CANARY, grade) is whole, (part.id, grade)
            assert whole or not is_open(engine, part.id + MADE_CANARY, grade), (part.id, grade)
