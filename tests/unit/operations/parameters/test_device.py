# SPDX-License-Identifier: Apache-2.0
"""Devices are written as people have them; where they go has a form."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.device import DESTINATION, DEVICE, DEVICES


def test_a_form_has_devices_as_lines_or_with_commas() -> None:
    assert DEVICES.read("02:00:5e:10:00:01, 10.0.6.21\n::1") == [
        "02:00:5e:10:00:01",
        "10.0.6.21",
        "::1",
    ]


@pytest.mark.parametrize("text", ["class:6A", "class:9/3", "network:lab-a", "network:staff"])
def test_devices_go_to_a_class_or_a_network(text: str) -> None:
    assert DESTINATION.read(text) == text


@pytest.mark.parametrize("text", ["6A", "class:", "room:lab-a", f"class:{'x' * 65}"])
def test_they_go_nowhere_else(text: str) -> None:
    with pytest.raises(ConfigError):
        DESTINATION.read(text)


def test_a_device_has_a_name_of_some_length() -> None:
    for text in ("", "x" * 65):
        with pytest.raises(ConfigError):
            DEVICE.read(text)
