# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.live_lookups_page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filterd.web.pages.live_lookups_page import PAGE
from tests.support.made_answers import IDS, a_policy_text
from tests.support.policies import NOW
from tests.support.rendered import a_visitor, rendered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.rendered import MadeVisitor

ROW = {"id": 1, "at": NOW, "grade": "6", "class": "6A", "category": "games", "action": "blocked"}
ROW |= {"n": 1, "name": "<b>games.example</b>", "device": 7}
COUNT = {"id": 2, "at": NOW, "grade": "9", "category": "", "action": "pass", "n": 1200}
FRAMES: list[Any] = [
    [{"levels": {"lower-secondary": "blocked"}, "shows_rows": True}],
    None,
    [ROW, COUNT, {"skipped": 3}],
]


def _visitor() -> MadeVisitor:
    clock = {"policy_time": NOW, "floor": NOW}
    overrides: dict[str, Any] = {"number": 0}
    return a_visitor(
        {
            "ids": IDS,
            "policy": a_policy_text(),
            "clock": clock,
            "overrides": overrides,
            "log-follow": FRAMES,
        }
    )


def _live(visitor: MadeVisitor, **query: str) -> list[Any]:
    async def all_of(events: AsyncIterator[Any]) -> list[Any]:
        return [one async for one in events]

    assert PAGE.live is not None
    return asyncio.run(all_of(PAGE.live(visitor, query)))


def test_lookups_and_numbers_come_as_rows_of_text() -> None:
    heartbeat, row, count = _live(_visitor())

    assert heartbeat is None
    assert row["row"] == ["13:30:00", "class 6A", "blocked", "<b>games.example</b>", "games"]
    assert count["row"] == ["13:30:00", "grade 9", "passed", "1\u202f200", ""]


def test_the_choice_of_the_form_is_followed() -> None:
    visitor = _visitor()

    _live(visitor, whom="class:6A", action="blocked")

    assert visitor.asked[1:] == [("log-follow", {"class": "6A", "action": "blocked"})]


def test_without_scripts_the_page_collects_for_some_seconds() -> None:
    shown = rendered(PAGE, _visitor(), wait="on").partition("<tbody>")[2]

    assert "&lt;b&gt;games.example" in shown
    assert shown.index("grade 9") < shown.index("class 6A")


def test_the_page_tells_what_each_level_shows() -> None:
    assert "log level counts: numbers by grade" in rendered(PAGE, _visitor())
