# SPDX-License-Identifier: Apache-2.0
"""What lists close to whom: real policies and indexes, small ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from filterd.feed.guard.probe_clients import Asking
from filterd.policy.engine import Engine
from filterd.policy.model import GRADES, Audience, LocalRule
from tests.support.policies import NOW, a_pin, a_policy, allow, an_index, block, wire

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Scheduled

LISTS = {
    "own": ("games", "domains", True, ["game.example"]),
    "theirs": ("porn", "domains", False, ["porn.example"]),
    "open": ("ads-trackers", "domains", False, ["ads.example"]),
}


def asking(folder: Path, *rules: LocalRule) -> Asking:
    return Asking(a_policy(rules=rules), an_index(folder, LISTS), NOW)


def test_grades_to_which_the_same_is_closed_are_asked_as_one(tmp_path: Path) -> None:
    assert [client.grade.grade for client in asking(tmp_path).clients] == [
        *("preschool", "1", "6", "7", "8", "10", "continuing", "staff", "guest")
    ]


def test_a_name_is_closed_to_every_grade_below_its_age(tmp_path: Path) -> None:
    closed = asking(tmp_path).closed(wire("www.game.example"))
    assert set(closed) == {"preschool", "1", "2", "3", "4", "5", "6", "guest"}
    assert {match.list_id for match in closed.values()} == {"own"}


def test_a_locked_name_is_closed_to_all_and_an_open_one_to_nobody(tmp_path: Path) -> None:
    lists = asking(tmp_path)
    assert set(lists.closed(wire("porn.example"))) == set(GRADES)
    assert lists.closed(wire("ads.example")) == {}


def test_what_the_school_blocks_itself_is_closed_by_no_list(tmp_path: Path) -> None:
    assert asking(tmp_path, block("other.example")).closed(wire("other.example")) == {}


def test_a_grade_that_the_school_treats_apart_is_asked_apart(tmp_path: Path) -> None:
    opened = allow("game.example", Audience.GRADE, "3")
    closed = asking(tmp_path, opened).closed(wire("game.example"))
    assert "3" not in closed
    assert {"2", "4"} <= set(closed)


def test_schedules_do_not_count(tmp_path: Path) -> None:
    policy = replace(a_policy(), scheduled=(cast("Scheduled", object()),))
    assert Asking(policy, an_index(tmp_path, LISTS), NOW).site.policy.scheduled == ()


def test_an_alias_to_a_listed_name_is_closed_and_one_to_a_pin_is_not(tmp_path: Path) -> None:
    pins = [a_pin("www.porn.example")]
    index = an_index(tmp_path, LISTS, pins=pins)
    pinned = Asking(a_policy(pins=pins), index, NOW)
    match = pinned.closes_target(wire("porn.example"))
    assert match is not None
    assert match.list_id == "theirs"
    assert pinned.closes_target(wire("www.porn.example")) is None


def test_what_the_school_blocks_itself_does_not_hide_a_list_that_closes_an_alias(
    tmp_path: Path,
) -> None:
    lists = asking(tmp_path, block("game.example", Audience.GRADE, "preschool"))
    match = lists.closes_target(wire("game.example"))
    assert match is not None
    assert match.list_id == "own"


MIXED = {
    "theirs": ("porn", "domains", False, ["porn.example", "pinned.example", "other.example"]),
    "apart": ("games", "adblock", False, ["||game.example^$denyallow=spared.game.example"]),
}
SOME = [
    f"{beneath}{name}.example"
    for name in ("porn", "pinned", "other", "game", "unlisted")
    for beneath in ("", "www.", "spared.")
]


def _grades_closed(folder: Path, *, apart: bool, allow_only: bool) -> list[set[str]]:
    """Return the grades to which each of some names is closed, by one object or by one each."""
    pins = [a_pin("pinned.example", subtree=True)]
    policy = a_policy(pins=pins, rules=[allow("other.example")])
    if allow_only:
        grades = {**policy.grades, "6": replace(policy.grades["6"], allow_only=True)}
        policy = replace(policy, grades=grades)
    index = an_index(folder, MIXED, pins=pins)
    lists = Asking(policy, index, NOW)
    each = [Asking(policy, index, NOW) if apart else lists for _ in SOME]
    return [
        set(one.closed(wire(name))) | {f"open to {grade}" for grade in one.open_to(wire(name))}
        for one, name in zip(each, SOME, strict=True)
    ]


@pytest.mark.parametrize("allow_only", [False, True])
def test_names_that_are_decided_together_are_decided_as_each_alone(
    tmp_path: Path, allow_only: bool
) -> None:
    together = _grades_closed(tmp_path, apart=False, allow_only=allow_only)
    assert together == _grades_closed(tmp_path, apart=True, allow_only=allow_only)


def test_control_names_with_rules_of_their_own_must_be_decided_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alike(engine: Engine, name: bytes) -> object:
        return tuple(hit.set_id for hit in engine.index.lookup(name)) or "unlisted"

    monkeypatch.setattr(Engine, "alike", alike)
    together = _grades_closed(tmp_path, apart=False, allow_only=False)
    assert together != _grades_closed(tmp_path, apart=True, allow_only=False)


def test_two_names_of_a_list_share_a_decision(tmp_path: Path) -> None:
    lists = asking(tmp_path)
    ones = [lists.verdicts(wire(f"{name}.unlisted.example")) for name in ("one", "two")]
    assert ones[0] is ones[1]


def test_people_are_shown_the_entry_of_the_name_itself(tmp_path: Path) -> None:
    lists = Asking(a_policy(), an_index(tmp_path, MIXED), NOW)
    for name in ("porn.example", "pinned.example"):
        lists.closed(wire(name))
        assert {match.entry for match in lists.entries(wire(name)).values()} == {name}
