# SPDX-License-Identifier: Apache-2.0
"""Which networks change when devices are put into one, or taken out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.base.errors import ConfigError, FilterdError
from filterd.overrides.changes.assignments import macs_of, moved, place_of, taken_out
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


@pytest.mark.parametrize(
    ("class_id", "network", "place"),
    [
        (None, "home-6a", "home-6a"),
        (None, "6", "lab-a"),
        ("6A", "6A", "home-6a"),
        ("7", None, "lab-b"),
    ],
)
def test_a_place_is_found_by_either_word(
    class_id: str | None, network: str | None, place: str
) -> None:
    assert place_of(POLICY, class_id, network) == place


TWICE = replace(POLICY, networks=(*POLICY.networks, Network("7", "6A"), Network("hall", "6A")))
"""A network has the name of a grade, and a class has three networks."""


def test_a_network_goes_before_a_grade_of_its_name() -> None:
    assert place_of(TWICE, None, "7") == "7"


@pytest.mark.parametrize(
    ("class_id", "network", "error", "hint"),
    [
        (None, "nowhere", "network", "lab-a"),
        (None, "6A", "network", "home-6a"),  # which of the three?
        ("6A", None, "class 6A has several networks", "one of home-6a, 7, hall"),
        ("6a", None, "'6a' is not a class of this site", "6A"),
        ("8C", None, "'8C' is not a class of this site", ""),
        (None, None, "'' is not a class of this site", ""),
        ("7B", None, "class 7B has no network of its own", "{class: 7B, room: true}"),
    ],
)
def test_a_place_that_is_not_one_is_refused_with_what_would_be(
    class_id: str | None, network: str | None, error: str, hint: str
) -> None:
    with pytest.raises(FilterdError) as refused:
        place_of(TWICE, class_id, network)
    assert error in str(refused.value)
    assert hint in str(refused.value)


def test_a_device_is_named_once_by_the_address_that_it_has() -> None:
    seen = [
        {"mac": SECOND, "addresses": ["10.0.6.21", "2001:db8::21"]},
        {"mac": FIRST, "addresses": ["10.0.6.22"]},
    ]
    assert macs_of(["10.0.6.22", "2001:DB8::21", FIRST], seen) == [FIRST, SECOND]
    with pytest.raises(ConfigError, match=r"no device on a link") as refused:
        macs_of(["10.0.6.23"], seen)
    assert "write 10.0.6.23 under cidrs" in str(refused.value.hint)


THIRD = "02:00:5e:00:00:03"


def test_devices_leave_only_the_rooms_in_which_they_were() -> None:
    there = Overrides(
        devices=(
            RoomDevices("home-6a", (SECOND, THIRD)),
            RoomDevices("lab-b", (FIRST,)),
        )
    )
    assert moved(POLICY, there, "lab-a", [SECOND]) == [
        {"room": "lab-a", "macs": [SECOND]},
        {"room": "home-6a", "macs": [THIRD]},
    ]
    assert moved(POLICY, there, "home-6a", [SECOND, THIRD]) == []
    added = moved(POLICY, there, "home-6a", [SECOND, FIRST])
    assert added == [
        {"room": "home-6a", "macs": [FIRST, SECOND, THIRD]},
        {"room": "lab-b", "macs": []},
    ]


def test_a_room_that_loses_a_device_keeps_the_others_and_one_without_is_not_named() -> None:
    there = Overrides(
        devices=(RoomDevices("lab-b", (THIRD, SECOND, FIRST)), RoomDevices("home-6a", (FIRST,)))
    )
    assert taken_out(POLICY, there, [THIRD]) == [{"room": "lab-b", "macs": [FIRST, SECOND]}]
    assert taken_out(POLICY, there, ["02:00:5e:00:00:09"]) == []
    alone = Overrides(devices=there.devices[:1])
    assert moved(POLICY, alone, "home-6a", [SECOND])[1:] == [
        {"room": "lab-b", "macs": [FIRST, THIRD]}
    ]


def test_a_room_with_the_devices_of_its_file_again_is_as_the_file_has_it() -> None:
    there = Overrides(devices=(RoomDevices("lab-a", (FIRST, SECOND)),))
    assert taken_out(POLICY, there, [SECOND]) == [{"room": "lab-a", "macs": []}]


def test_a_device_of_the_file_is_taken_out_of_the_room_to_which_a_command_moved_it() -> None:
    there = Overrides(devices=(RoomDevices("lab-a", ()), RoomDevices("lab-b", (FIRST,))))
    assert taken_out(POLICY, there, [FIRST]) == [{"room": "lab-b", "macs": []}]
    still = Overrides(devices=(RoomDevices("lab-a", (FIRST, SECOND)),))
    with pytest.raises(ConfigError, match=r"is in lab-a by site\.yaml"):
        taken_out(POLICY, still, [FIRST])
    others = Overrides(devices=(RoomDevices("lab-b", (SECOND,)),))
    with pytest.raises(ConfigError, match=r"is in lab-a by site\.yaml"):
        taken_out(POLICY, others, [FIRST])


def test_devices_stand_in_order_whatever_the_order_in_which_they_are_known() -> None:
    macs = [f"02:00:5e:00:01:{number:02x}" for number in range(12)]
    there = Overrides(devices=(RoomDevices("lab-b", (*reversed(macs), FIRST)),))
    found = moved(POLICY, there, "home-6a", [FIRST])
    assert found[1] == {"room": "lab-b", "macs": macs}
