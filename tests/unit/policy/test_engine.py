# SPDX-License-Identifier: Apache-2.0
"""The order of rules as one table, and the answers that blocks get.

Everything in the table is said of ``site.example``, some of it also of names
above and beneath. Grade 6 asks: it is eleven years old, games are closed to it.
That no other order would do is shown by ``tests/twins/test_decisions.py``.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.engine import Engine
from filterd.policy.model import Audience, BlockResponse, DelegatedZone, LocalZone
from filterd.policy.verdict import PASSED, Action, Rule
from tests.support.policies import (
    CATEGORIES,
    NOW,
    a_category,
    a_client,
    a_pin,
    a_policy,
    a_protection,
    allow,
    an_engine,
    an_index,
    block,
    wire,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import LocalRule
    from filterd.policy.verdict import Verdict

SITE = "site.example"
A, AAAA, TXT, HTTPS, ANY = 1, 28, 16, 65, 255

SAYINGS = {
    "pin": a_pin(SITE),
    "protection": a_protection(SITE),
    "protection but games": a_protection(SITE, but=["games"]),
    "local allow": allow(SITE),
    "local block": block(SITE),
    "order": ("law-ordered", True, f"||{SITE}^"),
    "own ordered": ("law-ordered", True, f"||{SITE}^"),
    "order of a third party": ("law-ordered", False, f"||{SITE}^"),
    "locked": ("porn", False, f"||{SITE}^"),
    "own locked": ("porn", True, f"||{SITE}^"),
    "closed": ("games", False, f"||{SITE}^"),
    "own closed": ("games", True, f"||{SITE}^"),
    "important closed": ("games", False, f"||{SITE}^$important"),
    "unknown category": ("tomorrow", False, f"||{SITE}^"),
    "open": ("ads-trackers", False, f"||{SITE}^"),
    "exception": ("games", False, f"@@||{SITE}^"),
    "important exception": ("games", False, f"@@||{SITE}^$important"),
    "exception of locked": ("porn", False, f"@@||{SITE}^"),
    "exception of open": ("ads-trackers", False, f"@@||{SITE}^"),
}
"""Words of the table: pins, protections, local rules, or a list's category, own, and line."""

PASS, BLOCK = Action.PASS, Action.NXDOMAIN

