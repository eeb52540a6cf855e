# SPDX-License-Identifier: Apache-2.0
"""Devices are named by MAC or address, and go to a class or a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.devices import (
    AssignDevices,
    NameDevice,
    UnassignDevices,
    WatchShared,
)

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest

MAC = "02:00:5e:10:00:01"


@pytest.mark.parametrize(
    ("to", "class_id", "network"),
    [
        ("class:6A", "6A", None),
        ("network:lab-a", None, "lab-a"),
        ("network:class:x", None, "class:x"),
    ],
)
def test_devices_go_to_a_class_or_a_network(
    to: str, class_id: str | None, network: str | None
) -> None:
    asked = AssignDevices.read({"devices": f"{MAC}, 10.0.6.21", "to": to})
    assert asked.devices == (MAC, "10.0.6.21")
    assert (asked.class_id, asked.network) == (class_id, network)


def test_an_empty_name_is_that_of_a_device_without_one() -> None:
    assert NameDevice.read({"device": MAC, "name": ""}).arguments == {"device": MAC}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (AssignDevices, {"devices": [], "to": "class:6A"}),
        (AssignDevices, {"devices": [MAC], "to": "lab-a"}),
        (AssignDevices, {"devices": [MAC]}),
        (AssignDevices, {"devices": [MAC] * 257, "to": "class:6A"}),
        (UnassignDevices, {}),
        (NameDevice, {"name": "x"}),
        (NameDevice, {"device": MAC, "name": "x" * 101}),
        (WatchShared, {"for_s": 7_201}),
        (WatchShared, {"for_s": True}),
        (WatchShared, {}),
    ],
)
def test_what_is_wrong_is_refused(kind: type[OperationRequest[Any]], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind.read(given)
