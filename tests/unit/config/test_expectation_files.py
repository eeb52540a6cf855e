# SPDX-License-Identifier: Apache-2.0
"""Sentences and keys become expectations; errors have their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.config.expectation_files import compile_document, given_for, load_expectations
from filterd.config.site_reader import SiteFiles
from filterd.documents import parse
from filterd.policy.model import TIERS, Audience
from tests.support.policies import wire
from tests.support.site import a_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Expectation

ZONE, NETWORKS = "Asia/Ho_Chi_Minh", ("lab-a", "library")


def _compile(text: str) -> list[Expectation]:
    return compile_document(parse(text.encode(), "x.yaml"), ZONE, NETWORKS)


def _one(text: str) -> Expectation:
    (one,) = _compile(f"- {text}\n")
    return one


@pytest.mark.parametrize(
    ("text", "blocked", "audience", "whom"),
    [
        ("a.example is blocked for primary", True, Audience.TIER, "primary"),
        ("a.example passes for grade 8", False, Audience.GRADE, "8"),
        ("a.example passes for 8", False, Audience.GRADE, "8"),
        ("a.example passes for staff", False, Audience.TIER, "staff"),
        ("a.example passes for everybody", False, Audience.EVERYBODY, ""),
        ("a.example   passes", False, Audience.EVERYBODY, ""),
        ("a.example is blocked for room lab-a", True, Audience.NETWORK, "lab-a"),
        ("a.example is blocked for network library", True, Audience.NETWORK, "library"),
        ("{name: a.example, tier: primary, expect: blocked}", True, Audience.TIER, "primary"),
        ("{name: a.example, grade: 8, expect: passes}", False, Audience.GRADE, "8"),
        ("{name: a.example, room: lab-a, expect: passes}", False, Audience.NETWORK, "lab-a"),
        ("{name: a.example, expect: passes}", False, Audience.EVERYBODY, ""),
    ],
)
def test_an_expectation_states_for_which_clients_a_name_passes_or_is_blocked(
    text: str, blocked: bool, audience: Audience, whom: str
) -> None:
    one = _one(text)
    assert (one.name, one.blocked) == (wire("a.example"), blocked)
    assert (one.audience, one.whom, one.path, one.line) == (audience, whom, "x.yaml", 1)


@pytest.mark.parametrize("when", ["t2 08:00", "Mon 8:00"])
def test_a_time_of_the_week_is_the_schools(when: str) -> None:
    one = _one(f"a.example is blocked for room lab-a at {when}")
    assert (one.weekday, one.second, one.at) == (0, 28_800, None)
    assert one == _one(f"a.example is blocked for room lab-a at {when}")


def test_a_date_is_one_moment() -> None:
    one = _one("{name: a.example, grade: 6, at: 2025-12-01T08:00, expect: blocked}")
    assert (one.at, one.weekday) == (1_764_550_800.0, None)
    assert one.written == "a.example is blocked for grade 6 at 2025-12-01T08:00"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a.example is bloked for primary", "is not an expectation (such as: www.tiktok.com is"),
        ("a.example passes for primery", "'primery' is not a tier (did you mean 'primary'?)"),
        ("a.example passes for grde 6", "'grde 6' is not an audience (did you mean 'grade'?)"),
        ("a.example passes for grade 13", "'13' is not a grade"),
        ("a.example passes for room lab-c", "there is no network 'lab-c' (did you mean"),
        ("a.example passes at t9 08:00", "'t9' is not a weekday"),
        ("a.example passes at t2 25:00", "'t2 25:00' is not a time"),
        ("a.example passes at noon", "'noon' is not a time (such as t2 08:00"),
        ("a.example passes at 1600-01-01", "'1600-01-01' is not a time"),
        ("10..1 passes", "is not a domain name"),
        ("{name: a.example, expct: passes}", "unknown key 'expct' (did you mean 'expect'?)"),
        ("{name: a.example}", "the key 'expect' is missing"),
        ("{name: a.example, expect: bloked}", "'bloked' is not known (did you mean 'blocked'?)"),
        ("{name: a.example, grade: 6, tier: primary, expect: passes}", "is for one audience"),
        ("17", "a mapping of keys expected, not 17"),
    ],
)
def test_what_is_no_expectation_is_reported_with_its_line(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _compile(f"- b.example passes\n- {text}\n")
    assert str(caught.value).startswith("x.yaml:2:")
    assert why in str(caught.value)


def test_a_file_is_a_list() -> None:
    with pytest.raises(ConfigError, match=r"x\.yaml:1:1: a list of expectations is expected here"):
        _compile("name: a.example\n")


def test_all_that_is_wrong_is_reported_at_once(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("- nonsense\n- a.example passes\n- more\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_expectations(sorted(tmp_path.glob("*.yaml")), ZONE, NETWORKS)
    assert len(str(caught.value).splitlines()) == 4


def test_every_tier_has_expectations_that_ship(tmp_path: Path) -> None:
    found = given_for(SiteFiles(tmp_path))
    assert all(one.ships for one in found.values())
    assert set(found) == {f"{tier}.yaml" for tier in TIERS}


def test_a_file_of_the_school_takes_the_place_of_one_that_ships(tmp_path: Path) -> None:
    (tmp_path / "expectations").mkdir()
    for name in ("primary", "own"):
        text = "- a.example is blocked for primary\n"
        (tmp_path / "expectations" / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = given_for(SiteFiles(tmp_path))
    assert {name for name, one in found.items() if not one.ships} == {"primary.yaml", "own.yaml"}
    assert len(found) == len(TIERS) + 1
    policy = a_policy(tmp_path)
    ours = [
        expectation
        for expectation in policy.expectations
        if expectation.path.startswith(str(tmp_path))
    ]
    assert [our.written for our in ours] == ["a.example is blocked for primary"] * 2
    assert not [
        expectation for expectation in policy.expectations if "shipped/primary" in expectation.path
    ]
    assert not any(our.shipped for our in ours)
    assert all(
        expectation.shipped for expectation in policy.expectations if expectation not in ours
    )


def test_a_wrong_expectation_keeps_the_site_from_being_compiled(tmp_path: Path) -> None:
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations" / "own.yaml").write_text("- nonsense\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.yaml:1:3: 'nonsense' is not an expectation"):
        a_policy(tmp_path)