TABLE: list[tuple[str, Action, Rule | None, Rule | None]] = [
    # said of the name, action, what decides, what would decide without it
    ("", PASS, None, None),
    # one speaker
    ("pin", PASS, Rule.PIN, None),
    ("order", BLOCK, Rule.ORDERED, None),
    ("protection", PASS, None, None),
    ("locked", BLOCK, Rule.LOCKED, None),
    ("local allow", PASS, Rule.LOCAL, None),
    ("local block", BLOCK, Rule.LOCAL, None),
    ("exception", PASS, None, None),
    ("closed", BLOCK, Rule.CATEGORY, None),
    ("unknown category", BLOCK, Rule.CATEGORY, None),
    ("open", PASS, Rule.OPEN, None),
    # a pin outranks everything
    ("pin, order", PASS, Rule.PIN, Rule.ORDERED),
    ("pin, locked", PASS, Rule.PIN, Rule.LOCKED),
    ("pin, local block", PASS, Rule.PIN, Rule.LOCAL),
    ("pin, closed", PASS, Rule.PIN, Rule.CATEGORY),
    ("pin, protection, locked", PASS, Rule.PIN, Rule.PROTECTED),
    # an order outranks everything else
    ("order, protection", BLOCK, Rule.ORDERED, None),
    ("order, protection, locked", BLOCK, Rule.ORDERED, Rule.PROTECTED),
    ("order, own locked", BLOCK, Rule.ORDERED, Rule.LOCKED),
    ("order, local allow", BLOCK, Rule.ORDERED, Rule.LOCAL),
    ("order, exception", BLOCK, Rule.ORDERED, None),
    ("order, closed", BLOCK, Rule.ORDERED, Rule.CATEGORY),
    # nobody but the publisher gives orders
    ("order of a third party", BLOCK, Rule.LOCKED, None),
    ("own ordered", BLOCK, Rule.LOCKED, None),
    ("own ordered, local allow", BLOCK, Rule.LOCKED, Rule.LOCAL),
    ("protection, own ordered", BLOCK, Rule.LOCKED, None),
    ("order of a third party, local allow", BLOCK, Rule.LOCKED, Rule.LOCAL),
    ("order of a third party, protection", PASS, Rule.PROTECTED, Rule.LOCKED),
    # protection defeats lists of third parties, locked or not, and nothing else
    ("protection, locked", PASS, Rule.PROTECTED, Rule.LOCKED),
    ("protection, closed", PASS, Rule.PROTECTED, Rule.CATEGORY),
    ("protection, unknown category", PASS, Rule.PROTECTED, Rule.CATEGORY),
    ("protection, open", PASS, Rule.OPEN, None),
    ("protection, own locked", BLOCK, Rule.LOCKED, None),
    ("protection, own closed", BLOCK, Rule.CATEGORY, None),
    ("protection, own closed, closed", BLOCK, Rule.CATEGORY, Rule.PROTECTED),
    ("protection, own locked, locked", BLOCK, Rule.LOCKED, Rule.PROTECTED),
    ("protection, local block", BLOCK, Rule.LOCAL, None),
    ("protection, local block, locked", BLOCK, Rule.LOCAL, Rule.PROTECTED),
    ("protection, local allow", PASS, Rule.LOCAL, None),
    ("protection, local allow, locked", PASS, Rule.PROTECTED, Rule.LOCKED),
    ("protection, local allow, closed", PASS, Rule.PROTECTED, Rule.LOCAL),
    ("protection, local allow, own closed", PASS, Rule.LOCAL, Rule.CATEGORY),
    ("protection, exception, closed", PASS, Rule.PROTECTED, Rule.LIST_EXCEPTION),
    ("protection but games, closed", BLOCK, Rule.CATEGORY, None),
    ("protection but games, locked", PASS, Rule.PROTECTED, Rule.LOCKED),
    ("protection but games, closed, locked", BLOCK, Rule.CATEGORY, Rule.PROTECTED),
    # a locked category outranks the site and every exception
    ("locked, local allow", BLOCK, Rule.LOCKED, Rule.LOCAL),
    ("locked, local block", BLOCK, Rule.LOCKED, Rule.LOCAL),
    ("locked, exception of locked", BLOCK, Rule.LOCKED, None),
    ("locked, closed", BLOCK, Rule.LOCKED, Rule.CATEGORY),
    # the site outranks exceptions and closed categories
    ("local allow, local block", BLOCK, Rule.LOCAL, Rule.LOCAL),
    ("local allow, closed", PASS, Rule.LOCAL, Rule.CATEGORY),
    ("local allow, important closed", PASS, Rule.LOCAL, Rule.CATEGORY),
    ("local allow, exception, closed", PASS, Rule.LOCAL, Rule.LIST_EXCEPTION),
    ("local block, exception", BLOCK, Rule.LOCAL, None),
    ("local block, exception, closed", BLOCK, Rule.LOCAL, Rule.LIST_EXCEPTION),
    ("local block, closed", BLOCK, Rule.LOCAL, Rule.CATEGORY),
    ("local block, open", BLOCK, Rule.LOCAL, Rule.OPEN),
    ("local allow, open", PASS, Rule.LOCAL, Rule.OPEN),
    # an exception outranks closed lists of its own category
    ("exception, closed", PASS, Rule.LIST_EXCEPTION, Rule.CATEGORY),
    ("exception, own closed", PASS, Rule.LIST_EXCEPTION, Rule.CATEGORY),
    ("exception of open, closed", BLOCK, Rule.CATEGORY, None),
    ("exception, closed, unknown category", BLOCK, Rule.CATEGORY, Rule.LIST_EXCEPTION),
    ("exception, important closed", BLOCK, Rule.CATEGORY, None),
    ("important exception, important closed", PASS, Rule.LIST_EXCEPTION, Rule.CATEGORY),
    ("exception, closed, open", PASS, Rule.LIST_EXCEPTION, Rule.CATEGORY),
    # of two lists the closed one counts
    ("closed, open", BLOCK, Rule.CATEGORY, Rule.OPEN),
]


@pytest.mark.parametrize(("said", "action", "match", "next_match"), TABLE)
def test_order_of_rules(
    said: str, action: Action, match: Rule | None, next_match: Rule | None, tmp_path: Path
) -> None:
    verdict = _ask(_engine_saying(tmp_path, said, ""), SITE)
    rule, following = (each and each.rule for each in (verdict.match, verdict.next_match))
    assert (verdict.action, rule, following) == (action, match, next_match)


