# SPDX-License-Identifier: Apache-2.0
"""The engine and a naive third model agree in thousands of small random worlds.

Each control breaks one thing in filterd and looks for a world in which the comparison
detects it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from filterd.lists.rules import Scope
from filterd.policy import engine as engine_module
from filterd.policy import list_claims, name_rules, precedence
from filterd.policy.verdict import Action, Match, Rule
from filterd.wire import name as names
from tests.support import oracle
from tests.support.oracle import Person, Question, World
from tests.support.policies import NOW, wire
from tests.support.worlds import (
    NAMES,
    PUPIL,
    SPOKEN,
    TEACHER,
    TYPES,
    A,
    client_of,
    engine_of,
    worlds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.policy.engine import Engine
    from filterd.policy.verdict import Verdict

WORLDS = int(os.environ.get("FILTERD_FUZZ_WORLDS", "700"))
"""For the long test; `make fuzz` takes more."""
PEOPLE = (PUPIL, TEACHER)
LOOK = settings(
    max_examples=2000, deadline=None, phases=[Phase.generate], database=None, derandomize=True
)
"""How long a control looks for a world in which it is noticed, and always the same way."""
QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)

Decisions = dict[tuple[Person, str, int], "Verdict"]
Decision = tuple[str, str] | None
"""A rule's label and the name that the rule gives."""


def decisions(engine: Engine) -> Decisions:
    """Decide everything that may be asked in a world."""
    return {
        (who, name, qtype): engine.decide(client_of(engine, who), wire(name), qtype, NOW)
        for who in PEOPLE
        for name in NAMES
        for qtype in TYPES
    }


def decision_of(world: World, who: Person, thing: oracle.Thing) -> Decision:
    return oracle.label(world, who, thing), thing.name


def next_decisions(world: World, question: Question, thing: oracle.Thing) -> set[Decision]:
    """Return what would decide in a world without this thing."""
    after = oracle.deciders(world.without(thing), question)
    return {decision_of(world, question.who, other) for other in after} or {None}


def heard(match: Match | None) -> Decision:
    return (match.rule.label, names.to_text(match.name)) if match else None


def disagreements(world: World, decided: Decisions) -> Iterator[object]:
    """Yield where the engine and the oracle differ on one question."""
    for (who, name, qtype), verdict in decided.items():
        question = Question(who, name, qtype, NOW)
        deciders = oracle.deciders(world, question)
        expected = [decision_of(world, who, thing) for thing in deciders] or [None]
        following = [next_decisions(world, question, thing) for thing in deciders] or [{None}]
        if verdict.blocked != oracle.is_blocked(world, question):
            yield question, "blocked", verdict
        if heard(verdict.match) not in expected:
            yield question, "match", verdict, expected
        if not any(heard(verdict.next_match) in after for after in following):
            yield question, "next", verdict, following
        if verdict.valid_until != oracle.valid_until(world, question):
            yield question, "valid_until", verdict


def denials(world: World, decided: Decisions) -> Iterator[object]:
    """Yield every NXDOMAIN that denies what the oracle lets through (RFC 8020)."""
    for (who, name, _), verdict in decided.items():
        if verdict.action is Action.NXDOMAIN:
            for other in (
                other for other in NAMES if other == name or oracle.is_beneath(other, name)
            ):
                for qtype in TYPES:
                    if not oracle.is_blocked(world, Question(who, other, qtype, NOW)):
                        yield who, name, other, qtype


def leaks(world: World, engine: Engine, decided: Decisions) -> Iterator[object]:
    """Yield every target on which the engine and the oracle differ."""
    for (who, name, qtype), covering in decided.items():
        if covering.blocked or qtype != A or name not in SPOKEN:
            continue
        for target in SPOKEN:
            verdict = engine.decide_target(
                client_of(engine, who), covering, wire(target), qtype, NOW
            )
            question = Question(who, name, qtype, NOW)
            if verdict.blocked != oracle.target_is_blocked(world, question, target):
                yield question, target, verdict


def is_wrong(world: World, folder: Path) -> bool:
    return any(disagreements(world, decisions(engine_of(world, folder))))


def denies(world: World, folder: Path) -> bool:
    return any(denials(world, decisions(engine_of(world, folder))))


def leaks_targets(world: World, folder: Path) -> bool:
    engine = engine_of(world, folder)
    return any(leaks(world, engine, decisions(engine)))


@settings(max_examples=WORLDS, deadline=None, suppress_health_check=QUIET)
@given(world=worlds())
def test_engine_and_oracle_agree_on_every_question(world: World, tmp_path: Path) -> None:
    decided = decisions(engine_of(world, tmp_path))
    assert next(disagreements(world, decided), None) is None
    assert next(denials(world, decided), None) is None


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(world=worlds())
def test_engine_and_oracle_agree_on_every_target(world: World, tmp_path: Path) -> None:
    engine = engine_of(world, tmp_path)
    assert next(leaks(world, engine, decisions(engine)), None) is None


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(world=worlds())
def test_guards_of_subtrees_decide_alike_whether_or_not_the_compiler_knows_them(
    world: World, tmp_path: Path
) -> None:
    # An entry that names what a guard names is refused as a whole, so a guard of
    # one host takes the entry from what lies beneath as well: only subtrees compare.
    whole = replace(world, guards=tuple(replace(guard, subtree=True) for guard in world.guards))
    decided = decisions(engine_of(whole, tmp_path, guarded=True))
    for (who, name, qtype), verdict in decided.items():
        assert verdict.blocked == oracle.is_blocked(whole, Question(who, name, qtype, NOW))
    assert next(denials(whole, decided), None) is None


