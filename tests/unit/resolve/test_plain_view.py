# SPDX-License-Identifier: Apache-2.0
"""What the fast path goes by: what it may not touch, and whom it has to tell apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.policy.effective_policy import at
from filterd.policy.model import Audience, DelegatedZone, LocalRule, UpstreamServer
from filterd.policy.plain_sets import Touch
from filterd.policy.temporary_rules import Overrides, TargetKind
from filterd.resolve.plain_view import PlainView
from tests.support.policies import a_policy, an_index, wire
from tests.support.week import PUPIL_PC, SEVEN, a_school, an_exception

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy


def _reading(folder: Path, policy: Policy) -> PlainView:
    return PlainView.of(policy, an_index(folder, {}))


def test_special_names_are_touched_and_addresses_only_where_leases_name_them(
    tmp_path: Path,
) -> None:
    plain = _reading(tmp_path, a_policy()).touched
    with_leases = replace(a_policy(), lease_zone=wire("school.lan"))
    leased = _reading(tmp_path, with_leases).touched
    assert plain[wire("onion")] & Touch.SUBTREE
    assert not plain.get(wire("ip6.arpa"), Touch(0)) & Touch.SUBTREE
    assert leased[wire("ip6.arpa")] & Touch.SUBTREE
    assert leased[wire("school.lan")] & Touch.SUBTREE


def test_clients_with_a_rule_and_servers_of_a_zone_are_told_apart(tmp_path: Path) -> None:
    rules = [
        LocalRule("1", wire("games.example"), False, Audience.CLIENT, "10.0.0.7", reason="asked"),
        LocalRule("2", wire("games.example"), False, Audience.GRADE, "6", reason="asked"),
    ]
    zones = [DelegatedZone(wire("ad.example"), (UpstreamServer("10.0.0.53"),))]
    policy = a_policy(rules=rules, delegated_zones=zones)
    assert _reading(tmp_path, policy).named == {"10.0.0.7", "10.0.0.53"}


def test_clients_with_something_to_come_are_told_apart_before_it_does(tmp_path: Path) -> None:
    """Else one device would be told by another's edges how long it may keep an answer."""
    term: dict[str, Any] = {"starts_at": SEVEN + 600, "ends_at": SEVEN + 3600}
    whom: dict[str, Any] = {"audience": Audience.CLIENT, "whom": PUPIL_PC}
    of_one = an_exception("games", kind=TargetKind.CATEGORY, **whom, **term)
    of_all = an_exception("games", kind=TargetKind.CATEGORY, id=2, **term)
    moment = at(a_school(), Overrides(exceptions=(of_one, of_all)), SEVEN)
    index = an_index(tmp_path, {})
    assert PlainView.of(moment.policy, index).named == frozenset()
    assert PlainView.of(moment.policy, index, moment.changes).named == {PUPIL_PC}