@pytest.mark.parametrize(
    "neighbours",
    [
        ("pin", "order"),
        ("order", "protection"),
        ("protection", "locked"),
        ("protection", "own locked"),
        ("locked", "local allow"),
        ("locked", "local block"),
        ("local allow", "exception"),
        ("local block", "exception"),
        ("exception", "closed"),
        ("closed", "open"),
    ],
    ids=" before ".join,
)
def test_the_table_has_a_row_for_both_neighbours_in_the_order(neighbours: tuple[str, str]) -> None:
    assert any(set(neighbours) <= set(said.split(", ")) for said, *_ in TABLE)


def _blocked_by(
    folder: Path, *lines: str, response: BlockResponse = BlockResponse.NXDOMAIN, **policy: Any
) -> Engine:
    """Return an engine with one list of games; ``policy`` goes to ``a_policy``."""
    lists = {"games": ("games", "adblock", False, list(lines))}
    return an_engine(folder, lists, a_policy(response=response, **policy))


def _ask(engine: Engine, name: str, qtype: int = A) -> Verdict:
    return engine.decide(a_client(engine.policy), wire(name), qtype, NOW)


SUBTREE = f"||{SITE}^"


def test_a_name_without_a_rule_passes_and_costs_no_verdict_of_its_own(
    tmp_path: Path,
) -> None:
    assert _ask(_blocked_by(tmp_path, SUBTREE), "other.example") is PASSED


def test_a_verdict_has_its_whole_provenance(tmp_path: Path) -> None:
    engine = _blocked_by(tmp_path, "! a comment", "||*.site.example^")
    match = _ask(engine, "www.site.example").match
    assert match
    assert (match.category, match.list_id, match.line) == ("games", "games", 2)
    assert (match.entry, match.name) == ("*.site.example", wire(SITE))


def test_what_is_remembered_of_one_name_has_another_s_provenance(tmp_path: Path) -> None:
    engine = _blocked_by(tmp_path, "||one.example^", "! a comment", "||two.example^")
    one, two = _ask(engine, "one.example"), _ask(engine, "a.two.example")
    again = _ask(engine, "b.one.example")
    matches = [(v.match and v.match.name, v.match and v.match.line) for v in (one, two, again)]
    assert matches == [(wire("one.example"), 1), (wire("two.example"), 3), (wire("one.example"), 1)]
    assert len(engine._known) == 2


def test_provenance_is_that_of_the_lists_that_decided_though_others_are_in_force(
    tmp_path: Path,
) -> None:
    """It is read on request, from an index that a reload may have replaced by then."""
    verdict = _ask(_blocked_by(tmp_path, "! a comment", "||one.example^"), "www.one.example")
    _blocked_by(tmp_path, "||another.example^", "||one.example^$important")
    gc.collect()
    match = verdict.match
    assert match
    assert (match.name, match.line, match.entry) == (wire("one.example"), 2, "one.example")


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filterd.policy.engine._MOST_KNOWN", 3)
    engine = _blocked_by(tmp_path, SUBTREE)
    for qtype in range(100, 200):
        assert _ask(engine, SITE, qtype).blocked
        assert len(engine._known) <= 3


def test_names_that_an_entry_leaves_alone_keep_others_from_being_remembered(tmp_path: Path) -> None:
    engine = _blocked_by(tmp_path, f"||{SITE}^$denyallow=a.{SITE}")
    assert [_ask(engine, name).blocked for name in (f"b.{SITE}", f"a.{SITE}")] == [True, False]
    assert not engine._known


def test_remembered_verdicts_distinguish_names_beneath(tmp_path: Path) -> None:
    lines = ["||one.example^", "||two.example^"]
    engine = _blocked_by(tmp_path, *lines, rules=[allow("a.two.example")])
    actions = [_ask(engine, name).action for name in ("one.example", "two.example", "one.example")]
    assert actions == [Action.NXDOMAIN, Action.NODATA, Action.NXDOMAIN]


