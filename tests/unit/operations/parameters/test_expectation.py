# SPDX-License-Identifier: Apache-2.0
"""Expectations are sent as plain data, and checked before any is tried."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.operations.parameters.expectation import MOST, ExpectationsField
from filterd.policy.model import Audience, Expectation

ONE = Expectation(b"\x01a\0", True, Audience.GRADE, "3", "a is blocked for 3", "x.yaml", 7)
PLAIN = to_plain(ONE)
FIELD = ExpectationsField()


def test_what_is_sent_is_read_again() -> None:
    sent = FIELD.arguments((ONE,))
    assert FIELD.sent["wanted"].read(sent["wanted"]) == (ONE,)
    assert FIELD.take({"wanted": (ONE,)}) == (ONE,)


def test_without_any_those_of_a_reload_are_meant() -> None:
    assert FIELD.arguments(None) == {}
    assert FIELD.take({}) is None


@pytest.mark.parametrize(
    "wanted",
    [
        "all",
        {},
        7,
        [{"name": "00"}],
        [{**PLAIN, "at": 1e300}],
        [{**PLAIN, "weekday": 7, "second": 0}],
        [{**PLAIN, "weekday": 0, "second": -1}],
    ],
)
def test_what_is_none_is_refused(wanted: Any) -> None:
    with pytest.raises(ConfigError, match="a list of expectations"):
        FIELD.sent["wanted"].read(wanted)


def test_more_than_the_manager_has_time_for_are_refused() -> None:
    with pytest.raises(ConfigError, match="at most 1000"):
        FIELD.sent["wanted"].read([PLAIN] * (MOST + 1))
