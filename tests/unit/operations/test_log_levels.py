# SPDX-License-Identifier: Apache-2.0
"""Levels of the log are set and confirmed by changes."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.log_levels import ChangeLogLevel, ConfirmLogLevel


def test_a_level_is_set_for_a_tier_and_a_time() -> None:
    asked = ChangeLogLevel.read({"level": "names", "tier": "primary", "for_s": 60, "reason": "x"})
    assert asked.change == ("log-level", {"level": "names", "tier": "primary", "for_s": 60})


def test_a_level_is_confirmed_by_its_number() -> None:
    assert ConfirmLogLevel.read({"id": 7}).change == ("log-confirm", {"id": 7})


@pytest.mark.parametrize(
    "more",
    [{"level": "some"}, {"level": ""}, {"tier": "all"}, {"for_s": 59}, {"for_s": 7_776_001}],
)
def test_what_is_no_level_of_a_tier_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ChangeLogLevel.read({"level": "names", "reason": "x", **more})
