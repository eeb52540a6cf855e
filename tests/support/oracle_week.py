# SPDX-License-Identifier: Apache-2.0
"""Rules that depend on the time: a school's week, and changes by command.

``WeekRules.at`` computes the rules of one moment from the beginning: the grade of each
room and what is closed to it by ``NaiveWeek``, names by looking at every exception. The
result is ordinary rules, so the oracle need not know that they hold for one moment only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.policy.model import TIER_OF_GRADE, BlockResponse, Service
from filterd.policy.temporary_rules import Overrides, TargetKind
from tests.support.naive_week import NaiveWeek
from tests.support.oracle import SERVICE, Guard, Law, Listing, Person
from tests.support.oracle_rules import GRADES, LAB, LONGEST_TTL_S, Rules
from tests.support.policies import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from filterd.policy.model import Holiday, Lesson, Period, Policy, Schedule, Scheduled
    from filterd.policy.temporary_rules import Exam, LocalException

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SUSPENDED_FOR_S = 14 * 86_400
ROOM = LAB.network

SERVICE_NAMES = {
    "chat": ("social-media", ("chat.free", "b.b.example")),
    "play": ("games", ("play.free", "a.a.example")),
    "bad": ("porn", ("bad.free",)),
}
"""By id: category, names."""

NOTHING = Overrides()
_NOWHERE = [("192.0.2.1", 53)] * 3
_OF_SERVICES = tuple(
    Listing(SERVICE + service, category, own=True, name=name)
    for service, (category, names) in SERVICE_NAMES.items()
    for name in names
)


class Edge(NamedTuple):
    """When something begins or ends, and what."""

    at: float
    what: str


@dataclass(frozen=True)
class Week:
    """The times in the files, and what the school keeps closed."""

    lessons: tuple[Lesson, ...] = ()
    timetable: tuple[Period, ...] = ()
    """Of the room ``ROOM``."""
    schedules: tuple[Schedule, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WeekRules(Rules):
    """One epoch of a school with a week; ``said`` is what commands have set by then."""

    week: Week = Week()
    said: Overrides = NOTHING
    _moments: dict[float, Rules] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def at(self, wall: float) -> Rules:
        """Return what holds at a Unix time."""
        if wall not in self._moments:
            plain = {one.name: getattr(self, one.name) for one in fields(Rules)}
            self._moments[wall] = _Moment(**plain, week_rules=self, wall=wall)
            if len(self._moments) > 50:
                del self._moments[next(iter(self._moments))]
        return self._moments[wall]

    def edges(self, now: float, until: float) -> list[float]:
        """Return when anything may begin or end, from just after ``now``, in order."""
        return sorted({edge.at for edge in self.edges_between(now, until)})

    def edges_between(self, now: float, until: float) -> Iterator[Edge]:
        """Yield what begins or ends in (``now``, ``until``]."""
        edges = (*self._dated(), *self._of_the_week(now, until))
        return (edge for edge in edges if now < edge.at <= until)

    def policy(self, servers: Sequence[tuple[str, int]]) -> Policy:
        """Return the same as filterd knows it, but for what commands set."""
        policy, week = super().policy(servers), self.week
        networks = (
            replace(network, room=True, timetable=week.timetable) if network.id == ROOM else network
            for network in policy.networks
        )
        services = {
            one: Service(one, one, one, category, None, tuple(map(wire, names)))
            for one, (category, names) in SERVICE_NAMES.items()
        }
        return replace(
            policy,
            networks=tuple(networks),
            services=services,
            lessons=week.lessons,
            schedules=week.schedules,
            scheduled=week.scheduled,
            holidays=week.holidays,
            kept_closed=week.kept,
        )

    def compile_lists(self, folder: Path) -> Path:
        """Compile the lists, and the services, in a folder and return the index."""
        return Rules.compile_lists(listed_services(self), folder)

    @cached_property
    def naive(self) -> NaiveWeek:
        """The rules of any second."""
        return NaiveWeek(self.policy(_NOWHERE), self.said)

    def lesson_ends_at(self, wall: float) -> float | None:
        """Return when the lesson that is on ends, None between lessons."""
        midnight = _midnight(wall, 0)
        ends = (
            midnight + lesson.ends_s
            for lesson in self.week.lessons
            if midnight + lesson.starts_s <= wall < midnight + lesson.ends_s
        )
        return next(ends, None)

    def laws_at(self, wall: float) -> Iterator[Law]:
        """Yield the rules of files, exceptions and exams about names."""
        yield from self.world.laws
        for exception in self.said.exceptions:
            for name in _names_of(exception):
                yield Law(
                    name,
                    exception.allow,
                    str(exception.audience),
                    exception.whom,
                    exception.starts_at,
                    exception.ends_at,
                )
        exam = self.naive.exam_in(ROOM, wall)
        if exam is not None:
            for name in _names_of_exam(exam):
                yield Law(name, True, "network", exam.room, exam=str(exam.id))

    def _dated(self) -> Iterator[Edge]:
        for law in self.world.laws:
            yield from (Edge(at, "rule") for at in (law.starts_at, law.ends_at) if at is not None)
        for exception in self.said.exceptions:
            ends_at = exception.ends_at
            if exception.kind is TargetKind.ENTRY:
                latest = exception.starts_at + SUSPENDED_FOR_S
                ends_at = latest if ends_at is None else min(ends_at, latest)
            yield Edge(exception.starts_at, f"{exception.kind} exception")
            if ends_at is not None:
                yield Edge(ends_at, f"{exception.kind} exception")
        for setting in self.said.rooms:
            yield Edge(setting.starts_at, "room")
            if setting.ends_at is not None:
                yield Edge(setting.ends_at, "room")
        for exam in self.said.exams:
            yield from (Edge(exam.starts_at, "exam"), Edge(exam.ends_at, "exam"))
        yield from (Edge(grade.starts_at, "policy") for grade in self.said.grades)

    def _of_the_week(self, now: float, until: float) -> Iterator[Edge]:
        days = range(-1, int((until - now) // 86_400) + 2)
        times = {
            ("lesson", at)
            for lesson in self.week.lessons
            for at in (lesson.starts_s, lesson.ends_s)
        }
        times |= {
            ("schedule", at)
            for schedule in self.week.schedules
            for window in schedule.windows
            for at in (window.starts_s, window.ends_s)
        }
        for day in days:
            midnight = _midnight(now, day)
            yield from (Edge(midnight + seconds, what) for what, seconds in times)


@dataclass(frozen=True)
class _Moment(Rules):
    """What holds at a moment."""

    week_rules: WeekRules = field(kw_only=True)
    wall: float = field(kw_only=True)
    _seen: dict[tuple[str, str], Person] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        whole, naive = self.week_rules, self.week_rules.naive
        suspended = sorted(naive.suspended(self.wall))
        guards = (Guard(one, pins=False, subtree=True, entry_only=True) for one in suspended)
        world = replace(
            self.world,
            guards=(*self.world.guards, *guards),
            laws=tuple(whole.laws_at(self.wall)),
            listings=(*self.world.listings, *_OF_SERVICES),
            kept=whole.week.kept,
            zones=(self.delegated,) if self.delegated else (),
        )
        object.__setattr__(self, "world", world)

    @property
    def epoch(self) -> Rules:
        """What was put in force."""
        return self.week_rules

    def edges(self, now: float, until: float) -> list[float]:
        """Return when anything may begin or end, from just after ``now``, in order."""
        return self.week_rules.edges(now, until)

    def seen(self, who: Person) -> Person:
        """Return a client by the rules of the moment."""
        place = who.network, who.address
        if place not in self._seen:
            self._seen[place] = self._sighted(*place)
        found = self._seen[place]
        return who if found == who else found

    def _sighted(self, network: str, address: str) -> Person:
        sight = self.week_rules.naive.sight(network or None, address, self.wall)
        return Person(
            TIER_OF_GRADE[sight.grade],
            sight.grade,
            network,
            address,
            sight.closed | {"category-of-tomorrow"},
            sight.allow_only,
            sight.exam,
        )

    def response(self, who: Person) -> BlockResponse:
        """Return the form of a block for a client."""
        return super().response(who) if who.grade in GRADES else BlockResponse.NXDOMAIN

    def longest_ttl_s(self, who: Person) -> int:
        """Return how long a client may keep an answer."""
        return super().longest_ttl_s(who) if who.grade in GRADES else LONGEST_TTL_S


def listed_services(rules: WeekRules) -> WeekRules:
    """Return the same with what is compiled of services among its lists."""
    listings = (*rules.world.listings, *_OF_SERVICES)
    return replace(rules, world=replace(rules.world, listings=listings))


def second_of_day(wall: float) -> int:
    """Return how many seconds the day of the school is old."""
    shown = datetime.fromtimestamp(wall, ZONE)
    return shown.hour * 3_600 + shown.minute * 60 + shown.second


def day_of(wall: float, ahead: int = 0) -> str:
    """Return the date that the school's calendar shows, or one of so many days later."""
    return (datetime.fromtimestamp(wall, ZONE) + timedelta(days=ahead)).date().isoformat()


def _midnight(wall: float, ahead: int) -> float:
    shown = datetime.fromtimestamp(wall, ZONE) + timedelta(days=ahead)
    return shown.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _names_of(exception: LocalException) -> tuple[str, ...]:
    match exception.kind:
        case TargetKind.NAME:
            return (exception.target,)
        case TargetKind.SERVICE:
            return SERVICE_NAMES[exception.target][1]
        case _:
            return ()


def _names_of_exam(exam: Exam) -> Iterator[str]:
    yield from exam.names
    for service in exam.services:
        yield from SERVICE_NAMES[service][1]
