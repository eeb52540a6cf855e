# SPDX-License-Identifier: Apache-2.0
"""One thing is removed at a time, and with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.log_removal import ForgetLookups, PurgeLog
from tests.support.policies import wire

NAME = wire("a.example").hex()


@pytest.mark.parametrize(
    ("given", "sent", "things"),
    [
        ({"name": "*.a.example"}, {"name": NAME, "match": "subtree"}, ["name"]),
        ({"device": "02:00:5e:10:00:01"}, {"device": "02:00:5e:10:00:01"}, ["device"]),
        ({"day": "2026-11-28"}, {"day": "2026-11-28"}, ["day"]),
        ({}, {}, []),
    ],
)
def test_what_is_removed_is_named(
    given: dict[str, Any], sent: dict[str, Any], things: list[str]
) -> None:
    asked = ForgetLookups.read({**given, "reason": "x"})
    assert (asked.arguments, asked.things) == ({**sent, "reason": "x"}, things)
    assert ForgetLookups.read_sent(asked.arguments) == asked


def test_a_part_of_a_name_is_nothing_to_remove() -> None:
    assert ForgetLookups.read_sent({"part": "a", "reason": "x"}).things == []
    with pytest.raises(ConfigError, match="there is no field 'contains'"):
        ForgetLookups.read({"name": "a", "contains": True, "reason": "x"})


@pytest.mark.parametrize("sent", [{}, {"reason": ""}, {"reason": 5}, {"reason": "x" * 5_000}])
def test_a_removal_has_a_reason(sent: dict[str, Any]) -> None:
    for kind, what in ((PurgeLog, {}), (ForgetLookups, {"day": "2026-11-28"})):
        with pytest.raises(ConfigError):
            kind.read_sent({**sent, **what})
