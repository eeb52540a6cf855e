# SPDX-License-Identifier: Apache-2.0
"""The names of the old machine are asked for; all that is the school's stays."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.appliance.interview import Interview, Machine, SchoolLink
from filterd.appliance.moved_site import (
    asked_names,
    change,
    choices_for,
    defaults,
    strange_names,
)

MACHINE = Machine(
    (
        SchoolLink("10.0.0.0/24", "enp1s0", "10.0.0.5"),
        SchoolLink("10.0.6.0/24", "lan6", "10.0.6.1"),
    ),
    outward=("wan",),
)
SITE: dict[str, Any] = {
    "listen": ["10.0.6.9:53", "0.0.0.0", "127.0.0.1:5353", "192.168.1.2"],
    "lan_interfaces": ["eth0", "wan"],
    "networks": {
        "lab": {"interfaces": ["eth1", "lan6"], "grade": 6},
        "staff": {"macs": ["02:00:00:00:00:01"], "grade": "staff"},
    },
}


def test_interfaces_and_addresses_that_are_not_here_are_asked_for() -> None:
    assert strange_names(SITE, MACHINE) == ("eth0", "eth1", "10.0.6.9", "192.168.1.2")
    assert strange_names({"listen": ["[::]:53", 5], "networks": {"a": None}}, MACHINE) == ()


def test_the_likeliest_is_the_default() -> None:
    found = defaults(SITE, MACHINE)
    assert found["here eth0"] == "enp1s0"
    assert (found["here 10.0.6.9"], found["here 192.168.1.2"]) == ("10.0.6.1", "10.0.0.5")
    assert asked_names(Interview(MACHINE, found)) == strange_names(SITE, MACHINE)
    assert asked_names(Interview(MACHINE)) == ()
    assert defaults(SITE, Machine())["here eth0"] == "eth0", "a machine without a link"


@pytest.mark.parametrize("name", ["eth0", "10.0.6.9"])
def test_choices_are_of_the_same_kind(name: str) -> None:
    kinds = {"." in one for one in choices_for(name, MACHINE)}
    assert kinds == {"." in name}


def test_only_these_names_change() -> None:
    here = {"eth0": "enp1s0", "eth1": "lan6", "10.0.6.9": "10.0.6.1", "192.168.1.2": "10.0.0.5"}
    assert change(SITE, here) == {
        "listen": ["10.0.6.1:53", "0.0.0.0", "127.0.0.1:5353", "10.0.0.5"],
        "lan_interfaces": ["enp1s0", "wan"],
        "networks": {"lab": {"interfaces": ["lan6", "lan6"]}},
    }
    assert change(SITE, {}) == {}
