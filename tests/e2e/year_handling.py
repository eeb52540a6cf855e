# SPDX-License-Identifier: Apache-2.0
"""Service, distinct names, changes, mistakes and requests of a year, and naive figures of them.

All is planted where the manager keeps it: the history, the queue of requests, day files, the
table of days. The figures come from the plan alone. The time zone has no summer time.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from functools import partial
from statistics import median_low
from typing import TYPE_CHECKING, Any, cast

from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.overrides.review_requests import PupilRequest
from filterd.querylog.lookups import LookupContext
from filterd.querylog.service_days import ServiceDay
from tests.support.day_lookups import Known, Looked, write_day
from tests.support.indexes import a_list
from tests.support.report_school import ADMIN, ZONE
from tests.support.report_year import CATEGORIES, CLASSES, CONFIDENTIAL, FIRST, NO_SERVICE, TIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.report_school import ReportSchool

DAY_S, MINUTE_S, DAYS = 86_400, 60, 365
BEGIN = int(datetime(2026, 1, 1, tzinfo=ZONE).timestamp())
END = BEGIN + DAYS * DAY_S
DAMAGED = date(2026, 9, 14)
WRONG_CLOCKS = ("1970-01-01", "2099-01-01")
MOST_GAPS = 20


def worded(seconds: int) -> str:
    """Return a duration in English."""
    for size, unit in ((DAY_S, "days"), (3_600, "hours"), (MINUTE_S, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def days_worded(days: list[date]) -> str:
    """Return days in English, those that follow each other as a span."""
    spans: list[list[date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][-1] == timedelta(1):
            spans[-1].append(day)
        else:
            spans.append([day])
    texts = ([f"{one:%d/%m/%Y}" for one in (span[0], span[-1])] for span in spans)
    return ", ".join(a if a == b else f"from {a} to {b}" for a, b in texts)


class YearService:
    """Minutes without service, by their number in the year; records of days."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self.dark = {
            self._minute(day, 0) + n for day in (*NO_SERVICE, DAMAGED) for n in range(1_440)
        }
        for n in range(26):  # more than a report names; one is over midnight
            begin = self._minute(FIRST + timedelta(14 + 13 * n), 1_430 if n == 5 else 600)
            self.dark |= set(range(begin, begin + 7 * (n + 1)))
        self.records = [
            ServiceDay(
                day.isoformat(),
                sum(1 << n for n in range(1_440) if self._minute(day, n) not in self.dark),
                f"list {day}",
                dice.randrange(1_000, 500_000),
                dice.choice((0, 20, 50)),
                dice.choice((0, 0, 4)),
                dice.choice((0, 0, 3, 40)),
            )
            for day in (FIRST + timedelta(n) for n in range(DAYS))
            if day not in NO_SERVICE
        ]

    @property
    def planted(self) -> list[ServiceDay]:
        """All records, with those of wrong clocks."""
        return [*self.records, *(ServiceDay(one, 7, "x", 9**9, 9, 9, 9) for one in WRONG_CLOCKS)]

    @staticmethod
    def _minute(day: date, minute: int) -> int:
        return (day - FIRST).days * 1_440 + minute

    def figures(self, days_with_counts: set[date]) -> dict[str, str]:
        """Return the figures by id."""
        dark_of = Counter(one // 1_440 for one in self.dark)
        idle = [n for n in range(DAYS) if FIRST + timedelta(n) not in days_with_counts]
        ages = (record.lists_age_s or 0 for record in self.records)
        return {
            "days": str(DAYS),
            "days-in-service": str(sum(dark_of[n] < 1_440 for n in range(DAYS))),
            "service-share": str(round(100 * (1 - len(self.dark) / (DAYS * 1_440)), 2)),
            "days-unused": str(sum(n not in dark_of for n in idle)),
            "outages": str(len(self.gaps())),
            "lists-version": "list 2026-12-31",
            "lists-age": worded(max(ages)),
            "tests-passed": str(sum(record.passed or 0 for record in self.records)),
            "tests-failed": str(sum(record.failed or 0 for record in self.records)),
        }

    def missing(self, days_with_counts: set[date]) -> list[date]:
        """Return the days without counts that were not wholly in service."""
        days = {FIRST + timedelta(one // 1_440) for one in self.dark}
        return sorted(days - days_with_counts)

    def gaps(self) -> list[tuple[int, int]]:
        """Return begin and end of the times without service, Unix times."""
        edges = [one for one in sorted(self.dark) if one - 1 not in self.dark]
        ends = [one + 1 for one in sorted(self.dark) if one + 1 not in self.dark]
        return [
            (BEGIN + begin * MINUTE_S, BEGIN + end * MINUTE_S)
            for begin, end in zip(edges, ends, strict=True)
        ]

    def gap_table(self) -> dict[tuple[str, str], str]:
        """Return the cells of the table of the longest gaps."""
        longest = sorted(self.gaps(), key=lambda gap: gap[0] - gap[1])[:MOST_GAPS]
        cells = {}
        for begin, end in longest:
            row = f"{datetime.fromtimestamp(begin, ZONE):%H:%M %d/%m/%Y}"
            cells[row, "Until"] = f"{datetime.fromtimestamp(end, ZONE):%H:%M %d/%m/%Y}"
            cells[row, "Duration"] = worded(end - begin)
        return cells


class YearNames:
    """Blocked names of some days: of classes of the lower tier, of the whole upper tier."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self.rows, self.seen = (
            defaultdict[str, set[tuple[str, str, str]]](set),
            defaultdict[str, set[tuple[str, str, str]]](set),
        )
        """By day: class, category and name; tier, category and name."""
        days = "2026-02-20", "2026-05-21", "2026-11-20", "2026-12-31", "2027-01-02", *WRONG_CLOCKS
        for day in days:
            for _ in range(60):
                class_id, category = dice.choice([*CLASSES]), dice.choice(CATEGORIES)
                name = f"n{dice.randrange(9)}.example"
                self.seen[day].add((TIERS[CLASSES[class_id]], category, name))
                if class_id != "10A":
                    self.rows[day].add((class_id, category, name))
        # The level of the lower tier was raised in the course of this day.
        self.seen["2026-05-21"].add(("lower-secondary", "games", "early.example"))

    def plant(self, school: ReportSchool) -> None:
        """Write the day files, and a damaged one."""
        for day, seen in self.seen.items():
            looked = [
                Looked(n, name, LookupContext(CLASSES[of], of, "lab", category, "blocked"), 1 + n)
                for n, (of, category, name) in enumerate(sorted(self.rows[day]))
            ]
            passed = Looked(0, "open.example", LookupContext("6", "6A", "lab", "", "pass"))
            known = [
                Known(tier, name, "blocked", category) for tier, category, name in sorted(seen)
            ]
            write_day(school.state.log_days, day, [*looked, passed], known)
        (school.state.log_days / "2026-04-20.sqlite3").write_bytes(b"damaged" * 999)

    def counted(self) -> Iterator[tuple[str, str, int]]:
        """Yield class, category and n; the class is empty where only the tier is known."""
        for day in self.seen:
            if not day.startswith("2026-"):
                continue
            for tier, category in {one[:2] for one in self.seen[day]} - {
                (tier, CONFIDENTIAL) for tier in TIERS.values()
            }:
                of_tier = {one[2] for one in self.seen[day] if one[:2] == (tier, category)}
                rows = [
                    one
                    for one in self.rows[day]
                    if (TIERS[CLASSES[one[0]]], one[1]) == (tier, category)
                ]
                if of_tier == {name for *_, name in rows}:
                    for class_id, n in Counter(row[0] for row in rows).items():
                        yield class_id, category, n
                else:
                    yield "", category, len(of_tier)


class YearHandling:
    """Changes, mistakes and requests from before the year until after it."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)

        def some(n: int) -> list[int]:
            """Return moments, also before the year and after it."""
            days = dice.sample(range(-40, DAYS + 8), n)
            return [BEGIN + day * DAY_S + 60 * dice.randrange(420, 1_000) for day in sorted(days)]

        self.exceptions = [(at, dice.random() < 0.6, dice.random() < 0.2) for at in some(40)]
        """Begin, whether it allows, whether it is taken back."""
        self.pauses = [(at, 10, dice.choice((4, 10))) for at in some(15)]
        """Begin, minutes as set, minutes until it ended."""
        self.pauses.append((END - 2 * MINUTE_S, 5, 5))
        took = (3 * 3_600, 2 * DAY_S, 9 * DAY_S, 40 * DAY_S, None, None)
        self.mistakes = [(at, dice.choice(took)) for at in some(14)]
        """Moment of the report, seconds until it was mended."""
        self.requests = [
            (at, dice.choice((0, 1, 2, 20, None)), dice.random() < 0.7) for at in some(30)
        ]
        """Moment, days until the decision, whether it was approved."""
        self.full = (BEGIN + 70 * DAY_S + 36_000, BEGIN + 73 * DAY_S)
        """Begin and end of the level full of the lower tier."""

    def plant(self, school: ReportSchool) -> None:
        """Let all of it happen, in order."""
        todo: list[tuple[int, Callable[[], Any]]] = []
        for at, allow, is_undone in self.exceptions:
            todo.append((at, partial(_except, school, allow, is_undone)))
        for at, minutes, held in self.pauses:
            todo.append((at, partial(_pause, school, minutes)))
            if held < minutes:
                todo.append((at + held * MINUTE_S, partial(_end_pause, school)))
        names = {at: f"m{at}.example" for at, _ in self.mistakes}
        for at, took in self.mistakes:
            todo.append((at, partial(school.make, "report-mistake", name=names[at])))
            if took is not None and at + took < END:
                todo.append((at + took, partial(self._mend, school, names)))
        for at, days, is_approved in self.requests:
            name = f"r{at}.example"
            todo.append((at, partial(_ask, school, name)))
            if days is not None:
                moment = at + days * DAY_S + 30
                todo.append((moment, partial(_decide, school, name, is_approved)))
        todo.append((self.full[0], partial(_log_all, school, self.full[1])))
        todo.append((0, partial(_except, school, True, False)))  # by a wrong clock
        now = school.clock.wall()
        for moment, act in sorted(todo, key=lambda one: one[0]):
            school.at(moment)
            act()
        school.at(now)

    def _mend(self, school: ReportSchool, names: dict[int, str]) -> None:
        """Let lists become active that lack the names mended by now."""
        now = int(school.clock.wall())
        wrong = [names[at] for at, took in self.mistakes if took is None or at + took > now]
        folder = school.folder / f"lists-{now}"
        folder.mkdir()
        source = a_list(folder, "".join(f"{one}\n" for one in ("other.example", *wrong)))
        compile_lists([source], target=folder / "index", now=now)
        school.site.index = Index.open(folder / "index")
        school.records.note(cast("Any", school.site))

    def figures(self) -> dict[str, str]:
        """Return the figures by id."""
        reported = [mistake for mistake in self.mistakes if BEGIN <= mistake[0] < END]
        took = [one for at, one in reported if one is not None and at + one < END]
        made = [request for request in self.requests if BEGIN <= request[0] < END]
        decided = [
            (days, is_approved, at + days * DAY_S + 30)
            for at, days, is_approved in self.requests
            if days is not None and BEGIN <= at + days * DAY_S + 30 < END
        ]
        allowed = [
            allow for at, allow, undone in self.exceptions if not undone and BEGIN <= at < END
        ]
        n_approved = sum(one[1] for one in decided)
        pauses = [
            min(at + held * MINUTE_S, END) - at for at, _, held in self.pauses if BEGIN <= at < END
        ]
        return {
            "mistakes-reported": str(len(reported)),
            "mistakes-mended": str(len(took)),
            "mend-time": worded(median_low(took)),
            "requests": str(len(made)),
            "requests-approved": str(n_approved),
            "requests-refused": str(len(decided) - n_approved),
            "request-time": worded(median_low(one[0] for one in decided) * DAY_S),
            "exceptions-allowed": str(sum(allowed) + n_approved),
            "exceptions-blocked": str(len(allowed) - sum(allowed)),
            "pauses": str(len(pauses)),
            "pause-minutes": str(sum(pauses) // MINUTE_S),
        }


def _except(school: ReportSchool, allow: bool, is_undone: bool) -> None:
    target = f"x{school.clock.wall():.0f}.example"
    done = school.make("exception", target_kind="name", target=target, allow=allow)
    if is_undone:
        school.make("undo", number=done.row.number)


def _pause(school: ReportSchool, minutes: int) -> None:
    ends_at = school.clock.wall() + minutes * MINUTE_S
    school.make("pause", audience="network", whom="lab", ends_at=ends_at)


def _end_pause(school: ReportSchool) -> None:
    pauses = [
        exception.id for exception in school.store.current().exceptions if exception.kind == "pause"
    ]
    school.make("revoke", id=max(pauses))


def _log_all(school: ReportSchool, ends_at: int) -> None:
    done = school.make("log-level", level="full", tier="lower-secondary", ends_at=float(ends_at))
    (setting,) = done.overrides.log_settings
    school.make("log-confirm", author="minh", id=setting.id)


def _ask(school: ReportSchool, name: str) -> None:
    asyncio.run(school.reviews.note(PupilRequest(0, name, "6", "lower-secondary", "lesson", "")))


def _decide(school: ReportSchool, name: str, is_approved: bool) -> None:
    async def decide() -> None:
        known = school.reviews.commands()
        (number,) = (
            one["id"] for one in await known["requests list"]({}, ADMIN) if one["name"] == name
        )
        verb, term = ("approve", {"permanent": True}) if is_approved else ("refuse", {})
        await known[f"requests {verb}"]({"id": number, "reason": "bài học", **term}, ADMIN)

    asyncio.run(decide())