LINES = st.sampled_from(
    [
        f"{before}{name}^{behind}"
        for before in ("||", "|", "||*.", "@@||", "@@|", "@@||*.")
        for name in ("a.example", "b.example", "www.a.example", "www.b.example")
        for behind in ("", "$important", "$dnstype=A", "$dnstype=~A", "$denyallow=www.a.example")
    ]
)
QUESTIONS = st.tuples(
    st.sampled_from(["1", "6", "staff"]),
    st.sampled_from(["a", "b", "www.a", "www.b", "x.www.a", "x.www.b", "x.a", "c"]),
    st.sampled_from([A, AAAA, HTTPS]),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(LINES, min_size=1, max_size=6),
    st.lists(LINES, max_size=3),
    st.lists(QUESTIONS, min_size=2, max_size=20),
    st.sampled_from(BlockResponse),
)
def test_an_engine_with_memory_decides_as_one_without(
    tmp_path_factory: pytest.TempPathFactory,
    games: list[str],
    porn: list[str],
    questions: list[tuple[str, str, int]],
    response: BlockResponse,
) -> None:
    lists = {"games": ("games", "adblock", False, games), "porn": ("porn", "adblock", True, porn)}
    policy = a_policy(response=response, rules=[allow("y.b.example")])
    remembering = an_engine(tmp_path_factory.mktemp("lists"), lists, policy)
    for grade, name, qtype in questions:
        asked = a_client(policy, grade), wire(f"{name}.example"), qtype, NOW
        anew = Engine(policy, remembering.index)
        assert remembering.decide(*asked) == anew.decide(*asked)


# A block of all there is at and beneath a name is an NXDOMAIN; NODATA where that
# would deny something else: (lines, guards and rules, name, action).
DENIALS: list[tuple[list[str], dict[str, Any], str, Action]] = [
    ([SUBTREE], {}, SITE, Action.NXDOMAIN),
    ([SUBTREE], {}, f"www.{SITE}", Action.NXDOMAIN),
    (["||*.site.example^"], {}, f"www.{SITE}", Action.NXDOMAIN),
    ([f"|{SITE}^"], {}, SITE, Action.NODATA),
    ([f"|{SITE}^", SUBTREE], {}, SITE, Action.NXDOMAIN),
    ([f"|{SITE}^"], {"rules": [block(SITE)]}, SITE, Action.NXDOMAIN),
    ([f"{SUBTREE}$dnstype=A"], {}, SITE, Action.NODATA),
    ([f"{SUBTREE}$denyallow=a.{SITE}"], {}, SITE, Action.NODATA),
    # something beneath may pass
    ([SUBTREE, f"@@||a.{SITE}^"], {}, SITE, Action.NODATA),
    ([SUBTREE, f"@@||a.b.{SITE}^"], {}, f"b.{SITE}", Action.NODATA),
    ([SUBTREE, f"@@||a.{SITE}^"], {}, f"b.{SITE}", Action.NXDOMAIN),
    ([SUBTREE, f"@@||*.{SITE}^"], {}, SITE, Action.NODATA),
    ([SUBTREE], {"pins": [a_pin(f"a.{SITE}")]}, SITE, Action.NODATA),
    ([SUBTREE], {"protections": [a_protection(f"a.{SITE}")]}, SITE, Action.NODATA),
    ([SUBTREE], {"rules": [allow(f"a.{SITE}")]}, SITE, Action.NODATA),
    ([SUBTREE], {"rules": [allow(f"a.{SITE}", ends_at=NOW - 1)]}, SITE, Action.NODATA),
    ([SUBTREE], {"rules": [block(f"a.{SITE}")]}, SITE, Action.NXDOMAIN),
    ([SUBTREE], {"rules": [allow(f"a.{SITE}")]}, f"b.{SITE}", Action.NXDOMAIN),
    # another type may pass
    ([SUBTREE, f"@@{SUBTREE}$dnstype=AAAA"], {}, SITE, Action.NODATA),
    ([SUBTREE, f"@@|{SITE}^$dnstype=AAAA"], {}, SITE, Action.NODATA),
    ([SUBTREE, f"@@|{SITE}^$dnstype=AAAA"], {}, f"www.{SITE}", Action.NXDOMAIN),
    ([SUBTREE, f"@@||{SITE}^$dnstype=AAAA"], {}, f"www.{SITE}", Action.NODATA),
]


