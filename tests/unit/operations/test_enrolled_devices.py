# SPDX-License-Identifier: Apache-2.0
"""A device is named by its id, and enrolled by a code with a name and a PIN."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.enrolled_devices import RedeemDevice, RevokeDevice


@pytest.mark.parametrize("id_", [None, "", 7, "x" * 65])
def test_a_device_has_an_id(id_: Any) -> None:
    with pytest.raises(ConfigError):
        RevokeDevice.read({"id": id_})


@pytest.mark.parametrize("given", [{"pin": 482913}, {"code": [0]}, {"name": "x" * 65}])
def test_hostile_values_enrol_nothing(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        RedeemDevice.read({"code": "x", "name": "một", "pin": "482913", **given})
