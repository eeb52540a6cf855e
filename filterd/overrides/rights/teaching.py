# SPDX-License-Identifier: Apache-2.0
"""Teaching: a teacher's classes, and the rooms where they sit, in their lessons.

A teacher has the classes that name them in ``site.yaml`` and those lent to them, and the
lessons of a timetable that name them. A class is theirs wherever it sits. A room is theirs for
a time in which one of these is there and no other class is; between lessons it is free. A grade
is theirs if it has classes and all are theirs. In a site without classes the pupils of all
grades are every teacher's. Staff, guests and unknown clients are no teacher's.

The module is pure.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.calendar import Calendar
from filterd.policy.grade_changes import Rooms, Why
from filterd.policy.model import GUEST, STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.grade_changes import Seat
    from filterd.policy.model import Network, Policy
    from filterd.policy.temporary_rules import Overrides

NOT_PUPILS = frozenset((STAFF, GUEST))
"""Grades of people whom no teacher has."""
_MOST_SEATS = 200
"""Of one room looked at: more than the bells of a day."""


class OccupiedRoom(NamedTuple):
    """A room that another class has: which one, from when and until when."""

    seat: str
    since: float
    until: float


class Teaching:
    """The classes and lessons of one teacher in [``starts_at``, ``ends_at``).

    Args:
        policy: that of the site's files, with its timetables.
        overrides: what is set; loans among it.
        teacher: a user of the gateway.
        starts_at: Unix time.
        ends_at: Unix time; None for no end.
    """

    def __init__(
        self,
        policy: Policy,
        overrides: Overrides,
        teacher: str,
        starts_at: float,
        ends_at: float | None,
    ) -> None:
        self._policy, self._overrides, self._teacher = policy, overrides, teacher
        self.starts_at, self._ends_at = starts_at, inf if ends_at is None else ends_at
        self.classes = frozenset(
            [one.id for one in policy.classes if teacher in one.teachers]
            + [
                loan.class_id
                for loan in overrides.loans
                if loan.to == teacher
                and loan.starts_at <= starts_at
                and self._ends_at <= loan.ends_at
            ]
        )
        """Those that are the teacher's all that time."""
        self._own_grades = {one.grade for one in policy.classes if one.id in self.classes}

    def has_class(self, class_id: str) -> bool:
        """Return whether a class is the teacher's, and no unknown client has its rules."""
        return class_id in self.classes and class_id != self._policy.unknown_grade

    def has_grade(self, grade: str) -> bool:
        """Return whether a rule for a grade reaches the teacher's pupils only.

        A rule for the grade of unknown clients reaches them, too.
        """
        unknown = self._policy.grades.get(self._policy.unknown_grade)
        is_of_unknown = unknown is not None and unknown.grade == grade
        return not is_of_unknown and self._has_all_of(grade)

    def has_seat(self, seat: str) -> bool:
        """Return whether a class is the teacher's, or at least one of a grade."""
        if not self._policy.classes:
            return self.is_of_pupils(seat)
        return seat in self.classes or seat in self._own_grades

    def is_of_pupils(self, seat: str) -> bool:
        """Return whether pupils are in a grade or class."""
        grade = self._policy.grades.get(seat)
        return (seat if grade is None else grade.grade) not in NOT_PUPILS

    def _has_all_of(self, grade: str) -> bool:
        if not self._policy.classes:
            return self.is_of_pupils(grade)
        classes = [one.id for one in self._policy.classes if one.grade == grade]
        return bool(classes) and self.classes.issuperset(classes)

    def has_pupils_only(self, room: str) -> bool:
        """Return whether only pupils are at a network in that time; False for none such."""
        network = self._network(room)
        return network is not None and all(
            self.is_of_pupils(seat.grade) for seat, _ in self._seats(network)
        )

    def occupied(self, room: str, *, is_free: bool = False) -> OccupiedRoom | None:
        """Return what another class has of a room in that time.

        It is None if the room is the teacher's.

        Args:
            room: the id of a network; one that the site does not have is no class's.
            is_free: whether the time between lessons is enough.
        """
        network, between = self._network(room), None
        if network is None or not self._policy.classes:
            return None
        for seat, since in self._seats(network):
            if self._is_own(network, seat, since):
                is_free = True
            elif seat.why is Why.BETWEEN or (seat.why is Why.OWN and self._is_bare(network)):
                between = between or OccupiedRoom("", since, seat.span.until)
            else:
                return OccupiedRoom(seat.grade, max(since, self.starts_at), seat.span.until)
        return None if is_free else between

    def may_sit(self, room: str) -> bool:
        """Return whether one of the teacher's classes may sit in a room, at whatever time.

        False where others than pupils may sit there, too.
        """
        network = self._network(room)
        if network is None:
            return False
        seats = {one.grade for one in network.timetable} or {network.grade}
        seats |= {one.grade for one in self._overrides.rooms if one.room == room}
        if not all(map(self.is_of_pupils, seats)):
            return False
        teachers = {one.teacher for one in network.timetable}
        return self._teacher in teachers or any(map(self.has_seat, seats))

    def _network(self, room: str) -> Network | None:
        return next((network for network in self._policy.networks if network.id == room), None)

    def _seats(self, network: Network) -> Iterator[tuple[Seat, float]]:
        at, calendar = self.starts_at, Calendar(self._policy.time_zone)
        for _ in range(_MOST_SEATS):
            if at >= self._ends_at:
                return
            rooms = Rooms(self._policy, self._overrides, calendar, at)
            seat = rooms.seat(network, self._policy.grades)
            yield seat, at
            at = seat.span.until

    def _is_own(self, network: Network, seat: Seat, at: float) -> bool:
        if seat.why is Why.BETWEEN:
            return False
        if seat.why is Why.LESSON and self._teacher == self._teacher_of(network, at):
            return True
        if seat.why is Why.OWN and not network.room and seat.grade not in self.classes:
            return self._has_all_of(seat.grade)  # all of the grade are there, at all times
        return self.has_seat(seat.grade)

    def _is_bare(self, network: Network) -> bool:
        """Return whether a room has no class of its own: commands bring one."""
        return network.room and all(one.id != network.grade for one in self._policy.classes)

    def _teacher_of(self, network: Network, at: float) -> str:
        """Return the teacher in a room by its timetable, "" where that names none."""
        shown = Calendar(self._policy.time_zone).reading(at)
        lessons = {
            lesson.id
            for lesson in self._policy.lessons
            if lesson.starts_s <= shown.second < lesson.ends_s
        }
        periods = (
            one
            for one in network.timetable
            if one.weekday == shown.weekday and one.lesson in lessons
        )
        return next((period.teacher for period in periods), "")
