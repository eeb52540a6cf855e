# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.engine import Engine
from filterd.policy.model import BlockResponse, DelegatedZone, LocalZone, Service
from filterd.policy.plain_sets import SetReader, Touch, touched
from filterd.policy.verdict import Action, Rule
from filterd.wire import name as names
from tests.support.policies import (
    NOW,
    a_client,
    a_grade,
    a_pin,
    a_policy,
    a_protection,
    allow,
    an_index,
    wire,
)
from tests.support.worlds import NAMES, PUPIL, TEACHER, TYPES, client_of, engine_of, worlds

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Client
    from tests.support.oracle import World
    from tests.support.policies import ListTexts


def read(tmp_path: Path, lines: list[str], grade: str = "6", **options: object) -> object:
    """Return what the reader finds for the first name of a list of games."""
    response = options.pop("response", BlockResponse.NXDOMAIN)
    assert isinstance(response, BlockResponse)
    index = an_index(tmp_path, {"games": ("games", "adblock", False, lines)})
    (hit,) = index.lookup(wire("a.example"))
    reader = SetReader(a_policy(), index)
    plain = reader.read(a_grade(grade, response=response, also_closed=("games",)), hit.set_id)
    if plain is None:
        return None
    return plain.verdict and plain.verdict.action


def test_a_name_with_its_subtree_is_plain(tmp_path: Path) -> None:
    assert read(tmp_path, ["||a.example^"]) is Action.NXDOMAIN


def test_a_grade_that_answers_with_no_data_has_it_plainly(tmp_path: Path) -> None:
    assert read(tmp_path, ["||a.example^"], response=BlockResponse.NODATA) is Action.NODATA


@pytest.mark.parametrize(
    "lines",
    [
        ["|a.example^"],
        ["||*.a.example^"],
        ["||a.example^$dnstype=A"],
        ["||a.example^$denyallow=b.a.example"],
        ["||a.example^$important"],
        ["@@||a.example^"],
        ["||a.example^", "@@||b.a.example^"],
    ],
)
def test_what_depends_on_the_question_is_left_to_the_engine(
    tmp_path: Path, lines: list[str]
) -> None:
    assert read(tmp_path, lines) is None


def test_a_sinkhole_is_left_to_the_engine(tmp_path: Path) -> None:
    assert read(tmp_path, ["||a.example^"], response=BlockResponse.SINKHOLE) is None


def test_an_open_category_decides_nothing(tmp_path: Path) -> None:
    index = an_index(tmp_path, {"ads": ("ads-trackers", "domains", False, ["a.example"])})
    (hit,) = index.lookup(wire("a.example"))
    plain = SetReader(a_policy(), index).read(a_grade("6"), hit.set_id)
    assert plain == (None, "ads-trackers")


def test_of_two_lists_with_a_name_the_lower_rule_decides(tmp_path: Path) -> None:
    lists: ListTexts = {
        "games": ("games", "domains", False, ["a.example"]),
        "porn": ("porn", "domains", False, ["a.example"]),
    }
    index = an_index(tmp_path, lists)
    (hit,) = index.lookup(wire("a.example"))
    plain = SetReader(a_policy(), index).read(a_grade("6", also_closed=("games",)), hit.set_id)
    assert plain is not None
    assert plain.verdict is not None
    assert plain.verdict.match is not None
    assert (plain.verdict.match.rule, plain.verdict.match.category) == (Rule.LOCKED, "porn")


OPEN_LISTS: ListTexts = {
    "ads": ("ads-trackers", "domains", False, ["b.a.example", "both.example"]),
    "games": ("games", "domains", True, ["a.example", "both.example"]),
}


@pytest.mark.parametrize("name", ["a.example", "x.a.example", "c.b.a.example", "both.example"])
def test_what_is_open_is_counted_as_the_engine_s_verdict_is(tmp_path: Path, name: str) -> None:
    """By one listed name or by several, of which the longest counts."""
    policy, index = a_policy(), an_index(tmp_path, OPEN_LISTS)
    client = a_client(policy, "11")
    hits = index.lookup(wire(name))
    plain = SetReader(policy, index).read(client.grade, hits[0].set_id)
    verdict = Engine(policy, index).decide(client, wire(name), 1, NOW)
    assert verdict.action is Action.PASS
    assert verdict.match
    assert plain == (None, verdict.match.category)