@pytest.mark.parametrize(("lines", "policy", "name", "action"), DENIALS)
def test_no_block_denies_what_may_pass(
    lines: list[str], policy: dict[str, Any], name: str, action: Action, tmp_path: Path
) -> None:
    assert _ask(_blocked_by(tmp_path, *lines, **policy), name).action is action


@pytest.mark.parametrize("qtype", [A, AAAA, TXT, HTTPS, ANY])
def test_a_sinkhole_answers_addresses_and_nothing_else(qtype: int, tmp_path: Path) -> None:
    engine = _blocked_by(tmp_path, SUBTREE, response=BlockResponse.SINKHOLE)
    expected = Action.SINKHOLE if qtype in (A, AAAA) else Action.NODATA
    assert _ask(engine, SITE, qtype).action is expected


def test_a_grade_may_get_nodata_for_everything(tmp_path: Path) -> None:
    engine = _blocked_by(tmp_path, SUBTREE, response=BlockResponse.NODATA)
    assert _ask(engine, SITE).action is Action.NODATA


def test_names_of_outside_resolvers_are_never_sinkholed(tmp_path: Path) -> None:
    policy = a_policy(
        categories={"encrypted-dns": a_category("encrypted-dns", 18, sinkhole=False)},
        response=BlockResponse.SINKHOLE,
    )
    lists = {"doh": ("encrypted-dns", "domains", False, [SITE])}
    assert _ask(an_engine(tmp_path, lists, policy), SITE).action is Action.NXDOMAIN


@pytest.mark.parametrize("also_closed", [(), ("encrypted-dns",)])
def test_they_are_not_where_the_school_blocks_them_itself_either(
    also_closed: tuple[str, ...], tmp_path: Path
) -> None:
    policy = a_policy(
        categories={"encrypted-dns": a_category("encrypted-dns", sinkhole=False)},
        also_closed=also_closed,
        response=BlockResponse.SINKHOLE,
        rules=[block(SITE), block("other.example")],
    )
    engine = an_engine(tmp_path, {"doh": ("encrypted-dns", "domains", True, [SITE])}, policy)
    verdict = _ask(engine, SITE)
    assert verdict.match is not None
    assert (verdict.match.rule, verdict.action) == (Rule.LOCAL, Action.NXDOMAIN)
    assert _ask(engine, "other.example").action is Action.SINKHOLE


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(qtype=st.integers(1, 65535), response=st.sampled_from(BlockResponse))
def test_all_types_of_a_name_get_one_result(
    qtype: int, response: BlockResponse, tmp_path: Path
) -> None:
    engine = _blocked_by(tmp_path, SUBTREE, "|host.example^", response=response)
    for name in (SITE, f"www.{SITE}", "host.example"):
        one, other = _ask(engine, name, TXT), _ask(engine, name, qtype)
        assert other.match == one.match
        sinkholed = response is BlockResponse.SINKHOLE and qtype in (A, AAAA)
        assert other.action is (Action.SINKHOLE if sinkholed else one.action)


@pytest.mark.parametrize(
    ("grade", "blocked"),
    [("preschool", True), ("1", True), ("6", True), ("7", True), ("8", False), ("staff", False)],
)
def test_a_category_for_thirteen_opens_at_grade_eight(
    grade: str, blocked: bool, tmp_path: Path
) -> None:
    lists = {"social": ("social-media", "domains", False, [SITE])}
    engine = an_engine(tmp_path, lists, a_policy())
    verdict = engine.decide(a_client(engine.policy, grade), wire(SITE), A, NOW)
    assert verdict.blocked is blocked


# The qname passes by what the first column says of it; the second is said of the
# target that its answer leads to.
COVERS: list[tuple[str, str, bool]] = [
    ("", "closed", True),
    ("", "exception, closed", False),
    ("pin", "closed", False),
    ("pin", "locked", False),
    ("pin", "order", False),
    ("pin", "local block", False),
    ("protection", "closed", False),
    ("protection", "locked", False),
    ("protection", "own closed", True),
    ("protection", "own closed, locked", True),
    ("protection", "order", True),
    ("protection", "local block", True),
    ("protection but games", "closed", True),
    ("protection but games", "locked", False),
    ("local allow", "closed", False),
    ("local allow", "own closed", False),
    ("local allow", "important closed", False),
    ("local allow", "local block", False),
    ("local allow", "locked", True),
    ("local allow", "order", True),
    ("local allow, protection", "own closed, locked", False),
    ("local allow, protection", "own locked", True),
    ("exception, closed", "closed", True),
    ("open", "closed", True),
]


