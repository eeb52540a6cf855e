# SPDX-License-Identifier: Apache-2.0
"""The meaning of list claims for a grade: ordered, locked, closed, open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.decision_table import DecisionTable, Ruling
from filterd.policy.verdict import Rule
from tests.support.policies import a_grade, a_policy, an_index, wire

if TYPE_CHECKING:
    from pathlib import Path


def _rulings(folder: Path, category: str, grade: str, *, own: bool, line: str) -> list[Ruling]:
    index = an_index(folder, {"list": (category, "adblock", own, [line])})
    (hit,) = index.lookup(wire("site.example"))
    table = DecisionTable(a_policy(), index)
    return list(table.rulings(a_grade(grade), hit.set_id))


@pytest.mark.parametrize(
    ("category", "own", "grade", "rule"),
    [
        ("law-ordered", True, "staff", Rule.ORDERED),
        ("law-ordered", False, "staff", Rule.LOCKED),
        ("porn", True, "staff", Rule.LOCKED),
        ("porn", False, "staff", Rule.LOCKED),
        ("games", False, "6", Rule.CATEGORY),
        ("games", False, "7", Rule.OPEN),
        ("ads-trackers", False, "preschool", Rule.OPEN),
        ("category-of-tomorrow", False, "staff", Rule.CATEGORY),
    ],
)
def test_rule_of_a_block(category: str, own: bool, grade: str, rule: Rule, tmp_path: Path) -> None:
    (ruling,) = _rulings(tmp_path, category, grade, own=own, line="||site.example^")
    assert (ruling.rule, ruling.third_party, ruling.category) == (rule, not own, category)


@pytest.mark.parametrize("category", ["law-ordered", "porn", "games", "category-of-tomorrow"])
def test_an_exception_is_one_in_every_category(category: str, tmp_path: Path) -> None:
    (ruling,) = _rulings(tmp_path, category, "6", own=True, line="@@||site.example^")
    assert ruling.rule is Rule.LIST_EXCEPTION


def test_markers_rule_nothing_and_are_told_apart(tmp_path: Path) -> None:
    lines = ["||other.example^", "@@||a.site.example^"]
    index = an_index(tmp_path, {"list": ("games", "adblock", False, lines)})
    table = DecisionTable(a_policy(), index)
    (marked,), (other,) = (index.lookup(wire(n)) for n in ("site.example", "other.example"))
    assert table.rulings(a_grade("6"), marked.set_id) == ()
    assert table.marks_exception_beneath(marked.set_id)
    assert not table.marks_exception_beneath(other.set_id)


def test_a_row_is_made_once_for_each_grade(tmp_path: Path) -> None:
    index = an_index(tmp_path, {"list": ("games", "domains", False, ["site.example"])})
    (hit,) = index.lookup(wire("site.example"))
    table = DecisionTable(a_policy(), index)
    sixth, seventh = (table.rulings(a_grade(grade), hit.set_id) for grade in ("6", "7"))
    assert table.rulings(a_grade("6"), hit.set_id) is sixth
    assert sixth != seventh


def test_a_set_tells_whether_it_leaves_names_alone(tmp_path: Path) -> None:
    lines = ["||a.example^$denyallow=b.a.example", "||c.example^"]
    index = an_index(tmp_path, {"list": ("games", "adblock", False, lines)})
    table = DecisionTable(a_policy(), index)
    (leaving,), (other,) = (index.lookup(wire(name)) for name in ("a.example", "c.example"))
    assert table.leaves_names_alone(leaving.set_id)
    assert not table.leaves_names_alone(other.set_id)


GROUP, LOT, SERVICE_LIST = "games", "list:a", "service:a"


@pytest.mark.parametrize(
    ("list_id", "closed", "opened", "kept", "rule"),
    [
        ("a", "", "", "", Rule.OPEN),
        ("a", GROUP, "", "", Rule.CATEGORY),
        ("a", LOT, "", "", Rule.CATEGORY),
        ("a", GROUP, LOT, "", Rule.OPEN),
        ("a", f"{GROUP} {LOT}", LOT, "", Rule.CATEGORY),
        ("a", GROUP, LOT, GROUP, Rule.LOCKED),
        ("a", "", "", GROUP, Rule.OPEN),
        ("a", GROUP, SERVICE_LIST, "", Rule.CATEGORY),
        (SERVICE_LIST, "", "", "", Rule.OPEN),
        (SERVICE_LIST, GROUP, "", "", Rule.CATEGORY),
        (SERVICE_LIST, SERVICE_LIST, "", "", Rule.CATEGORY),
        (SERVICE_LIST, "", SERVICE_LIST, "", Rule.OPEN),
        (SERVICE_LIST, GROUP, SERVICE_LIST, "", Rule.LIST_EXCEPTION),
        (SERVICE_LIST, GROUP, SERVICE_LIST, GROUP, Rule.LOCKED),
        (SERVICE_LIST, SERVICE_LIST, "", SERVICE_LIST, Rule.LOCKED),
        (SERVICE_LIST, GROUP, "", SERVICE_LIST, Rule.LOCKED),
        (SERVICE_LIST, "", "", SERVICE_LIST, Rule.OPEN),
    ],
)
def test_single_lists_and_services_are_open_or_closed(
    list_id: str, closed: str, opened: str, kept: str, rule: Rule, tmp_path: Path
) -> None:
    index = an_index(tmp_path, {list_id: (GROUP, "domains", True, ["site.example"])})
    (hit,) = index.lookup(wire("site.example"))
    table = DecisionTable(replace(a_policy(), kept_closed=frozenset(kept.split())), index)
    grade = replace(
        a_grade("12"), closed=frozenset(closed.split()), opened=frozenset(opened.split())
    )
    (ruling,) = table.rulings(grade, hit.set_id)
    assert ruling.rule is rule


@pytest.mark.parametrize("category", ["porn", "malware", "law-ordered"])
def test_no_list_of_a_locked_category_is_opened(category: str, tmp_path: Path) -> None:
    index = an_index(tmp_path, {"a": (category, "domains", False, ["site.example"])})
    (hit,) = index.lookup(wire("site.example"))
    opened = replace(a_grade("staff"), opened=frozenset({LOT}))
    (ruling,) = DecisionTable(a_policy(), index).rulings(opened, hit.set_id)
    assert ruling.rule is Rule.LOCKED


def test_variants_of_a_grade_have_rows_of_their_own(tmp_path: Path) -> None:
    index = an_index(tmp_path, {"a": ("games", "domains", False, ["site.example"])})
    (hit,) = index.lookup(wire("site.example"))
    table = DecisionTable(a_policy(), index)
    variant = replace(a_grade("6"), closed=frozenset[str](), variant="lab")
    rules = [table.rulings(grade, hit.set_id)[0].rule for grade in (a_grade("6"), variant)]
    assert rules == [Rule.CATEGORY, Rule.OPEN]
