# SPDX-License-Identifier: Apache-2.0
"""A school whose reports are asked for as the control socket does.

Totals, history, requests of pupils and day files are real files, read and written by what the
manager has for each; the manager itself and its roles of classes are stood in for.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from filterd.base.state_folder import StateFolder
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.report_commands import commands
from filterd.daemon.handlers.review_commands import Reviews
from filterd.daemon.handlers.totals_commands import TotalsExport
from filterd.daemon.manager.change_records import Records
from filterd.daemon.manager.log_collector import DistinctKeeper, LogKeeper
from filterd.overrides.history.store import Store
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import Role
from filterd.policy.model import Network, Period, SchoolClass
from filterd.policy.temporary_rules import Overrides
from filterd.querylog.totals_file import TotalsFile
from filterd.reports import report_facts
from tests.support.clock import FakeClock
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.overrides.history.store import Done
    from filterd.policy.model import Policy
    from filterd.querylog import Batch
    from filterd.querylog.service_days import ServiceDay
    from filterd.reports.report_facts import ReportFacts

ZONE, SECRET = ZoneInfo("Asia/Ho_Chi_Minh"), "self-harm"
TODAY = date(2027, 1, 12)
CLASSES = tuple(SchoolClass(f"{grade}{letter}", grade) for grade in ("6", "9") for letter in "AB")
ADMIN = Caller(1002, "lan", frozenset({Role.ADMIN.group}))


def hour_of(day: date, hour: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).timestamp())


@dataclass
class ReportSchool:
    """Stands for the manager; see above."""

    folder: Path
    policy: Policy = field(default_factory=lambda: a_school(CLASSES))
    today: date = TODAY
    noted: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock, self.state = FakeClock(hour_of(self.today, 3)), StateFolder(self.folder)
        self.path = self.state.query_log
        self.changes = self
        self.store = Store(self.state, self.clock)
        self.site = SimpleNamespace(
            policy=self.policy,
            confidential=SimpleNamespace(categories=frozenset({SECRET})),
            timed=SimpleNamespace(policy=self.policy, overrides=Overrides()),
            index=None,
        )
        about = SimpleNamespace(
            state=self.state, clock=self.clock, time=SimpleNamespace(least=self.clock.wall)
        )
        self.records = Records(cast("Any", about), self.store, lambda: cast("Any", self.site))
        self.reviews = Reviews(cast("Any", self), cast("Any", about))

    def classroom(self, _: Any) -> Classroom:
        now = self.clock.wall()
        return Classroom(self.policy, Overrides(), now, now + 3600, lambda _: None)

    async def note_view(self, view: Any, author: Any, about: Any) -> None:
        self.noted.append((view.value, author.name, about["days"]))

    async def change(self, request: dict[str, Any], author: Any) -> dict[str, Any]:
        kind, reason = request.pop("kind"), request.pop("reason")
        done = self.store.change(kind, request, author=author.name, reason=reason)
        return {"number": done.row.number}

    async def note(self, *_: Any) -> None:
        """Record nothing; a refusal is in the figures of requests."""

    def at(self, moment: float) -> None:
        """Set the clock."""
        self.clock.set_wall(moment - self.clock.wall())

    def make(self, kind: str, author: str = "lan", **payload: Any) -> Done:
        """Make a change now."""
        return self.store.change(kind, payload, author=author, reason="bài học")

    def write(self, batch: Batch, service: list[ServiceDay], *, damaged: str = "") -> None:
        """Write the totals, and damage the record of a day."""

        async def whole() -> None:
            store = TotalsFile(self.path, self.clock, lambda: 1_000)
            await store.write([batch], service)
            await store.close()

        asyncio.run(whole())
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.execute("UPDATE days SET minutes = x'ff' WHERE day = ?", (damaged,))
            connection.commit()

    def ask(self, command: str, *roles: Role, **request: Any) -> Any:
        """Return the answer of a command of the control socket."""
        export = TotalsExport(cast("Any", self), self.folder / "published")
        known = commands(cast("Any", self), export, self.reviews)
        caller = Caller(1002, "lan", frozenset(role.group for role in roles))

        async def whole() -> Any:
            # What writes to the disk has a thread, and ends with the loop.
            self.log_keeper = LogKeeper(self.path, self.clock, [], lambda: 400)
            folder, today = self.state.log_days, self.today.isoformat
            self.distinct = DistinctKeeper(folder, self.log_keeper, today, lambda: {SECRET})
            try:
                return await cast("Any", known[command](request, caller))
            finally:
                await self.log_keeper.stop()

        return asyncio.run(whole())

    def report(self, period: str, *roles: Role, **more: Any) -> ReportFacts:
        """Return the facts of a report; outside for a principal, if nothing else is said."""
        days = self.ask("report-period", text=period)
        wanted = {"audience": "outside", **days, **more}
        plain = self.ask("report-facts", *(roles or (Role.PRINCIPAL,)), **wanted)
        return report_facts.from_plain(plain)


def a_school(classes: tuple[SchoolClass, ...], **more: Any) -> Policy:
    """Return the policy of a school with these classes; ``more`` as ``a_policy`` takes it."""
    networks = (
        Network("lab", "6A", timetable=(Period(0, "1", "9A"),), room=True),
        Network("staff", "staff"),
    )
    policy = a_policy(networks=networks, **more)
    grades = dict(policy.grades)
    for one in classes:
        grades[one.id] = replace(grades[one.grade], class_id=one.id)
    return replace(policy, classes=classes, grades=grades, contact="Phòng tư vấn")