def _by_rule_with(**swapped: Rule) -> Any:
    """Return a grouping in which matches of one rule pass for those of another."""
    original = precedence._by_rule

    def grouped(ranked: Any) -> Any:
        of = original(ranked)
        for rule, other in swapped.items():
            of[Rule[rule]], of[other] = of[other], of[Rule[rule]]
        return of

    return grouped


def _exact_is_subtree(claim: Any, qname: bytes, at_self: bool) -> bool:  # noqa: ARG001 -- as the original
    return not any(names.is_at_or_beneath(qname, left) for left in claim.denyallow)


def _no_denyallow(claim: Any, qname: bytes, at_self: bool) -> bool:  # noqa: ARG001 -- as the original
    return at_self or claim.scope is not Scope.EXACT


def _forgetful_action(_response: object, _qtype: int, block: Verdict, *, spared: bool) -> Action:
    """Choose NXDOMAIN whatever lies beneath the name."""
    del spared
    return block.action


def _alike_but_for(left_out: str) -> Any:
    """Return a key under which verdicts are remembered that leaves one thing out."""

    def alike(grade: str, qtype: int, at_self: bool, beneath: bool, hits: Any) -> Any:
        key: dict[str, Any] = {
            "grade": grade,
            "qtype": qtype,
            "at_self": at_self,
            "beneath": beneath,
        }
        key["hits"] = tuple(hit.set_id for hit in hits)
        key[left_out] = ()
        return tuple(key.values())

    return alike


_true_rank = name_rules._rank

BREAKAGES = {
    "pins and orders change places": (precedence, "_by_rule", _by_rule_with(PIN=Rule.ORDERED)),
    "locked is no more than closed": (precedence, "_by_rule", _by_rule_with(LOCKED=Rule.CATEGORY)),
    "protection defeats nothing": (precedence, "defeats", lambda _protection, _block: False),
    "protection defeats own lists": (precedence, "defeats", lambda _protection, _block: True),
    "exceptions spare nothing": (precedence, "spares", lambda _exception, _block: False),
    "exceptions speak for all categories": (
        precedence,
        "spares",
        lambda exception, block: exception.important >= block.important,
    ),
    "the narrower audience does not count": (
        name_rules,
        "_rank",
        lambda rule: (-names.count_labels(rule.name), 0, rule.allow),
    ),
    "the longer name does not count": (
        name_rules,
        "_rank",
        lambda rule: (0, -name_rules._NARROWNESS[rule.audience], rule.allow),
    ),
    "an allow beats a block": (
        name_rules,
        "_rank",
        lambda rule: (*_true_rank(rule)[:2], not rule.allow),
    ),
    "rules hold for ever": (name_rules, "_holds", lambda _rule, _now: True),
    "an exact host is a subtree": (list_claims, "reaches", _exact_is_subtree),
    "denyallow is forgotten": (list_claims, "reaches", _no_denyallow),
    "what is known of one name is believed of all": (
        list_claims.Lists,
        "read_names",
        lambda _lists, _hits: False,
    ),
    "one grade's verdict is another's": (engine_module, "_alike", _alike_but_for("grade")),
    "a verdict on one type is on all": (engine_module, "_alike", _alike_but_for("qtype")),
    "beneath is as at": (engine_module, "_alike", _alike_but_for("at_self")),
    "one set is like another": (engine_module, "_alike", _alike_but_for("hits")),
}
BREAKAGES_OF_TARGETS = {
    "nothing covers": lambda _cover, _block: False,
    "an allow covers everything": lambda _cover, _block: True,
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_control_a_broken_rule_is_noticed(
    breakage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module, attribute, broken = BREAKAGES[breakage]
    monkeypatch.setattr(module, attribute, broken)
    assert find(worlds(), lambda world: is_wrong(world, tmp_path), settings=LOOK)


def test_control_a_denial_of_what_passes_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine_module, "_action", _forgetful_action)
    assert find(worlds(), lambda world: denies(world, tmp_path), settings=LOOK)


def test_control_a_denial_remembered_of_another_name_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine_module, "_alike", _alike_but_for("beneath"))
    assert find(worlds(), lambda world: denies(world, tmp_path), settings=LOOK)


@pytest.mark.parametrize("breakage", BREAKAGES_OF_TARGETS)
def test_control_a_broken_cover_is_noticed(
    breakage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine_module, "covers", BREAKAGES_OF_TARGETS[breakage])
    assert find(worlds(), lambda world: leaks_targets(world, tmp_path), settings=LOOK)


def test_control_an_oracle_without_protection_is_noticed(tmp_path: Path) -> None:
    def disagrees(world: World) -> bool:
        decided = decisions(engine_of(world, tmp_path))
        return any(disagreements(replace(world, guards=()), decided))

    assert find(worlds(), disagrees, settings=LOOK)
