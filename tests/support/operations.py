# SPDX-License-Identifier: Apache-2.0
"""A person whose commands are recorded and answered by a test, in the manager's place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.state_file import to_plain
from filterd.overrides.changes.effects import NOTHING
from filterd.policy import policy_file
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock
from filterd.web.visitor import Visitor
from tests.support.policies import NOW, a_policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from filterd.operations.operation import Operation
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CHANGED: dict[str, Any] = {
    "number": 7,
    "until": None,
    "undone": None,
    "taken_back": None,
    "warnings": [],
}


async def no_events() -> AsyncIterator[Any]:
    """Yield nothing."""
    nothing: tuple[Any, ...] = ()
    for one in nothing:
        yield one


class RecordedVisitor(Visitor):
    """It has what the manager would answer, by command, and notes what is asked."""

    def __init__(
        self,
        policy: Policy | None = None,
        overrides: Overrides = NOTHING,
        answers: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(Path("/nowhere"), texts=Texts("en"), clock=SchoolClock(ZONE, NOW))
        self.answers = {
            "clock": {"policy_time": NOW, "floor": 0.0, "standing": "certain", "shows": NOW},
            "policy": policy_file.dump(policy or a_policy()).decode(),
            "overrides": to_plain(overrides),
            "change": CHANGED,
            **(answers or {}),
        }
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, command: str, **arguments: Any) -> Any:
        self.asked.append((command, arguments))
        return self.answers[command]

    def follow(self, command: str, **arguments: Any) -> AsyncIterator[Any]:
        self.asked.append((command, arguments))
        return no_events()

    def do(self, operation: Operation, /, **values: Any) -> Any:
        """Do an operation as pages and programs do; return its answer."""
        return asyncio.run(self.call(operation, **values))

    def last(self, operation: Operation, /, **values: Any) -> dict[str, Any]:
        """Do an operation, and return the arguments of the last command that it asks."""
        self.do(operation, **values)
        return self.asked[-1][1]
