# SPDX-License-Identifier: Apache-2.0
"""The neighbour table, and what a MAC has claimed of late."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from filterd.clients import neighbours
from filterd.clients.neighbours import RIVAL_FOR_S, Neighbour, NeighbourClaims, parse_neighbours

MAC, OTHER, THIRD = (f"02:00:5e:10:00:0{n}" for n in (1, 2, 3))
ADDRESS = ip_address("10.0.0.2")
PLACE = (ADDRESS, "lan0")


def _entry(**fields: Any) -> dict[str, Any]:
    return {
        "dst": "10.0.0.2",
        "dev": "lan0",
        "lladdr": MAC,
        "state": ["REACHABLE"],
        **fields,
    }


@pytest.mark.parametrize("state", ["REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"])
def test_a_device_that_answered_is_a_neighbour(state: str) -> None:
    answers = state in ("REACHABLE", "PERMANENT")
    assert parse_neighbours([_entry(state=[state])]) == (Neighbour(ADDRESS, "lan0", MAC, answers),)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": ["FAILED"]},
        {"state": ["INCOMPLETE"]},
        {"state": ["NOARP"]},
        {"state": "REACHABLE"},
        {"state": None},
        {"lladdr": None},
        {"lladdr": "00:00:00:00:00:00"},
        {"lladdr": "10.0.0.9"},
        {"dev": None},
        {"dst": "default"},
        {"dst": 7},
        {"dst": None},
    ],
)
def test_a_neighbour_without_a_usable_mac_is_passed_over(fields: dict[str, Any]) -> None:
    assert parse_neighbours([_entry(**fields)]) == ()
    assert parse_neighbours([{}]) == ()


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_NEIGHBOURS", 5)
    assert len(parse_neighbours(_entry(dst=f"10.0.0.{n}") for n in range(50))) == 5


def _one(mac: str = MAC, *, answers: bool = False) -> tuple[Neighbour, ...]:
    return (Neighbour(ADDRESS, "lan0", mac, answers),)


def _has_answered(claims: NeighbourClaims) -> bool:
    ((_, claim),) = claims
    return claim.has_answered


def test_a_mac_that_has_answered_keeps_its_address_while_it_is_idle() -> None:
    claims = NeighbourClaims()
    claims.take(_one(), 0.0)
    assert not _has_answered(claims)
    claims.take(_one(answers=True), 1.0)
    for now in (2.0, 1_000.0, 100_000.0):
        assert not claims.take(_one(), now)
        assert _has_answered(claims)


def test_another_mac_has_not_answered_yet_and_the_one_before_is_its_rival() -> None:
    claims = NeighbourClaims()
    claims.take(_one(answers=True), 0.0)
    assert claims.take(_one(OTHER), 100.0)
    assert not _has_answered(claims)
    assert claims.rivals_of(PLACE) == {MAC}
    assert claims.rivals_until == 100.0 + RIVAL_FOR_S, "it was there until now"


def test_a_mac_that_was_away_has_to_answer_again() -> None:
    claims = NeighbourClaims()
    claims.take(_one(answers=True), 0.0)
    claims.take((), 1.0)
    assert list(claims) == []
    claims.take(_one(), 2.0)
    assert not _has_answered(claims)
    assert claims.rivals_of(PLACE) == frozenset(), "nobody is its own rival"


def test_rivals_end_and_leave_nothing_behind() -> None:
    claims = NeighbourClaims()
    for now, mac in enumerate((MAC, OTHER, THIRD)):
        claims.take(_one(mac), now)
    assert claims.rivals_of(PLACE) == {MAC, OTHER}
    assert not claims.age(RIVAL_FOR_S)
    assert claims.age(1 + RIVAL_FOR_S)
    assert claims.rivals_of(PLACE) == {OTHER}
    claims.take((), 3.0 + RIVAL_FOR_S)
    assert claims.age(3.0 + 2 * RIVAL_FOR_S)
    assert not claims._claims


def test_claims_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_NEIGHBOURS", 5)
    claims = NeighbourClaims()
    seen = (Neighbour(ip_address(f"10.0.0.{n}"), "lan0", MAC, True) for n in range(50))
    claims.take(tuple(seen), 0.0)
    assert len(list(claims)) == 5
