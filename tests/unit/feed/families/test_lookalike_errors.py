# SPDX-License-Identifier: Apache-2.0
"""Rules are tried on names that they were not made with."""

from __future__ import annotations

import pytest

from filterd.feed.families.lookalike_errors import (
    BOUND_OF_RANKED,
    Errors,
    HeldRule,
    Judge,
    Judges,
    RuleKind,
    judge,
)
from filterd.feed.families.lookalike_rules import make_rules
from filterd.lists.lookalikes import LookalikeRule, Reach
from tests.bench.lookalike_figures import text

LARGE = HeldRule(LookalikeRule(b"kubet#", 3, frozenset()), 40)
SMALL = HeldRule(LookalikeRule(b"novabet#", 3, frozenset()), 7)
SMALLEST = HeldRule(LookalikeRule(b"i9bet#", 3, frozenset()), 3)


def _made(judges: list[Judge]) -> Errors:
    """Return the errors of three rules, each of which holds unless it fits a name known."""
    named = {"novabet8.com": SMALL, "i9bet5.com": SMALLEST, "kubet5.com": LARGE}

    def make(known: list[Judge]) -> list[HeldRule]:
        fit = [named[one.name] for one in known if one.name in named]
        return [one for one in (LARGE, SMALL, SMALLEST) if one not in fit]

    return Errors(Judges(judges), make)


def _ranked(count: int) -> list[Judge]:
    return [judge(f"name{number}.example", is_certain=False) for number in range(count)]


def test_halves_are_about_as_large() -> None:
    assert 450 < sum(one.half for one in _ranked(1_000)) < 550


def test_a_certain_name_that_is_closed_unseen_asks_for_more_names() -> None:
    errors = _made([judge("novabet8.com", is_certain=True)])
    assert errors.needed(RuleKind.FAMILY) == SMALL.names + 1
    assert errors.needed(RuleKind.NEAR_LABEL) == 0


def test_a_name_of_a_ranking_may_be_a_site_that_no_list_has() -> None:
    one, two = (judge(name, is_certain=False) for name in ("novabet8.com", "i9bet5.com"))
    assert _made([one]).needed(RuleKind.FAMILY) == 0
    assert _made([one, two]).needed(RuleKind.FAMILY) == SMALLEST.names + 1
    assert _made([one, two, *_ranked(BOUND_OF_RANKED)]).needed(RuleKind.FAMILY) == 0


def test_figures_name_what_is_still_closed() -> None:
    judges = [
        judge("novabet8.com", is_certain=True),
        judge("kubet5.com", is_certain=False),
        judge("lyceum.example", is_certain=True),
    ]
    figures = _made(judges).of("gambling", RuleKind.FAMILY, [LARGE])
    assert figures[:4] == ("gambling", RuleKind.FAMILY, 1, SMALL.names + 1)
    assert (figures.certain, figures.of_certain, figures.ranked, figures.of_ranked) == (0, 2, 1, 1)
    assert figures.names == ("kubet5.com",)


def test_a_rule_is_of_the_kind_of_its_shape_and_reach() -> None:
    reach = Reach(frozenset(), frozenset())
    kinds = [
        HeldRule(LookalikeRule(shape, 1, frozenset(), reach=each), 2).kind
        for each in (None, reach)
        for shape in (b"win#", b"@@@88", b"sin88")
    ]
    assert kinds == [
        RuleKind.FAMILY,
        RuleKind.FORM,
        RuleKind.FAMILY,
        RuleKind.NEAR_FAMILY,
        RuleKind.NEAR_FORM,
        RuleKind.NEAR_LABEL,
    ]


TRADE = [
    f"nhacai{letter}{number}.{suffix}"
    for letter in "abcdefgh"
    for number in (1, 2)
    for suffix in ("vip", "win")
]
LARGER = [f"sodocasino{number}.com" for number in range(20)]


def _rules(kept_open: list[str]) -> list[bytes]:
    listed = {"gambling": [text([*TRADE, *LARGER])]}
    made = make_rules(listed, [], schools=[], kept_open=kept_open)
    return [one.shape for one in made.rules["gambling"] if one.reach is None]


def test_a_kind_that_closes_a_chosen_name_unseen_holds_with_more_names_only() -> None:
    assert len(_rules([])) == 9
    assert _rules(["nhacaib7.example"]) == [b"sodocasino#"]


@pytest.mark.control
def test_control_without_the_estimate_the_rest_of_the_kind_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Errors, "needed", lambda *_: 0)
    assert len(_rules(["nhacaib7.example"])) == 8
