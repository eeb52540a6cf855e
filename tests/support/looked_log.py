# SPDX-License-Identifier: Apache-2.0
"""A daemon's log with names, for the commands that read and remove them.

Files, pseudonyms, names in memory, site and lists are real; the history notes what it records.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from filterd.base.errors import ConfigError
from filterd.daemon.handlers import log_commands
from filterd.daemon.handlers.control_caller import Caller
from filterd.overrides.rights.permissions import Classroom
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import SchoolClass
from filterd.policy.temporary_rules import Overrides
from filterd.querylog.day_file import DayFiles
from filterd.querylog.lookups import Lookup, LookupBatch, LookupContext
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.querylog.seen_names import SeenNames
from filterd.resolve.explain import client_of, explain
from filterd.resolve.site import Site
from filterd.texts.i18n import UNSAID, say
from tests.support.clock import FakeClock
from tests.support.policies import CATEGORIES, NOW, a_category, a_grade, a_policy, an_index, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY, BEFORE, DAY = "2025-12-01", "2025-11-30", 86_400
MAC = "02:00:5e:10:00:01"

BLOCKED_6A = LookupContext("6", "6A", "lab", "games", "blocked", "of-games")
PASSED_6A = LookupContext("6", "6A", "lab", "", "pass")
PASSED_9B = LookupContext("9", "9B", "hall", "", "pass")

CLASS_6A: dict[str, Any] = {"class": "6A"}
CLASS_9B: dict[str, Any] = {"class": "9B"}
ROOT = Caller(0, "root", frozenset())
CALLERS = {
    role: Caller(1000 + number, role, frozenset({f"filterd-{role}"}))
    for number, role in enumerate(("admin", "teacher", "principal", "inspector", "reader"), 1)
}
"""One user of each role."""


class LookedLog:
    """The log; ``noted`` has what the history recorded, in order.

    The class 6A is of the teacher ``teacher``, 9B of another one.
    """

    def __init__(self, folder: Path, level: LogLevel = LogLevel.FULL) -> None:
        self.clock, self.noted = FakeClock(), list[tuple[Any, ...]]()
        self.folder = folder / "log"
        self.files = DayFiles(self.folder, ZONE)
        self.seen = SeenNames(5)
        self.pseudonyms = Pseudonyms(folder / "log-key", ZONE)
        self.problem = UNSAID
        self.collected = self.rings_emptied = self.silent = 0
        self.lists = {
            "of-games": ("games", "domains", False, ["games.example"]),
            "of-harm": ("self-harm", "domains", False, ["harm.example"]),
        }
        classes = (SchoolClass("6A", "6", ("teacher",)), SchoolClass("9B", "9", ("other",)))
        harm = replace(a_category("self-harm", 18), confidential=True)
        policy = a_policy(categories={**CATEGORIES, "self-harm": harm})
        grades = {
            **policy.grades,
            **{one.id: replace(a_grade(one.grade), class_id=one.id) for one in classes},
        }
        policy = replace(policy, classes=classes, grades=grades, log=QueryLog(level))
        index = an_index(folder, self.lists)
        self.site = Site.of(policy, index, (), None, Overrides(), NOW)
        self._batch = 0

    async def add(self, *lookups: Lookup) -> None:
        """Record lookups as the manager does: rows, names in memory, names of tiers."""
        self._batch += 1
        for lookup in lookups:
            self.seen.add(TODAY, lookup)
        await self.files.write([LookupBatch("worker", self._batch, lookups)])

    def commands(self) -> dict[str, Any]:
        """Return the commands by name."""
        parts = {"site": self.site, "lookups": self, "changes": self, "live": self}
        manager = SimpleNamespace(clock=lambda: {"policy_time": self.clock.wall()}, **parts)
        setting = SimpleNamespace(state=SimpleNamespace(log_days=self.folder), clock=self.clock)
        return log_commands.commands(cast("Any", manager), cast("Any", setting))

    async def ask(self, command: str, caller: Caller = ROOT, **request: Any) -> Any:
        """Return what a command answers."""
        return await self.commands()[command](request, caller)

    @property
    def records(self) -> LookedLog:
        """What explains the past."""
        return self

    def classroom(self, site: Site) -> Classroom:
        """Return what a teacher's rights depend on."""
        now = self.clock.wall()
        return Classroom(site.timed.policy, Overrides(), now, now + DAY, lambda _: None)

    def forget(self) -> None:
        """Note that the events for followers are forgotten."""
        self.rings_emptied += 1

    async def collect_afresh(self) -> None:
        """Note that the workers were asked."""
        self.collected += 1

    async def note_view(self, view: Any, author: Any, about: Any) -> None:
        """Record a look."""
        self.noted.append((view.value, author.name, about))

    async def note(self, _: str, about: dict[str, str], author: Any, reason: str) -> None:
        """Record a removal."""
        self.noted.append((about["what"], about.get("day", ""), author.name, reason))

    async def explain_past(self, _: Site, **asked: Any) -> dict[str, Any]:
        """Explain by the lists; of a time before today nothing is known."""
        if asked["when"] < NOW - DAY / 2:
            raise ConfigError(say("the policy of {time} is not known", time=asked["shown"]))
        client = client_of(self.site, asked["grade"], asked["address"])
        assert client is not None
        qname = bytes.fromhex(asked["qname"])
        return explain(self.site, client, qname, asked["qtype"], asked["when"]).to_plain()


def lookups(
    name: str, context: LookupContext = BLOCKED_6A, devices: Iterable[int] = (1,), at: float = NOW
) -> list[Lookup]:
    """Return a lookup of each device."""
    return [Lookup(int(at), wire(name), context, device) for device in devices]


def run(log: LookedLog, *steps: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Return what steps return that use the log one after the other."""

    async def whole() -> list[Any]:
        try:
            return [await step() for step in steps]
        finally:
            await log.files.close()

    return asyncio.run(whole())