def test_a_client_with_allowed_names_only_is_left_to_the_engine(tmp_path: Path) -> None:
    index = an_index(tmp_path, {"games": ("games", "domains", False, ["a.example"])})
    (hit,) = index.lookup(wire("a.example"))
    reader = SetReader(a_policy(), index)
    assert reader.read(a_grade("6"), hit.set_id) is not None
    assert reader.read(replace(a_grade("6"), allow_only=True), hit.set_id) is None


def test_a_service_that_is_open_in_a_closed_category_is_left_to_the_engine(tmp_path: Path) -> None:
    index = an_index(tmp_path, {"service:play": ("games", "domains", True, ["a.example"])})
    (hit,) = index.lookup(wire("a.example"))
    service = Service("play", "Chơi", "Play", "games", None, (wire("a.example"),))
    policy = replace(a_policy(), services={"play": service})
    sixth = replace(a_grade("6"), opened=frozenset({"service:play"}))
    assert SetReader(policy, index).read(sixth, hit.set_id) is None
    assert touched(policy) == {}
    opened = replace(policy, grades=policy.grades | {"6": sixth})
    assert touched(opened) == {wire("a.example"): Touch.SUBTREE, wire("example"): Touch.BENEATH}


def test_what_is_touched_and_what_is_above_it_is_distinguished() -> None:
    policy = a_policy(
        pins=[a_pin("www.pin.example")],
        rules=[allow("example")],
        local_zones=[LocalZone(wire("school.lan"), ())],
    )
    assert touched(policy, [wire("onion")]) == {
        wire("www.pin.example"): Touch.SUBTREE,
        wire("pin.example"): Touch.BENEATH,
        wire("example"): Touch.SUBTREE | Touch.BENEATH,
        wire("school.lan"): Touch.SUBTREE,
        wire("lan"): Touch.BENEATH,
        wire("onion"): Touch.SUBTREE,
    }


def plainly(engine: Engine, reader: SetReader, client: Client, qname: bytes) -> object:
    """Decide as a reader of sets does: None where it leaves that to the engine.

    Returns: action, rule and category; of what is open the category as which it is counted.
    """
    spoken = touched(engine.policy)
    if spoken.get(qname, 0) or any(
        spoken.get(suffix, Touch(0)) & Touch.SUBTREE for suffix in names.suffixes(qname)
    ):
        return None
    verdicts, opened = [], list[str]()
    for hit in engine.index.lookup(qname):
        plain = reader.read(client.grade, hit.set_id)
        if plain is None:
            return None
        verdicts += [plain.verdict] if plain.verdict else []
        opened += [] if plain.verdict else [plain.category]
    if not verdicts:
        return Action.PASS, None, opened[0] if opened else ""
    first = min(verdicts, key=lambda verdict: verdict.match.rule if verdict.match else Rule.OPEN)
    assert first.match
    return first.action, first.match.rule, first.match.category


@settings(max_examples=150, deadline=None)
@given(world=worlds())
def test_the_engine_decides_the_same(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = engine_of(world, tmp_path_factory.mktemp("world"))
    reader = SetReader(engine.policy, engine.index)
    for person in (PUPIL, TEACHER):
        client = client_of(engine, person)
        for text in NAMES:
            said = plainly(engine, reader, client, wire(text))
            if said is None:
                continue
            for qtype in TYPES:
                verdict = engine.decide(client, wire(text), qtype, NOW)
                match = verdict.match
                rule = match.rule if match and verdict.blocked else None
                category = match.category if match else ""
                assert said == (verdict.action, rule, category)
                assert verdict.valid_until is None


def test_every_kind_of_rule_beside_the_lists_is_touched() -> None:
    rewrite = SafeSearchRewrite("safe_search", "on", wire("safe.test"), (wire("find.test"),))
    policy = replace(
        a_policy(
            pins=[a_pin("pin.test")],
            protections=[a_protection("protected.test")],
            rules=[allow("rule.test")],
            local_zones=[LocalZone(wire("local.test"), ())],
            delegated_zones=[DelegatedZone(wire("delegated.test"), ())],
        ),
        rewrites=(rewrite,),
        lease_zone=wire("lease.test"),
        private_answers=(wire("private.test"),),
    )
    stems = ("pin", "protected", "rule", "local", "delegated", "find", "lease", "private", "other")
    found = touched(policy, [wire("other.test")])
    assert {one for one, touch in found.items() if touch & Touch.SUBTREE} == {
        wire(f"{stem}.test") for stem in stems
    }
    assert found[wire("test")] == Touch.BENEATH
    assert wire("safe.test") not in found
