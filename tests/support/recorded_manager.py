# SPDX-License-Identifier: Apache-2.0
"""A manager whose parts note what handlers have them do."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from filterd.daemon.handlers.control_caller import Caller
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import ADMINS, TEACHERS
from filterd.policy.model import Network
from filterd.policy.temporary_rules import Overrides
from tests.support.policies import a_policy
from tests.support.week import SEVEN

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Caller(0, "root", frozenset())
ADMIN = Caller(1001, "minh", frozenset({ADMINS}))
TEACHER = Caller(1002, "lan", frozenset({TEACHERS}))
READER = Caller(1003, "an", frozenset({"filterd"}))
NETWORKS = [Network("lab", "6", room=True), Network("office", "staff")]


class RecordedPart:
    """Stands for a part of the manager; ``answers`` by the name of a method, else ``{}``."""

    def __init__(self, called: list[tuple[Any, ...]], answers: dict[str, Any]) -> None:
        self._called, self._answers = called, answers

    @property
    def records(self) -> RecordedPart:
        """What the part has distinguished."""
        return self

    def classroom(self, site: Any) -> Classroom:
        """What a teacher's rights depend on."""
        return Classroom(site.policy, Overrides(), SEVEN, SEVEN + 3600, lambda _: None)

    def __getattr__(self, name: str) -> Any:
        async def note(*given: Any, **named: Any) -> Any:
            self._called.append((name, *given, *named.values()))
            return self._answers.get(name, {})

        return note


def run_handler(
    commands: Callable[[Any], dict[str, Any]],
    name: str,
    caller: Caller = ROOT,
    answers: dict[str, Any] | None = None,
    overrides: Overrides | None = None,
    /,
    **request: Any,
) -> tuple[Any, list[tuple[Any, ...]]]:
    """Run a command; return its answer, and what it has the manager do."""
    called: list[tuple[Any, ...]] = []
    part = RecordedPart(called, answers or {})
    site = SimpleNamespace(
        policy=a_policy(networks=NETWORKS),
        timed=SimpleNamespace(overrides=overrides or Overrides()),
    )
    parts = {"changes": part, "rooms": part, "trials": part, "nat": part}
    clock = lambda: {"policy_time": SEVEN, "floor": SEVEN, "not_before": 0.0}  # noqa: E731
    manager = cast("Any", SimpleNamespace(**parts, site=site, clock=clock))

    async def whole() -> Any:
        return await commands(manager)[name](request, caller)

    return asyncio.run(whole()), called
