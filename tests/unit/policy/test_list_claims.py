# SPDX-License-Identifier: Apache-2.0
"""Claims of entries of every format on a name, its children, other types."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.lookalikes import LookalikeRule
from filterd.lists.rules import ListSource, Protection
from filterd.policy.engine import Engine
from filterd.policy.list_claims import DecisionTable, Listed, Lists, Ruling
from filterd.policy.model import Client
from filterd.policy.plain_sets import SetReader
from filterd.policy.verdict import Rule
from tests.support.policies import (
    CATEGORIES,
    NOW,
    a_category,
    a_client,
    a_grade,
    a_pin,
    a_policy,
    allow,
    an_index,
    wire,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.verdict import Verdict
    from tests.support.policies import ListTexts

A, AAAA = 1, 28


def _said(folder: Path, list_format: str, line: str, name: str, qtype: int = A) -> Listed:
    index = an_index(folder, {"list": ("games", list_format, False, [line])})
    lists = Lists(a_policy(), index)
    return lists.covering(a_grade("6"), wire(name), qtype, lists.lookup(wire(name)))


# (format, line, speaks at b.example, beneath it)
SCOPES = [
    ("hosts", "0.0.0.0 b.example", True, False),
    ("domains", "b.example", True, True),
    ("wildcard", "*.b.example", True, True),
    ("adblock", "||b.example^", True, True),
    ("adblock", "|b.example^", True, False),
    ("adblock", "||*.b.example^", False, True),
    ("adblock", "@@||b.example^", True, True),
    ("dnsmasq", "address=/b.example/", True, True),
    ("dnsmasq", "address=/*.b.example/", False, True),
    ("unbound", 'local-zone: "b.example." always_nxdomain', True, True),
    ("rpz", "b.example CNAME .", True, False),
    ("rpz", "*.b.example CNAME .", False, True),
]


@pytest.mark.parametrize(("list_format", "line", "at_self", "beneath"), SCOPES)
def test_scope_of_an_entry(
    list_format: str, line: str, at_self: bool, beneath: bool, tmp_path: Path
) -> None:
    def speaks(name: str) -> bool:
        return bool(_said(tmp_path, list_format, line, name).ranked)

    assert (speaks("b.example"), speaks("a.b.example"), speaks("x.a.b.example")) == (
        at_self,
        beneath,
        beneath,
    )
    assert not speaks("example")
    assert not speaks("ab.example")


@pytest.mark.parametrize(
    ("line", "types"),
    [
        ("||b.example^", {A, AAAA}),
        ("||b.example^$dnstype=A", {A}),
        ("||b.example^$dnstype=~A", {AAAA}),
        ("||b.example^$dnstype=A|AAAA", {A, AAAA}),
        ("@@||b.example^$dnstype=AAAA", {AAAA}),
    ],
)
def test_an_entry_speaks_of_its_types_only(line: str, types: set[int], tmp_path: Path) -> None:
    spoken = {t for t in (A, AAAA) if _said(tmp_path, "adblock", line, "b.example", t).ranked}
    assert spoken == types


@pytest.mark.parametrize(
    ("name", "speaks"),
    [("b.example", True), ("c.b.example", True), ("a.b.example", False), ("x.a.b.example", False)],
)
def test_a_denyallow_leaves_a_name_and_everything_beneath_it_alone(
    name: str, speaks: bool, tmp_path: Path
) -> None:
    line = "||b.example^$denyallow=a.b.example"
    assert bool(_said(tmp_path, "adblock", line, name).ranked) is speaks


# (line, name that is asked for type A, whether something may pass that an NXDOMAIN would deny)
MORE = [
    ("@@||a.b.example^", "b.example", True),
    ("@@||x.a.b.example^", "b.example", True),
    ("@@||b.example^", "b.example", False),
    ("@@||*.b.example^", "b.example", True),
    ("@@||*.b.example^", "a.b.example", False),
    ("@@||b.example^$dnstype=AAAA", "b.example", True),
    ("@@||b.example^$dnstype=AAAA", "a.b.example", True),
    ("@@|b.example^$dnstype=AAAA", "b.example", True),
    ("@@|b.example^$dnstype=AAAA", "a.b.example", False),
    ("@@||b.example^$denyallow=a.b.example", "a.b.example", False),
    ("||b.example^$denyallow=a.b.example", "b.example", True),
    ("||b.example^$dnstype=AAAA", "b.example", False),
]


@pytest.mark.parametrize(("line", "name", "expected"), MORE)
def test_exceptions_beneath_and_for_other_types_are_noticed(
    line: str, name: str, expected: bool, tmp_path: Path
) -> None:
    assert _said(tmp_path, "adblock", line, name).excepts_more is expected


@pytest.mark.parametrize(
    ("line", "entry", "whole"),
    [
        ("||b.example^", "b.example", True),
        ("|b.example^", "=b.example", False),
        ("||b.example^$dnstype=A", "b.example", False),
        ("||b.example^$denyallow=a.b.example", "b.example", False),
    ],
)
def test_an_entry_is_quoted_and_weighed(line: str, entry: str, whole: bool, tmp_path: Path) -> None:
    match = _said(tmp_path, "adblock", line, "b.example").ranked[0].match
    assert (match.entry, match.covers_subtree) == (entry, whole)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("b.example", False),
        ("a.b.example", False),
        ("c.b.example", True),
        ("y.a.b.example", True),
        ("cx.a.b.example", True),
    ],
)
def test_a_denyallow_is_felt_above_the_names_that_it_leaves_alone_and_nowhere_else(
    name: str, whole: bool, tmp_path: Path
) -> None:
    line = "||b.example^$denyallow=x.a.b.example"
    assert _said(tmp_path, "adblock", line, name).ranked[0].match.covers_subtree is whole


def test_every_list_that_names_a_name_speaks_with_its_own_line(tmp_path: Path) -> None:
    index = an_index(
        tmp_path,
        {
            "one": ("games", "domains", False, ["# comment", "b.example"]),
            "two": ("ads-trackers", "domains", True, ["b.example"]),
        },
    )
    lists = Lists(a_policy(), index)
    said = lists.covering(a_grade("6"), wire("a.b.example"), A, lists.lookup(wire("a.b.example")))
    provenance = [
        (s.match.list_id, s.match.line, s.match.rule, s.match.third_party) for s in said.ranked
    ]
    assert provenance == [("one", 2, Rule.CATEGORY, True), ("two", 1, Rule.OPEN, False)]


def test_longer_names_speak_first(tmp_path: Path) -> None:
    lines = ["b.example", "a.b.example"]
    index = an_index(tmp_path, {"list": ("games", "domains", False, lines)})
    lists = Lists(a_policy(), index)
    said = lists.covering(a_grade("6"), wire("a.b.example"), A, lists.lookup(wire("a.b.example")))
    assert [speaker.labels for speaker in said.ranked] == [3, 2]


LOOKALIKES = {"games": ["kubet#", "debet"]}


def _of_lookalikes(folder: Path, name: str, **guards: Any) -> Verdict:
    """Return what grade 6 gets, to which games are closed."""
    lists: ListTexts = {"listed": ("games", "domains", False, ["a.kubet7.example"])}
    policy = a_policy(**guards)
    engine = Engine(policy, an_index(folder, lists, lookalikes=LOOKALIKES))
    for _ in range(2):  # the second time as it is remembered
        verdict = engine.decide(a_client(policy), wire(name), A, NOW)
    return verdict


def test_a_look_alike_is_an_entry_for_the_registrable_domain(tmp_path: Path) -> None:
    for name in ("kubet77.example", "www.kubet77.example"):
        match = _of_lookalikes(tmp_path, name).match
        assert match is not None
        assert (match.rule, match.third_party) == (Rule.CATEGORY, True)
        assert (match.list_id, match.category) == ("lookalike:games", "games")
        assert (match.name, match.entry, match.line) == (wire("kubet77.example"), "~kubet#", 1)


GUESSED = ("porn", "malware", "games")
"""Two categories that are locked, and one that is closed to grade 6."""


@pytest.mark.parametrize("category", GUESSED)
@pytest.mark.parametrize("keeps", [frozenset[str](), frozenset(GUESSED)])
def test_what_a_look_alike_rule_alone_closes_is_closed_to_all_and_locked_to_none(
    tmp_path: Path, category: str, keeps: frozenset[str]
) -> None:
    policy = replace(a_policy(), kept_closed=keeps)
    index = an_index(tmp_path, {}, lookalikes={category: ["kubet#"]})
    match = Engine(policy, index).decide(a_client(policy), wire("kubet7.com"), A, NOW).match
    assert match is not None
    assert (match.rule, match.category, match.blocks) == (Rule.CATEGORY, category, True)
    opened = a_policy(rules=(allow("kubet7.com"),))
    verdict = Engine(opened, index).decide(a_client(opened), wire("kubet7.com"), A, NOW)
    assert not verdict.blocked


def test_a_look_alike_rule_of_lists_beside_a_feed_locks_nothing_either(tmp_path: Path) -> None:
    policy = a_policy()
    rules = (LookalikeRule(b"kubet#", 3, frozenset([wire("com")])),)
    source = ListSource("web:lookalike:porn", "porn", "domains", "", names=(), lookalikes=rules)
    compile_lists([source], target=tmp_path / "index", now=NOW)
    engine = Engine(policy, Index.open(tmp_path / "index"))
    match = engine.decide(a_client(policy), wire("kubet7.com"), A, NOW).match
    assert match is not None
    assert match.rule is Rule.CATEGORY


@pytest.mark.control
def test_control_the_same_name_on_a_list_is_locked(tmp_path: Path) -> None:
    policy = a_policy(rules=(allow("kubet7.com"),))
    lists: ListTexts = {"listed": ("porn", "domains", False, ["kubet7.com"])}
    index = an_index(tmp_path, lists, lookalikes={"porn": ["kubet#"]})
    match = Engine(policy, index).decide(a_client(policy), wire("kubet7.com"), A, NOW).match
    assert match is not None
    assert (match.rule, match.list_id) == (Rule.LOCKED, "listed")


def test_verdicts_on_look_alikes_of_one_rule_have_their_own_names(tmp_path: Path) -> None:
    policy = a_policy()
    engine = Engine(policy, an_index(tmp_path, {}, lookalikes=LOOKALIKES))
    for name in ("kubet1.example", "kubet2.example"):
        match = engine.decide(a_client(policy), wire(name), A, NOW).match
        assert match is not None
        assert match.name == wire(name)


def test_a_listed_name_is_reported_before_the_look_alike_above_it(tmp_path: Path) -> None:
    verdict = _of_lookalikes(tmp_path, "a.kubet7.example")
    assert verdict.match is not None
    assert verdict.next_match is not None
    assert (verdict.match.list_id, verdict.next_match.list_id) == ("listed", "lookalike:games")


@pytest.mark.parametrize(
    "guards",
    [
        {"protections": [Protection(wire("kubet7.example"))]},
        {"protections": [Protection(wire("kubet7.example"), entry_only=True)]},
        {"pins": [a_pin("kubet7.example")]},
        {"rules": [allow("kubet7.example")]},
    ],
)
def test_what_holds_against_lists_holds_against_look_alikes(
    tmp_path: Path, guards: dict[str, Any]
) -> None:
    assert not _of_lookalikes(tmp_path, "kubet7.example", **guards).blocked
    assert _of_lookalikes(tmp_path, "kubet8.example", **guards).blocked


def _rulings(
    folder: Path, category: str, grade: str, *, own: bool, line: str, list_id: str = "list"
) -> list[Ruling]:
    index = an_index(folder, {list_id: (category, "adblock", own, [line])})
    (hit,) = index.lookup(wire("site.example"))
    table = DecisionTable(a_policy(), index)
    return list(table.rulings(a_grade(grade), hit.set_id))


@pytest.mark.parametrize(
    ("category", "own", "grade", "rule"),
    [
        ("law-ordered", True, "staff", Rule.LOCKED),  # only the authority orders
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


@pytest.mark.parametrize(
    ("category", "rule"), [("law-ordered", Rule.ORDERED), ("porn", Rule.LOCKED)]
)
def test_a_list_that_the_authority_has_signed_is_an_order_in_a_category_of_orders(
    category: str, rule: Rule, tmp_path: Path
) -> None:
    line = "||site.example^"
    (ruling,) = _rulings(tmp_path, category, "staff", own=True, line=line, list_id="order:2026-1")
    assert ruling.rule is rule


@pytest.mark.parametrize("category", ["law-ordered", "porn", "games", "category-of-tomorrow"])
def test_an_exception_is_one_in_every_category(category: str, tmp_path: Path) -> None:
    (ruling,) = _rulings(tmp_path, category, "6", own=True, line="@@||site.example^")
    assert ruling.rule is Rule.LIST_EXCEPTION


@pytest.mark.parametrize("lists", [("games", "self-harm"), ("self-harm", "games")])
def test_of_several_categories_that_close_a_name_a_confidential_one_decides(
    lists: tuple[str, str], tmp_path: Path
) -> None:
    listed = {f"of-{one}": (one, "domains", False, ["site.example"]) for one in lists}
    index = an_index(tmp_path, listed)
    policy = a_policy(categories={**CATEGORIES, "self-harm": a_category("self-harm", 18)})
    grade = policy.grades["6"]
    (hit,) = index.lookup(wire("site.example"))
    first, second = DecisionTable(policy, index).rulings(grade, hit.set_id)
    assert (first.category, second.category) == ("self-harm", "games")
    client = Client(grade, None)
    verdict = Engine(policy, index).decide(client, wire("www.site.example"), 1, NOW)
    plain = SetReader(policy, index).read(grade, hit.set_id)
    assert plain is not None
    assert plain.verdict is not None
    for one in (verdict, plain.verdict):
        assert one.match is not None
        assert one.match.category == "self-harm"


def test_markers_rule_nothing_and_are_distinguished(tmp_path: Path) -> None:
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


def test_a_set_states_whether_it_leaves_names_alone(tmp_path: Path) -> None:
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


def test_an_entry_that_reaches_a_name_is_heard_after_one_that_does_not(tmp_path: Path) -> None:
    lists = {
        "apart": ("games", "adblock", False, ["||a.example^$denyallow=www.a.example"]),
        "whole": ("porn", "domains", False, ["a.example"]),
    }
    policy = a_policy()
    index = an_index(tmp_path, lists)
    found = Lists(policy, index)
    name = wire("www.a.example")
    listed = found.covering(policy.grades["6"], name, 1, found.lookup(name))
    assert [one.match.list_id for one in listed.ranked] == ["whole"]
