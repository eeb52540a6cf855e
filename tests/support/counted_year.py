# SPDX-License-Identifier: Apache-2.0
"""A year of known events in the totals file, and a naive count of them.

It has a gateway that was switched off, a day whose record is damaged, hours of wrong clocks,
small and confidential cells. A report of it is asked for as the control socket does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from filterd.daemon.control_caller import Caller
from filterd.daemon.log_collector import LogKeeper
from filterd.daemon.report_commands import commands
from filterd.daemon.totals_export import TotalsExport
from filterd.overrides.permissions import Classroom
from filterd.overrides.review_requests import ReviewQueue
from filterd.overrides.roles import Role
from filterd.policy.model import TIER_OF_GRADE, Network, Period, SchoolClass
from filterd.policy.temporary_rules import Overrides
from filterd.querylog import Batch, CountRow
from filterd.querylog.device_reach import ReachRow
from filterd.querylog.totals_file import TotalsFile
from filterd.reports import report_facts
from tests.support.clock import FakeClock
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.overrides.history_chain import HistoryRow
    from filterd.policy.model import Policy
    from filterd.querylog.service_days import ServiceDay
    from filterd.reports.report_facts import ReportFacts

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
K, SECRET = 5, "self-harm"
BEGUN, TODAY = date(2026, 2, 10), date(2027, 1, 12)
OFF = frozenset(f"2026-07-{n:02}" for n in range(1, 8))
DAMAGED = "2026-09-13"
CLASSES = tuple(SchoolClass(f"{grade}{letter}", grade) for grade in ("6", "9") for letter in "AB")


class Event(NamedTuple):
    """Equal answers of one device within an hour."""

    hour: int
    grade: str
    class_id: str
    category: str
    action: str
    device: int
    n: int

    @property
    def day(self) -> str:
        """The day of the school."""
        return datetime.fromtimestamp(self.hour, ZONE).date().isoformat()


def hour_of(day: date, hour: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).timestamp())


def events(seed: int = 1) -> Iterator[Event]:
    """Yield what happened from the first day to today, and hours by wrong clocks."""
    dice, day = random.Random(seed), BEGUN
    while day <= TODAY:
        if day.isoformat() not in OFF and day.weekday() < 6:
            for _ in range(dice.choice((4, 12, 60))):
                one = dice.choice(CLASSES)
                category = dice.choice(("", "games", "gambling", SECRET))
                yield Event(
                    hour_of(day, dice.randrange(7, 17)),
                    one.grade,
                    one.id,
                    category,
                    "pass" if not category else "blocked",
                    dice.randrange(1, 14),
                    dice.randrange(1, 40),
                )
        day += timedelta(1)
    for hour in (3600, 4_102_444_800):  # 1970 and 2100
        yield Event(hour, "6", "6A", "games", "blocked", 1, 1_000_000)


def counted(found: list[Event]) -> Batch:
    """Return the events as a worker hands them over: by hour, with the devices of each day."""
    cells, reach = defaultdict[Any, int](int), defaultdict[Any, set[int]](set)
    for one in found:
        is_secret = one.category == SECRET
        grade, class_id = ("", "") if is_secret else (one.grade, one.class_id)
        cells[one.hour, grade, one.category, one.action, class_id] += one.n
        tier = TIER_OF_GRADE.get(grade, "")
        reach[one.day, "tier", tier, one.category, one.action].add(one.device)
        if grade:
            reach[one.day, "grade", grade, one.category, one.action].add(one.device)
    rows = [
        CountRow(hour, grade, category, action, n, "lab", class_id=class_id)
        for (hour, grade, category, action, class_id), n in cells.items()
    ]
    devices = [ReachRow._make((*key, min(len(of), K))) for key, of in reach.items()]
    return Batch("w", 1, tuple(rows), reach=tuple(devices))


@dataclass
class ReportSchool:
    """Stands for the manager; the totals are in a real file."""

    folder: Path
    policy: Policy = field(default_factory=lambda: a_school(CLASSES))
    today: date = TODAY
    history: tuple[HistoryRow, ...] = ()
    mistakes: tuple[Any, ...] = ()
    queue: ReviewQueue = field(default_factory=ReviewQueue)
    noted: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        now = hour_of(self.today, 3)
        self.clock = FakeClock(now)
        self.path = self.folder / "totals.sqlite3"
        self.log_keeper = LogKeeper(self.path, self.clock, [], lambda: 400)
        self.changes = self.records = self.distinct = self
        self.site = SimpleNamespace(
            policy=self.policy,
            confidential=SimpleNamespace(categories=frozenset({SECRET})),
            timed=SimpleNamespace(policy=self.policy, overrides=Overrides()),
        )

    def classroom(self, _: Any) -> Classroom:
        now = self.clock.wall()
        return Classroom(self.policy, Overrides(), now, now + 3600, lambda _: None)

    async def note_view(self, view: Any, author: Any, about: Any) -> None:
        self.noted.append((view.value, author.name, about["days"]))

    async def catch_up(self) -> None:
        """Count distinct names; there are no day files."""

    async def past(self) -> tuple[tuple[HistoryRow, ...], tuple[Any, ...]]:
        return self.history, self.mistakes

    async def figures(self, first: str, last: str) -> Any:
        return self.queue.figures(first, last)

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
        known = commands(cast("Any", self), export, cast("Any", self))
        caller = Caller(1002, "lan", frozenset(role.group for role in roles))

        async def whole() -> Any:
            return await cast("Any", known[command](request, caller))

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
