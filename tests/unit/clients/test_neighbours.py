# SPDX-License-Identifier: Apache-2.0
"""The kernel's neighbour table."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from filterd.clients import neighbours
from filterd.clients.neighbours import Neighbour, parse

MAC = "02:00:5e:10:00:01"


def _entry(**fields: Any) -> dict[str, Any]:
    return {"dst": "10.0.0.2", "dev": "lan0", "lladdr": MAC, "state": ["REACHABLE"], **fields}


@pytest.mark.parametrize("state", ["REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"])
def test_a_device_that_answered_is_a_neighbour(state: str) -> None:
    known = Neighbour(ip_address("10.0.0.2"), "lan0", MAC)
    assert parse([_entry(state=[state])]) == (known,)


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
def test_what_tells_no_device_is_passed_over(fields: dict[str, Any]) -> None:
    assert parse([_entry(**fields)]) == ()
    assert parse([{}]) == ()


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_NEIGHBOURS", 5)
    assert len(parse(_entry(dst=f"10.0.0.{n}") for n in range(50))) == 5
