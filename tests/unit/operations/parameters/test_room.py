# SPDX-License-Identifier: Apache-2.0
"""A room has an id."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.room import ROOM


def test_a_room_is_the_id_of_a_network() -> None:
    assert ROOM.read("lab-a") == "lab-a"
    for value in ("", "x" * 65, 7, ["lab-a"]):
        with pytest.raises(ConfigError):
            ROOM.read(value)
