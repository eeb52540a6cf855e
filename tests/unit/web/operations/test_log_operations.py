# SPDX-License-Identifier: Apache-2.0
"""What is asked of the log, and how its pages go on."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.web.operations.log_operations import (
    DAY_NAMES,
    FORGET,
    LEVELS,
    SEARCH,
    SET_LEVEL,
    TOTALS,
)
from tests.support.operations import RecordedVisitor

FOUND: dict[str, Any] = {"rows": [], "seen": [], "cursor": "2026-11-28T07:35:12.3"}
A_VN = b"\x01a\x02vn\0".hex()


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"name": "a.vn"}, {"name": A_VN, "match": "exact"}),
        ({"name": "*.a.vn"}, {"name": A_VN, "match": "subtree"}),
        ({"name": "a.vn", "subtree": "true"}, {"name": A_VN, "match": "subtree"}),
        ({"name": "tok", "contains": True}, {"part": "tok"}),
        ({"class": "6A", "days": "3"}, {"class": "6A", "days": 3}),
        ({"cursor": "2026-11-28T07:35:12.3"}, {"after": "2026-11-28T07:35:12.3"}),
    ],
)
def test_a_search_is_asked_in_wire_form(values: dict[str, Any], asked: dict[str, Any]) -> None:
    visitor = RecordedVisitor(answers={"log search": dict(FOUND)})
    assert visitor.do(SEARCH, **values)["next"] == FOUND["cursor"]
    assert visitor.asked[-1] == ("log search", asked)


def test_a_part_of_a_name_has_nothing_beneath_it() -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        RecordedVisitor().do(SEARCH, name="tok", contains=True, subtree=True)


def test_the_names_of_a_day_come_in_pages() -> None:
    visitor = RecordedVisitor(answers={"log names": {"rows": [], "more": True}})
    assert visitor.do(DAY_NAMES, day="2026-11-28")["next"] == "2"
    visitor.answers["log names"] = {"rows": [], "more": False}
    assert visitor.do(DAY_NAMES, day="2026-11-28", cursor="2")["next"] is None
    assert visitor.asked[-1][1] == {"day": "2026-11-28", "page": 2}


def test_a_level_is_set_and_a_name_forgotten() -> None:
    visitor = RecordedVisitor(
        answers={"log forget": {"removed": "name", "rows": 1, "unreadable": []}}
    )
    assert visitor.last(SET_LEVEL, level="names", tier="primary", reason="x")["kind"] == "log-level"
    asked = visitor.last(FORGET, name="*.a.vn", reason="nhầm")
    assert asked == {"name": A_VN, "match": "subtree", "reason": "nhầm"}
    assert FORGET.done is not None
    sentence = FORGET.done({"rows": 1}, visitor)
    assert visitor.texts(sentence) == "1 row is removed."


def test_levels_are_those_of_the_policy_in_force() -> None:
    sentence = RecordedVisitor().do(LEVELS)
    assert sentence["waiting"] == []
    assert {one["level"] for one in sentence["tiers"]} == {
        one["files"] for one in sentence["tiers"]
    }


def test_totals_have_the_bounds_of_the_files() -> None:
    with pytest.raises(ConfigError, match="from 1 to 400"):
        RecordedVisitor().do(TOTALS, days=401)
