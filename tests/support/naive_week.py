# SPDX-License-Identifier: Apache-2.0
"""A naive second model of time: the rules at one second, by themselves.

It takes the wall time, looks at every change, and lets the strongest one in force win.
It has no edges, and shares with ``filterd.policy.effective_policy`` only plain data.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.model import GradePolicy, Policy, Window
    from filterd.policy.temporary_rules import Exam, Overrides

ORDER = ("everybody", "tier", "grade", "class", "network", "client")


class Sight(NamedTuple):
    """The view of a client: all closed things, one by one."""

    grade: str
    closed: frozenset[str]
    allow_only: bool
    exam: str
    class_id: str = ""


class Claim(NamedTuple):
    """That something is open or closed; the greater ``weight`` wins."""

    weight: tuple[int, bool, int, int, bool]
    opens: bool
    kind: str
    target: str
    audience: str
    whom: str


class NaiveWeek:
    """A policy and what is set over it."""

    def __init__(self, policy: Policy, overrides: Overrides) -> None:
        self.policy, self.overrides = policy, overrides
        self.zone = ZoneInfo(policy.time_zone)
        self.holidays = {
            date.fromisoformat(holiday.first) + timedelta(days=ahead)
            for holiday in policy.holidays
            for ahead in range(
                (date.fromisoformat(holiday.last) - date.fromisoformat(holiday.first)).days + 1
            )
        }

    def wall(self, second: float) -> datetime:
        """Return what the clock on the wall shows."""
        return datetime.fromtimestamp(second, self.zone).replace(tzinfo=None)

    def is_open(self, windows: tuple[Window, ...], second: float) -> bool:
        """Return whether any of these windows is open."""
        shown = self.wall(second)
        for window in windows:
            for back in (0, 1):
                day = shown.date() - timedelta(days=back)
                midnight = datetime.combine(day, datetime.min.time())
                begins = midnight + timedelta(seconds=window.starts_s)
                ends = midnight + timedelta(seconds=window.ends_s)
                if begins <= shown < ends and self._is_on(window, day):
                    return True
        return False

    def _is_on(self, window: Window, day: date) -> bool:
        if window.first and day < date.fromisoformat(window.first):
            return False
        if window.last and day > date.fromisoformat(window.last):
            return False
        if window.holidays is not None and (day in self.holidays) != window.holidays:
            return False
        return day.weekday() in window.weekdays

    def sights(self, second: float) -> dict[tuple[str | None, str | None], Sight]:
        """Return all views: by network and address, None for unnamed ones."""
        claims = list(self._claims(second))
        addresses = {claim.whom for claim in self._all_claims() if claim.audience == "client"}
        plain = {key: self._sight(claims, key, None, None) for key in self.policy.grades}
        found: dict[tuple[str | None, str | None], Sight] = {}
        for address in (None, *addresses):
            unknown = self.policy.unknown_grade
            found[None, address] = self._sight(claims, unknown, None, address)
            for network in self.policy.networks:
                sitting = self._grade_in(network.id, second, plain)
                exam = self.exam_in(network.id, second)
                found[network.id, address] = self._in_network(
                    claims, sitting, network.id, address, exam
                )
        return found

    def sight(self, network: str | None, address: str, second: float) -> Sight:
        """Return what one address sees: in a network, or in none."""
        claims = list(self._claims(second))
        if network is None:
            return self._sight(claims, self.policy.unknown_grade, None, address)
        (periods,) = (one.timetable for one in self.policy.networks if one.id == network)
        seated = {period.grade for period in periods}
        plain = {key: self._sight(claims, key, None, None) for key in seated}
        sitting = self._grade_in(network, second, plain)
        return self._in_network(claims, sitting, network, address, self.exam_in(network, second))

    def _in_network(
        self,
        claims: list[Claim],
        sitting: tuple[str, bool],
        network: str,
        address: str | None,
        exam: Exam | None,
    ) -> Sight:
        grade, is_known = sitting
        if exam is None:
            sight = self._sight(claims, grade, network, address)
        else:
            sight = self._sight(_without_pauses(claims), grade, network, None)
        if not is_known:
            sight = sight._replace(class_id="")
        return sight if exam is None else sight._replace(allow_only=True, exam=str(exam.id))

    def exam_in(self, network: str, second: float) -> Exam | None:
        """Return the exam that is on in a network."""
        on = [
            exam
            for exam in self.overrides.exams
            if exam.room == network and exam.starts_at <= second < exam.ends_at
        ]
        return max(on, key=lambda one: one.id, default=None)

    def rules(self, second: float) -> set[str]:
        """Return the ids of the rules of names in force, those of the files apart."""
        found = {
            f"exception:{exception.id}"
            for exception in self.overrides.exceptions
            if exception.kind in (TargetKind.NAME, TargetKind.SERVICE)
            and exception.starts_at <= second
            and (exception.ends_at is None or second < exception.ends_at)
        }
        exams = (self.exam_in(network.id, second) for network in self.policy.networks)
        return found | {f"exam:{exam.id}" for exam in exams if exam}

    def suspended(self, second: float) -> set[str]:
        """Return the names whose entries are suspended."""
        return {
            exception.target
            for exception in self.overrides.exceptions
            if exception.kind is TargetKind.ENTRY
            and exception.allow
            and exception.audience is Audience.EVERYBODY
            and exception.starts_at <= second < exception.starts_at + 14 * 86_400
            and (exception.ends_at is None or second < exception.ends_at)
        }

    def _grade_in(
        self, network_id: str, second: float, plain: dict[str, Sight]
    ) -> tuple[str, bool]:
        """Return a grade or class, and whether it is known that no other one sits there."""
        set_ = [
            room
            for room in self.overrides.rooms
            if room.room == network_id
            and room.starts_at <= second
            and (room.ends_at is None or second < room.ends_at)
        ]
        if set_:
            return max(set_, key=lambda one: one.id).grade, True
        (network,) = (one for one in self.policy.networks if one.id == network_id)
        shown = self.wall(second)
        of_day = shown.hour * 3600 + shown.minute * 60 + shown.second
        no_school = shown.date() in self.holidays and not network.on_holidays
        for period in () if no_school else network.timetable:
            for lesson in self.policy.lessons:
                is_on = lesson.starts_s <= of_day < lesson.ends_s
                if is_on and (period.lesson, period.weekday) == (lesson.id, shown.weekday()):
                    return period.grade, True
        if not network.timetable:
            return network.grade, True
        ages = {key: grade.age for key, grade in self.policy.grades.items()}
        strictest = max(
            (period.grade for period in network.timetable),
            key=lambda key: (plain[key].allow_only, len(plain[key].closed), -ages[key]),
        )
        return strictest, len({period.grade for period in network.timetable}) == 1

    def _sight(
        self, claims: list[Claim], key: str, network: str | None, address: str | None
    ) -> Sight:
        grade = self.policy.grades[key]
        groups = {
            "everybody": "",
            "tier": grade.tier,
            "grade": grade.grade,
            "class": grade.class_id,
            "network": network,
            "client": address,
        }
        mine = [claim for claim in claims if groups[claim.audience] == claim.whom]
        if any(one.kind == "pause" for one in mine):
            rest = [one for one in mine if one.kind != "pause"]
            kept = {
                thing
                for thing in self._things()
                if self._outlasts_a_pause(thing) and self._is_closed(thing, grade, rest)
            }
            return Sight(grade.grade, frozenset(kept), False, "", grade.class_id)
        closed = {thing for thing in self._things() if self._is_closed(thing, grade, mine)}
        tier = [one for one in mine if one.kind == "tier" and one.target == grade.tier]
        allow_only = bool(tier) and not max(tier).opens
        return Sight(grade.grade, frozenset(closed), allow_only, "", grade.class_id)

    def _things(self) -> Iterator[str]:
        yield from self.policy.categories
        yield from (f"service:{service}" for service in self.policy.services)

    def _outlasts_a_pause(self, thing: str) -> bool:
        kind, _, bare = thing.rpartition(":")
        group = self.policy.services[bare].group if kind else thing
        category = self.policy.categories[group]
        is_shut = category.locked or category.ordered or not category.sinkhole
        return is_shut or bool({thing, group} & self.policy.kept_closed)

    def _is_closed(self, thing: str, grade: GradePolicy, claims: list[Claim]) -> bool:
        kind, _, bare = thing.rpartition(":")
        group = self.policy.services[bare].group if kind else thing
        about = [claim for claim in claims if claim.kind == "category" and claim.target == group]
        if kind:
            about += [claim for claim in claims if claim.kind == "service" and claim.target == bare]
        category = self.policy.categories[group]
        kept = {thing, group} & self.policy.kept_closed
        if category.locked or category.ordered or kept:
            about = [one for one in about if not one.opens]
        if about:
            return not max(about).opens
        if thing in grade.closed:
            return True
        return bool(kind) and group in grade.closed and thing not in grade.opened

    def _claims(self, second: float) -> Iterator[Claim]:
        schedules = {schedule.id: schedule.windows for schedule in self.policy.schedules}
        yield from (
            claim
            for claim, since, until in self._dated()
            if since <= second and (until is None or second < until)
        )
        for one in self.policy.scheduled:
            if self.is_open(schedules[one.schedule], second):
                yield _claim(2, one.opens, one.kind, one.target, str(one.audience), one.whom)

    def _all_claims(self) -> Iterator[Claim]:
        yield from (claim for claim, _, _ in self._dated())
        for one in self.policy.scheduled:
            yield _claim(2, one.opens, one.kind, one.target, str(one.audience), one.whom)

    def _dated(self) -> Iterator[tuple[Claim, float, float | None]]:
        for grade in self.overrides.grades:
            claim = _claim(
                1, grade.opens, str(grade.kind), grade.target, "grade", grade.grade, grade.id
            )
            yield claim, grade.starts_at, None
        for other in self.overrides.exceptions:
            if other.kind is TargetKind.CATEGORY:
                audience, whom = str(other.audience), other.whom
                claim = _claim(3, other.allow, "category", other.target, audience, whom)
                yield claim, other.starts_at, other.ends_at
            elif other.kind is TargetKind.PAUSE and other.allow:
                hour = other.starts_at + 3600
                claim = _claim(4, True, "pause", "", str(other.audience), other.whom)
                yield claim, other.starts_at, min(other.ends_at or hour, hour)


def _without_pauses(claims: list[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.kind != "pause"]


def _claim(
    layer: int, opens: bool, kind: str, target: str, audience: str, whom: str, newness: int = 0
) -> Claim:
    narrow = kind == "service"
    weight = layer, narrow, ORDER.index(audience), newness, not opens
    return Claim(weight, opens, kind, target, audience, whom)
