# SPDX-License-Identifier: Apache-2.0
"""Which lookups a follower may choose."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.live_log import FollowLog


def test_a_follower_comes_again_behind_an_event() -> None:
    asked = FollowLog.read({"class": "6A", "since": "7"})
    assert (asked, asked.arguments) == (
        FollowLog(class_="6A", since=7),
        {"class": "6A", "since": 7},
    )


@pytest.mark.parametrize(
    "sent",
    [
        {"class": 5},
        {"grade": 6},
        {"action": "block"},
        {"category": 1},
        {"since": "x"},
        {"since": True},
        {"since": -1},
    ],
)
def test_a_choice_of_another_kind_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        FollowLog.read_sent(sent)