@pytest.mark.parametrize(("of_qname", "of_target", "blocked"), COVERS)
def test_what_lets_a_qname_through_covers_its_chain(
    of_qname: str, of_target: str, blocked: bool, tmp_path: Path
) -> None:
    engine, target = _engine_saying(tmp_path, of_qname, of_target), wire("target.example")
    client = a_client(engine.policy)
    covering = engine.decide(client, wire(SITE), A, NOW)
    assert not covering.blocked
    judged = engine.decide_target(client, covering, target, A, NOW)
    assert judged.action is (Action.NODATA if blocked else Action.PASS)


@pytest.mark.parametrize("of_target", ["pin", "protection", "local allow", "exception"])
def test_an_allowed_target_never_covers_the_qname(of_target: str, tmp_path: Path) -> None:
    engine = _engine_saying(tmp_path, "closed", of_target)
    assert _ask(engine, SITE).blocked


def test_a_covered_target_names_both_rules(tmp_path: Path) -> None:
    engine = _engine_saying(tmp_path, "local allow", "closed")
    covering = _ask(engine, SITE)
    client = a_client(engine.policy)
    judged = engine.decide_target(client, covering, wire("target.example"), A, NOW)
    assert (judged.match, judged.next_match and judged.next_match.rule) == (
        covering.match,
        Rule.CATEGORY,
    )


SOON, LATER, BEFORE = NOW + 60, NOW + 600, NOW - 60


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], None),
        ([allow(SITE)], None),
        ([allow(SITE, ends_at=SOON)], SOON),
        ([allow(SITE, starts_at=BEFORE, ends_at=SOON)], SOON),
        ([allow(SITE, starts_at=SOON, ends_at=LATER)], SOON),
        ([allow(SITE, starts_at=BEFORE)], None),
        ([block(SITE, ends_at=NOW)], None),
        ([allow(SITE, ends_at=LATER), block("example", starts_at=SOON)], SOON),
        ([allow(SITE, Audience.GRADE, "7", ends_at=SOON)], None),
        ([allow(SITE, Audience.TIER, "lower-secondary", ends_at=SOON)], SOON),
        ([allow(f"www.{SITE}", ends_at=SOON)], None),
    ],
)
def test_a_verdict_holds_until_the_next_edge_of_a_rule_for_this_client(
    rules: list[LocalRule], expected: float | None, tmp_path: Path
) -> None:
    assert _ask(_blocked_by(tmp_path, SUBTREE, rules=rules), SITE).valid_until == expected


@pytest.mark.parametrize(
    ("now", "blocked"), [(SOON - 1, True), (SOON, False), (LATER - 1, False), (LATER, True)]
)
def test_a_rule_holds_from_its_begin_to_just_before_its_end(
    now: float, blocked: bool, tmp_path: Path
) -> None:
    engine = _blocked_by(tmp_path, SUBTREE, rules=[allow(SITE, starts_at=SOON, ends_at=LATER)])
    assert engine.decide(a_client(engine.policy), wire(SITE), A, now).blocked is blocked


def _engine_saying(folder: Path, of_site: str, of_target: str) -> Engine:
    """Return an engine to which this is said of ``site.example`` and of ``target.example``."""
    sayings: list[tuple[str, str, Any]] = [
        (where, word, SAYINGS[word])
        for where, said in ((SITE, of_site), ("target.example", of_target))
        for word in said.split(", ")
        if word
    ]

    def moved(wanted: str) -> list[Any]:
        return [
            replace(one, name=wire(where))
            for where, word, one in sayings
            if word.startswith(wanted)
        ]

    policy = a_policy(pins=moved("pin"), protections=moved("protection"), rules=moved("local"))
    lists = {
        f"order:{where}" if word == "order" else f"{word}-of-{where}".replace(" ", "-"): (
            one[0],
            "adblock",
            one[1],
            [one[2].replace(SITE, where)],
        )
        for where, word, one in sayings
        if isinstance(one, tuple)
    }
    return Engine(policy, an_index(folder, lists))


TWIN = wire("safe.example")


