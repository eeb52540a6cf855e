# SPDX-License-Identifier: Apache-2.0
"""Help lines, health and sex education: no list, rule or service closes one of these names."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.base.paths import shipped
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.help_names import load_help_names
from filterd.lists.lookalikes import plain, says_enough
from filterd.policy.engine import Engine
from filterd.policy.model import Category
from filterd.policy.verdict import Rule
from filterd.wire import name as names
from tests.support.policies import NOW, a_client, a_policy, an_index, block, wire

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from filterd.policy.model import Policy
    from tests.support.policies import ListTexts

A = 1
CATALOG = load_catalog(shipped("blocklists"))
ORDERED = [one.id for one in CATALOG.categories if one.ordered]
HELP = [names.to_text(one.name) for one in load_help_names()]


@cache
def _school(*, helps: bool = True) -> Policy:
    """Return a school that closes every category to everybody, and keeps it closed."""
    categories = {
        category.id: Category(
            category.id,
            category.name_vi,
            category.name_en,
            category.min_age,
            ordered=category.ordered,
            locked=category.locked,
            security=category.security,
        )
        for category in CATALOG.categories
    }
    policy = a_policy(
        categories=categories,
        also_closed=(*categories, "service:help"),
        protections=load_help_names() if helps else (),
    )
    return replace(policy, kept_closed=frozenset(categories))


def _closed(policy: Policy, folder: Path, lists: ListTexts, **rules: Collection[str]) -> list[str]:
    """Return which names of help, and names beneath them, are closed to grade 6."""
    engine = Engine(policy, an_index(folder, lists, lookalikes=rules))
    asked = [one for name in HELP for one in (name, f"www.{name}")]
    client = a_client(policy)
    return [one for one in asked if engine.decide(client, wire(one), A, NOW).blocked]


EVERY = [one.id for one in CATALOG.categories]


@pytest.mark.parametrize("category", EVERY)
def test_no_third_party_list_of_any_category_closes_a_name_of_help(
    tmp_path: Path, category: str
) -> None:
    lists: ListTexts = {
        "theirs": (category, "domains", False, [*HELP, *(f"www.{n}" for n in HELP)])
    }
    assert _closed(_school(), tmp_path, lists) == []


@pytest.mark.parametrize("category", [one for one in EVERY if one not in ORDERED])
def test_no_list_or_service_of_the_publisher_closes_one(tmp_path: Path, category: str) -> None:
    lists: ListTexts = {
        "starter": (category, "domains", True, HELP),
        "service:help": (category, "domains", True, HELP),
    }
    assert _closed(_school(), tmp_path, lists) == []


@pytest.mark.parametrize("category", ["gambling", "violence"])
def test_no_look_alike_rule_closes_one(tmp_path: Path, category: str) -> None:
    labels = {plain(name.split(".")[0].encode()) or b"" for name in HELP}
    shapes = sorted(label.decode() for label in labels if says_enough(label))
    assert _closed(_school(), tmp_path, {}, **{category: shapes}) == []


@pytest.mark.control
@pytest.mark.parametrize("category", EVERY)
def test_control_without_the_frozen_names_every_list_closes_them(
    tmp_path: Path, category: str
) -> None:
    lists: ListTexts = {"theirs": (category, "domains", False, HELP)}
    assert len(_closed(_school(helps=False), tmp_path, lists)) == 2 * len(HELP)


def test_a_signed_order_closes_one_and_so_does_the_school_itself(tmp_path: Path) -> None:
    lists: ListTexts = {"order:12-QD": ("law-ordered", "domains", True, HELP)}
    assert len(_closed(_school(), tmp_path, lists)) == 2 * len(HELP)
    own = replace(_school(), rules=(block("unicef.org"),))
    assert _closed(own, tmp_path, {}) == ["unicef.org", "www.unicef.org"]


def test_the_line_111_is_pinned_so_nothing_closes_it(tmp_path: Path) -> None:
    lists: ListTexts = {"order:12-QD": ("law-ordered", "domains", True, HELP)}
    pinned = replace(_school(), pins=CATALOG.pins)
    closed = _closed(pinned, tmp_path, lists)
    assert {"tongdai111.vn", "vn-cop.vn"}.isdisjoint(closed)


def test_the_verdict_says_that_the_name_is_protected_as_help(tmp_path: Path) -> None:
    lists: ListTexts = {"theirs": ("porn", "domains", False, ["unfpa.org"])}
    engine = Engine(_school(), an_index(tmp_path, lists))
    match = engine.decide(a_client(_school()), wire("vietnam.unfpa.org"), A, NOW).match
    assert match is not None
    assert (match.rule, match.reason) == (Rule.PROTECTED, "help")


def test_the_names_of_who_helps_in_viet_nam_and_of_the_united_nations_are_there() -> None:
    assert {"tongdai111.vn", "vn-cop.vn", "duongdaynongngaymai.vn"} <= set(HELP)
    assert {"who.int", "unicef.org", "unfpa.org"} <= set(HELP)
    assert {"bachmai.gov.vn", "choray.vn", "nhidong.org.vn"} <= set(HELP)


def test_a_folder_s_own_entry_for_one_changes_nothing(tmp_path: Path) -> None:
    """A version of the feed with ``except_categories`` for it, or without it, weakens nothing."""
    folder = tmp_path / "blocklists"
    folder.mkdir()
    for one in shipped("blocklists").iterdir():
        (folder / one.name).symlink_to(one)
    (folder / "help.yaml").unlink()
    (folder / "protect.yaml").unlink()
    weak = "{name: who.int, reason: x, subtree: false, except_categories: [porn]}"
    (folder / "protect.yaml").write_text(f"protections:\n  - {weak}\n")
    assert load_catalog(folder).protections == load_help_names()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("help: []", "help.yaml:1:"),
        ("help:\n  - {about: {vi: a, en: b}, names: [a.example]}", "source"),
        (
            "help:\n  - {about: {vi: a, en: b}, source: c, names: [a.example, a.example]}",
            "occurs twice",
        ),
    ],
)
def test_a_mistake_in_the_file_is_shown_with_its_place(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "help.yaml"
    path.write_text(text)
    with pytest.raises(ConfigErrors) as refused:
        load_help_names(path)
    assert words in str(refused.value)
