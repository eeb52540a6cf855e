# SPDX-License-Identifier: Apache-2.0
"""The effective policy: time compiled out, valid for one interval.

The site's files have rules by day; commands set rules with an end. ``at`` makes of both,
for one moment, a policy without any time in it: rooms are networks of one grade, what
schedules close is closed, exceptions are rules, ``log`` has the level of each tier. Engine,
overlay and fast path need nothing else. At an edge another policy takes its place.

Precedence: locked and ordered, an exam, a pause, an exception, a schedule, a setting of a
grade, the files. Rules of names keep their dates, from which the engine derives how long its
verdict on a name holds, so that no device caches it for longer; they are included
before they begin, and until they end.

A grade that has other categories closed in one network than elsewhere, or for one
address, is included twice: ``GradePolicy.variant`` distinguishes the copies.
"""

from __future__ import annotations

from dataclasses import field, replace
from math import inf
from typing import TYPE_CHECKING

from filterd.base.errors import WireError
from filterd.base.value_class import frozen
from filterd.lists.rules import Protection
from filterd.policy import log_levels
from filterd.policy.calendar import ALWAYS, Calendar, Interval, Openings
from filterd.policy.grade_changes import (
    Changer,
    Dated,
    Layer,
    Rooms,
    Seat,
    Why,
    dated_changes,
    term,
    with_devices,
)
from filterd.policy.model import Audience, Client, LocalRule
from filterd.policy.temporary_rules import Overrides, TargetKind
from filterd.policy.unknown_time import (
    Certainty,
    band,
    is_confirmed,
    undated,
    without_dates,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.policy.log_levels import QueryLog
    from filterd.policy.model import GradePolicy, Network, Policy
    from filterd.policy.temporary_rules import Exam, LocalException
    from filterd.texts.rows import SchoolClock

LONGEST_SUSPENSION_S = 14 * 86_400.0
"""How long an entry of a list may be suspended at most."""

_NOTHING_CERTAIN = Certainty()
_MOST_KNOWN = 10_000
"""Clients whose next edge is memorised; as many as ``clients`` memorises."""


@frozen
class EffectivePolicy:
    """The policy that holds in [``since``, ``until``).

    Attributes:
        policy: an effective one, without time.
        since: when it began to hold, so that a clock that is set back is noticed.
        until: when another one may hold; infinite for never.
        changes: what is open or closed for a time, active or not.
        seats: the grade in each network, exams apart.
        exams: by network, the exam that is on.
        terms: by network, how long no exam there begins or ends; by "", no entry's suspension.
    """

    policy: Policy
    since: float = -inf
    until: float = inf
    changes: tuple[Dated, ...] = ()
    seats: dict[str, Seat] = field(default_factory=dict)
    exams: dict[str, Exam] = field(default_factory=dict)
    terms: dict[str, Interval] = field(default_factory=dict)
    _edges: dict[tuple[str | None, str, str | None], float] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def is_confirmed(self) -> bool:
        """Whether the time is confirmed."""
        return is_confirmed(self.until)

    def holds_at(self, now: float) -> bool:
        """Return whether it holds at this moment."""
        return self.since <= now < self.until

    def until_of(self, network: str | None, grade: str, address: str | None = None) -> float:
        """Return the next edge that concerns a client, infinite for none.

        Rules of names have their own edges, which the engine's verdicts have.

        Args:
            network: its id, None for a client of no network.
            grade: the key of the client's grade in ``policy.grades``.
            address: the client's, if it is known.
        """
        if not self.is_confirmed:
            return inf if self.until == band(self.since)[1] else self.until
        key = network, grade, address
        edge = self._edges.get(key)
        if edge is None:
            if len(self._edges) >= _MOST_KNOWN:
                self._edges.clear()
            edge = self._edges[key] = self._edge(network, grade, address)
        return edge

    def _edge(self, network: str | None, grade: str, address: str | None) -> float:
        own = self.policy.grades.get(grade)
        if own is None:
            return self.until
        seat = self.seats.get(network or "")
        edges = [self.terms.get(key, ALWAYS).until for key in ("", network or "")]
        client = Client(own, network, address)
        edges += (change.span.until for change in self.changes if change.change.concerns(client))
        if seat is not None:
            edges.append(seat.span.until)
            if seat.why is Why.BETWEEN:  # which grade is the strictest depends on all of them
                edges.append(self.until)
        return min(edges)


@frozen
class EffectiveState:
    """The policy of the site's files, what is set over it, and what the two make now."""

    policy: Policy
    overrides: Overrides
    moment: EffectivePolicy
    clock: SchoolClock


def at(
    policy: Policy, overrides: Overrides, now: float, certain: Certainty = _NOTHING_CERTAIN
) -> EffectivePolicy:
    """Return the effective policy of the site's files and overrides at a policy time.

    A target that the policy does not have, a room that is gone or an invalid name, has no
    effect. While the time is not confirmed it is the closed side of all possible times.

    Args:
        policy: of the site's files.
        overrides: those of commands.
        now: policy time (``policy.unknown_time``).
        certain: what is certain about it, where it is not confirmed.
    """
    if not is_confirmed(now):
        plain = undated(policy, overrides, now, certain)
        is_open = {one.schedule: (True, ALWAYS) for one in plain.policy.scheduled}
        compiled = _Compiler(plain.policy, plain.overrides, 0.0, is_open).moment()
        first, last = band(now)
        return replace(compiled, since=first, until=min(now + plain.for_s, last))
    overrides = without_dates(overrides)
    is_timeless = not policy.scheduled and not any(network.timetable for network in policy.networks)
    if is_timeless and replace(overrides, number=0) == Overrides():
        return EffectivePolicy(policy)
    return _Compiler(policy, overrides, now).moment()


class _Compiler:
    """Compiler of one effective policy."""

    def __init__(
        self,
        policy: Policy,
        overrides: Overrides,
        now: float,
        is_open: dict[str, tuple[bool, Interval]] | None = None,
    ) -> None:
        self._policy, self._overrides, self._now = policy, overrides, now
        calendar = Calendar(policy.time_zone)
        self._rooms = Rooms(policy, overrides, calendar, now)
        if is_open is None:
            is_open = _open_now(policy, calendar, now)
        self._changes = dated_changes(policy, overrides, is_open, now)
        self._in_force = [change.change for change in self._changes if change.holds]
        self._changer = Changer(policy)
        self._exams: dict[str, Exam] = {}
        self._terms: dict[str, Interval] = {}
        rooms = {network.id for network in policy.networks}
        for exam in overrides.exams:
            if exam.room in rooms and self._is_on(exam.room, exam.starts_at, exam.ends_at):
                newest = self._exams.setdefault(exam.room, exam)
                self._exams[exam.room] = max(newest, exam, key=lambda one: one.id)
        self._dated_rules = ALWAYS

    def moment(self) -> EffectivePolicy:
        """Return the effective policy."""
        policy = self._policy
        grades = {key: self._changed(Client(one)) for key, one in policy.grades.items()}
        networks: list[Network] = []
        seats: dict[str, Seat] = {}
        for network in with_devices(policy, self._overrides):
            seat = seats[network.id] = self._rooms.seat(network, grades)
            grade = self._of_network(seat, network.id)
            grades.setdefault(grade.key, grade)
            networks.append(replace(network, grade=grade.key, timetable=()))
        plain = replace(
            policy,
            grades=grades,
            networks=tuple(networks),
            rules=(*policy.rules, *self._rules()),
            protections=(*policy.protections, *self._suspensions()),
            clients=self._clients(grades, networks, seats),
            lessons=(),
            holidays=(),
            schedules=(),
            scheduled=(),
            log=self._log(),
        )
        span = self._dated_rules
        spans = [change.span for change in self._changes] + [one.span for one in seats.values()]
        spans += (term(*one, self._now)[1] for one in log_levels.terms(self._overrides))
        for goes_on in (*spans, *self._terms.values()):
            span = span.joined(goes_on)
        return EffectivePolicy(
            plain, span.since, span.until, tuple(self._changes), seats, self._exams, self._terms
        )

    def _log(self) -> QueryLog:
        """Return the query log with the level of each tier as it is now."""
        if not self._overrides.log_settings:
            return self._policy.log
        now = log_levels.levels(self._policy, self._overrides, self._now)
        return replace(self._policy.log, tiers={tier: one.level for tier, one in now.items()})

    def _is_on(self, key: str, starts_at: float, ends_at: float | None) -> bool:
        holds, span = term(starts_at, ends_at, self._now)
        self._terms[key] = span.joined(self._terms.get(key, ALWAYS))
        return holds

    def _changed(self, client: Client, variant: str = "", *, exam: bool = False) -> GradePolicy:
        """Return a grade with the changes for one client.

        A pause opens nothing in an exam.
        """
        mine = [change for change in self._in_force if change.concerns(client)]
        if exam:
            mine = [change for change in mine if change.layer is not Layer.PAUSE]
        return replace(self._changer.apply(client.grade, mine), variant=variant)

    def _of_network(self, seat: Seat, network: str) -> GradePolicy:
        exam, seated = self._exams.get(network), self._policy.grades[seat.grade]
        own = [one.whom for one in self._in_force if one.audience is Audience.NETWORK]
        hides_class = seat.is_shared and seated.class_id != ""
        is_apart = exam is not None or network in own or hides_class
        variant = network if is_apart else ""
        grade = self._changed(Client(seated, network), variant, exam=exam is not None)
        if hides_class:
            grade = replace(grade, class_id="")
        return grade if exam is None else replace(grade, allow_only=True, exam=str(exam.id))

    def _clients(
        self, grades: dict[str, GradePolicy], networks: Iterable[Network], seats: dict[str, Seat]
    ) -> dict[str, dict[str, str]]:
        """Return the grades of addresses for which something is opened or closed.

        Args:
            grades: those are added.
            networks: the client may be in any of them, or in none.
            seats: the grades in them.
        """
        addresses = {one.whom for one in self._in_force if one.audience is Audience.CLIENT}
        places: list[tuple[str | None, str, str]] = [
            (None, self._policy.unknown_grade, self._policy.unknown_grade)
        ]
        places += ((one.id, seats[one.id].grade, one.grade) for one in networks)
        clients: dict[str, dict[str, str]] = {}
        for address in sorted(addresses):
            instead = clients[address] = {}
            for network, seated, key in places:
                if grades[key].exam:
                    continue
                client = Client(self._policy.grades[seated], network, address)
                variant = "/".join(part for part in (grades[key].variant, address) if part)
                grade = self._changed(client, variant)
                grade = replace(grade, class_id=grades[key].class_id)
                grades[grade.key] = grade
                instead[key] = grade.key
        return clients

    def _rules(self) -> Iterator[LocalRule]:
        """Yield rules of names: of exceptions until they end, of exams while they are on."""
        for exception in self._overrides.exceptions:
            if exception.kind not in (TargetKind.NAME, TargetKind.SERVICE):
                continue
            if exception.ends_at is not None and exception.ends_at <= self._now:
                self._dated_rules = self._dated_rules.joined(Interval(exception.ends_at, inf))
                continue
            self._dated_rules = self._dated_rules.joined(
                Interval(-inf, inf if exception.ends_at is None else exception.ends_at)
            )
            for name in self._names_of(exception):
                yield LocalRule(
                    f"exception:{exception.id}",
                    name,
                    exception.allow,
                    exception.audience,
                    exception.whom,
                    exception.reason,
                    exception.author,
                    exception.starts_at,
                    exception.ends_at,
                )
        for exam in self._exams.values():
            for name in (*_wire(exam.names), *self._of_services(exam.services)):
                yield LocalRule(
                    f"exam:{exam.id}",
                    name,
                    allow=True,
                    audience=Audience.NETWORK,
                    whom=exam.room,
                    reason=exam.reason,
                    author=exam.author,
                    starts_at=exam.starts_at,
                    ends_at=exam.ends_at if exam.ends_at < inf else None,
                    exam=str(exam.id),
                )

    def _names_of(self, exception: LocalException) -> Iterator[bytes]:
        if exception.kind is TargetKind.SERVICE:
            return self._of_services([exception.target])
        return _wire([exception.target])

    def _of_services(self, wanted: Iterable[str]) -> Iterator[bytes]:
        for one in wanted:
            if one in self._policy.services:
                yield from self._policy.services[one].names

    def _suspensions(self) -> Iterator[Protection]:
        for exception in self._overrides.exceptions:
            if not suspends(exception):
                continue
            latest = exception.starts_at + LONGEST_SUSPENSION_S
            ends_at = latest if exception.ends_at is None else min(exception.ends_at, latest)
            if self._is_on("", exception.starts_at, ends_at):
                for name in _wire([exception.target]):
                    yield Protection(name, reason=exception.reason, entry_only=True)


def suspends(exception: LocalException) -> bool:
    """Return whether an exception suspends list entries, which affects all clients."""
    return (
        exception.kind is TargetKind.ENTRY
        and exception.allow
        and exception.audience is Audience.EVERYBODY
    )


def _open_now(policy: Policy, calendar: Calendar, now: float) -> dict[str, tuple[bool, Interval]]:
    """Return the schedules that are open, and for how long; unused ones apart."""
    used = {one.schedule for one in policy.scheduled}
    shown = calendar.reading(now)
    return {
        schedule.id: (openings.state(shown), calendar.span(openings, now))
        for schedule in policy.schedules
        if schedule.id in used
        for openings in [Openings(schedule, policy.holidays)]
    }


def _wire(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        try:
            yield names.from_text(text)
        except WireError:
            continue