@pytest.mark.parametrize("qtype", [A, AAAA, TXT, HTTPS])
@pytest.mark.parametrize(
    ("said", "rewritten"),
    [
        ("", True),
        ("open", True),
        ("local allow", True),
        ("local allow, closed", True),
        ("protection, closed", True),
        ("exception, closed", True),
        ("pin", False),
        ("pin, closed", False),
    ],
)
def test_a_name_that_passes_is_answered_by_its_twin(
    said: str, rewritten: bool, qtype: int, tmp_path: Path
) -> None:
    verdict = _ask(_rewriting(tmp_path, said), SITE, qtype)
    expected = rewritten and qtype != TXT
    assert verdict.action is (Action.REWRITE if expected else Action.PASS)
    assert verdict.target == (TWIN if expected else None)


@pytest.mark.parametrize("said", ["closed", "locked", "local block", "order", "own closed"])
def test_a_block_goes_before_a_twin(said: str, tmp_path: Path) -> None:
    verdict = _ask(_rewriting(tmp_path, said), SITE)
    assert (verdict.action, verdict.target) == (Action.NXDOMAIN, None)


def test_a_target_is_never_replaced_by_a_twin(tmp_path: Path) -> None:
    engine = _rewriting(tmp_path, "")
    client = a_client(engine.policy)
    assert not engine.decide_target(client, PASSED, wire(SITE), A, NOW).blocked


def _rewriting(folder: Path, said: str) -> Engine:
    """Return an engine of a school whose grades all have the safe mode on."""
    engine = _engine_saying(folder, said, "")
    policy = engine.policy
    grades = {name: replace(grade, safe_search="on") for name, grade in policy.grades.items()}
    rewrites = (SafeSearchRewrite("safe_search", "on", TWIN, (wire(SITE),)),)
    return Engine(replace(policy, grades=grades, rewrites=rewrites), engine.index)


def _examined(folder: Path, response: BlockResponse = BlockResponse.NXDOMAIN) -> tuple[Engine, Any]:
    """Return an engine, and a client that sees only what something lets through."""
    policy = a_policy(
        rules=[allow("deep.allowed.example")],
        protections=[a_protection("protected.example")],
        local_zones=[LocalZone(wire("school.lan"), ())],
        delegated_zones=[DelegatedZone(wire("ad.school.example"), ())],
        response=response,
    )
    engine = an_engine(folder, {"ads": ("ads-trackers", "domains", False, ["ad.test"])}, policy)
    client = a_client(policy)
    return engine, replace(client, grade=replace(client.grade, allow_only=True))


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("new.example", Action.NXDOMAIN),
        ("ad.test", Action.NXDOMAIN),
        ("protected.example", Action.NXDOMAIN),
        ("allowed.example", Action.NODATA),
        ("example", Action.NODATA),
        ("school.example", Action.NODATA),
        ("deep.allowed.example", Action.PASS),
        ("pc.ad.school.example", Action.PASS),
        ("printer.school.lan", Action.PASS),
    ],
)
def test_a_client_with_allowed_names_only_has_those_and_the_school_s_own(
    name: str, action: Action, tmp_path: Path
) -> None:
    engine, client = _examined(tmp_path)
    verdict = engine.decide(client, wire(name), A, NOW)
    assert verdict.action is action
    assert verdict.match is None or verdict.match.rule is not Rule.ALLOW_ONLY or verdict.blocked
    free = replace(client, grade=replace(client.grade, allow_only=False))
    assert not engine.decide(free, wire(name), A, NOW).blocked


def test_a_target_that_nothing_lets_through_is_blocked_unless_it_is_covered(
    tmp_path: Path,
) -> None:
    engine, client = _examined(tmp_path, BlockResponse.SINKHOLE)
    passed = engine.decide(client, wire("deep.allowed.example"), A, NOW)
    assert not engine.decide_target(client, passed, wire("cdn.example"), A, NOW).blocked
    assert engine.decide_target(client, PASSED, wire("cdn.example"), A, NOW).blocked
    assert engine.decide(client, wire("new.example"), A, NOW).action is Action.SINKHOLE


def test_what_was_decided_for_a_grade_is_not_said_of_its_variants(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, {"games": ("games", "domains", False, [SITE])}, a_policy())
    client = a_client(engine.policy)
    variant = replace(client.grade, closed=frozenset[str](), variant="lab")
    asking = (client, replace(client, grade=variant), client)
    blocked = [engine.decide(one, wire(SITE), A, NOW).blocked for one in asking]
    assert blocked == [True, False, True]


