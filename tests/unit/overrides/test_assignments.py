# SPDX-License-Identifier: Apache-2.0
"""Which networks change when devices are put into one, or taken out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.errors import ConfigError
from filterd.overrides.assignments import macs_of, moved, place_of, taken_out
from filterd.policy.model import Network, SchoolClass
from filterd.policy.temporary_rules import Overrides, RoomDevices
from tests.support.policies import a_policy

FIRST, SECOND = "02:00:5e:00:00:01", "02:00:5e:00:00:02"
POLICY = replace(
    a_policy(),
    networks=(
        Network("lab-a", "6", room=True, macs=(FIRST,)),
        Network("lab-b", "7", room=True),
        Network("home-6a", "6A"),
    ),
    classes=(SchoolClass("6A", "6"), SchoolClass("7B", "7")),
)


def test_a_place_is_a_network_or_the_only_one_of_a_grade_or_class() -> None:
    assert place_of(POLICY, None, "lab-a") == "lab-a"
    assert place_of(POLICY, None, "7") == "lab-b"
    assert place_of(POLICY, "6A", None) == "home-6a"
    with pytest.raises(ConfigError, match="has no network of its own"):
        place_of(POLICY, "7B", None)


def test_a_device_is_named_by_mac_or_by_an_address_that_it_has_now() -> None:
    seen = [{"mac": SECOND, "addresses": ["10.0.6.21"]}]
    assert macs_of([FIRST.upper(), "10.0.6.21"], seen) == [FIRST, SECOND]
    with pytest.raises(ConfigError, match="no device on a link"):
        macs_of(["10.0.6.22"], seen)
    with pytest.raises(ConfigError, match="neither a MAC nor an address"):
        macs_of(["lab"], seen)


def test_a_device_leaves_the_room_that_commands_have_put_it_into() -> None:
    there = Overrides(devices=(RoomDevices("lab-b", (SECOND,)),))
    assert moved(POLICY, there, "lab-a", [SECOND]) == [
        {"room": "lab-a", "macs": [FIRST, SECOND]},
        {"room": "lab-b", "macs": []},
    ]
    assert moved(POLICY, there, "lab-b", [SECOND]) == []
    assert taken_out(POLICY, there, [SECOND]) == [{"room": "lab-b", "macs": []}]


def test_what_the_site_file_names_is_not_taken_out() -> None:
    with pytest.raises(ConfigError, match=r"by site\.yaml"):
        taken_out(POLICY, Overrides(), [FIRST])