@pytest.mark.parametrize("exam", ["", "7"])
def test_what_closes_all_else_names_the_exam_that_it_is_of(exam: str, tmp_path: Path) -> None:
    engine, client = _examined(tmp_path)
    client = replace(client, grade=replace(client.grade, exam=exam))
    match = engine.decide(client, wire("new.example"), A, NOW).match
    assert match is not None
    assert (match.rule, match.local_id) == (Rule.ALLOW_ONLY, f"exam:{exam}" if exam else "")


def test_the_zone_of_leases_is_the_school_s_own(tmp_path: Path) -> None:
    engine, client = _examined(tmp_path)
    leases = Engine(replace(engine.policy, lease_zone=wire("lan.example")), engine.index)
    assert leases.decide(client, wire("pc.lan.example"), A, NOW).action is Action.PASS
    assert engine.decide(client, wire("pc.lan.example"), A, NOW).blocked


def test_names_are_alike_by_the_entries_that_they_meet_and_by_where(tmp_path: Path) -> None:
    lists = {"games": ("games", "domains", False, [SITE, "other.example"])}
    guarded = a_policy(pins=[a_pin("pinned.example", subtree=True)], rules=[allow("own.example")])
    engine = an_engine(tmp_path, lists, guarded)
    key = {
        name: engine.alike(wire(name))
        for name in (SITE, "other.example", f"www.{SITE}", "new.example", "a.new.example")
    }
    assert key[SITE] == key["other.example"] != key[f"www.{SITE}"]
    assert key["new.example"] == key["a.new.example"] != key[SITE]
    assert engine.alike(wire("own.example")) is None
    assert engine.alike(wire("a.pinned.example")) != key["new.example"]


@pytest.mark.parametrize(
    ("response", "category", "action"),
    [
        (BlockResponse.NXDOMAIN, "around", Action.NXDOMAIN),
        (BlockResponse.SINKHOLE, "around", Action.NXDOMAIN),
        (BlockResponse.SINKHOLE, "porn", Action.SINKHOLE),
        (BlockResponse.NODATA, "around", Action.NODATA),
    ],
)
def test_a_response_is_that_of_the_grade_but_for_outside_resolvers(
    response: BlockResponse, category: str, action: Action, tmp_path: Path
) -> None:
    around = a_category("around", locked=True, sinkhole=False)
    policy = a_policy(categories=CATEGORIES | {"around": around}, response=response)
    engine = an_engine(tmp_path, {"x": (category, "adblock", False, [SUBTREE])}, policy)
    assert engine.decide(a_client(policy), wire(SITE), A, NOW).action is action


def test_names_beneath_one_guard_are_alike_by_it_and_by_what_lists_say(tmp_path: Path) -> None:
    guarded = a_policy(protections=[a_protection("safe.example")])
    lists = {"games": ("games", "adblock", True, ["||listed.example^", "||above.safe.example^"])}
    engine = an_engine(tmp_path, lists, guarded)
    one, other, apart, plain = (
        engine.alike(wire(name))
        for name in ("a.safe.example", "b.safe.example", "c.above.safe.example", "new.example")
    )
    assert one == other
    assert len({one, apart, plain}) == 3
    at_it, beneath = (engine.alike(wire(name)) for name in ("listed.example", "a.listed.example"))
    assert at_it != beneath


def test_of_two_blocks_that_an_allow_covers_the_first_is_named(tmp_path: Path) -> None:
    policy = a_policy(rules=[allow(SITE)])
    lists = {
        "games": ("games", "adblock", False, ["||cdn.example^"]),
        "social": ("social-media", "adblock", False, ["||example^", "||a.cdn.example^"]),
    }
    engine = an_engine(tmp_path, lists, policy)
    client = a_client(policy)
    passed = engine.decide(client, wire(SITE), A, NOW)
    verdict = engine.decide_target(client, passed, wire("a.cdn.example"), A, NOW)
    assert (verdict.action, verdict.match and verdict.match.local_id) == (
        Action.PASS,
        policy.rules[0].id,
    )
    assert verdict.next_match is not None
    assert verdict.next_match.blocks
