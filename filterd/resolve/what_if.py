# SPDX-License-Identifier: Apache-2.0
"""Judge recorded lookups by two sites, and add up what differs.

The chain's own functions decide, as in ``explain``: local zones and special-use names, then
the engine, for type A. Each row counts at its own time, so that schedules, timetables, exams
and exceptions hold as they did; overrides are those that the sites have, by their own dates.
A distinct name has no time, class or number: it counts for each grade of its tier, at noon,
without schedules.

A client is known by grade, class and network only. Where the two sites have another grade in a
room at that time, the second one counts as it has it. Rules for one device are not seen.

Confidential names are counted for the whole school and by list, and in no other number. Those
that are confidential in the first site are not: a trial of one name would show how often it was
looked up before the lists had it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import count
from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from filterd.policy.engine import Engine
from filterd.policy.model import GRADES, TIER_OF_GRADE, TIERS, Audience, Client
from filterd.policy.verdict import PASSED
from filterd.querylog.day_reader import DAY_ENDS
from filterd.querylog.day_schema import SEQUENCE_BITS, DaySpan, name_of
from filterd.resolve.links.local import answer_locally
from filterd.wire import RRType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.policy.effective_policy import EffectivePolicy
    from filterd.policy.model import GradePolicy
    from filterd.policy.verdict import Verdict
    from filterd.querylog.day_reader import Day
    from filterd.querylog.day_search import RecordedWeek
    from filterd.querylog.lookups import LookupContext
    from filterd.resolve.site import Site

MOST_NAMES = 100_000
"""Changed names that are kept apart; of more only the lookups are counted."""
CLOSES, OPENS, REWRITES = "closes", "opens", "rewrites"
KINDS = (CLOSES, OPENS, REWRITES)
"""A name that passes would be blocked; the reverse; its safe-search twin would come, or go."""

_NOON_S = 12 * 3600
_FOREVER = 1 << 40
_LOCAL = "local"
_ALLOWED = ("pass", "rewritten")


class NameDifference(NamedTuple):
    """A change for one name: the kind, and the category that closes it, or did."""

    name: bytes
    kind: str
    category: str


class AskedPlace(NamedTuple):
    """The grade and class of recorded lookups; no class where none is known."""

    grade: str
    class_id: str = ""


@dataclass(slots=True)
class DifferenceSums:
    """What was judged, and what differs.

    Attributes:
        lookups: rows judged, by place.
        allowed: rows judged that the log has as answered, by day (ISO 8601).
        changed: rows that change, by place and kind.
        names: changed names with their lookups; 0 where only distinct names are known.
        places: the places of those names, the grades of a tier for distinct ones.
        distinct: distinct names judged, by tier.
        changed_distinct: those that change for any grade, by tier and kind.
        lists: rows that close, by the list or rule that would close them; confidential ones too.
        distinct_lists: distinct names that close, in the same way.
        confidential: rows and distinct names that change, of names that become confidential.
        unnamed: changes of names for which there was no room.
    """

    lookups: Counter[AskedPlace] = field(default_factory=Counter)
    allowed: Counter[str] = field(default_factory=Counter)
    changed: Counter[tuple[AskedPlace, str]] = field(default_factory=Counter)
    names: Counter[NameDifference] = field(default_factory=Counter)
    places: defaultdict[NameDifference, set[AskedPlace]] = field(
        default_factory=lambda: defaultdict(set)
    )
    distinct: Counter[str] = field(default_factory=Counter)
    changed_distinct: Counter[tuple[str, str]] = field(default_factory=Counter)
    lists: Counter[str] = field(default_factory=Counter)
    distinct_lists: Counter[str] = field(default_factory=Counter)
    confidential: int = 0
    unnamed: int = 0

    def add(self, other: DifferenceSums) -> None:
        """Add the sums of another day."""
        for key in ("lookups", "allowed", "changed", "distinct", "changed_distinct", "lists"):
            getattr(self, key).update(getattr(other, key))
        self.distinct_lists.update(other.distinct_lists)
        self.confidential += other.confidential
        self.unnamed += other.unnamed
        for name, n in other.names.items():
            self.note(name, n, other.places[name])

    def note(self, name: NameDifference, n: int, places: Iterable[AskedPlace]) -> None:
        """Add lookups of a name that changes."""
        if name not in self.names and len(self.names) >= MOST_NAMES:
            self.unnamed += 1
            return
        self.names[name] += n
        self.places[name].update(places)


_Clients: TypeAlias = tuple[Client, Client]
"""The client of a recorded lookup, for each of the two sites."""


class _Difference(NamedTuple):
    """The two results differ; ``by`` is the list or rule that closes or closed."""

    kind: str
    category: str
    by: str


def compare_week(week: RecordedWeek, before: Site, after: Site) -> DifferenceSums:
    """Judge all that some days have by two sites."""
    sums, judge = DifferenceSums(), _Judge(before, after)

    def use(day: Day) -> None:
        sums.add(judge.of_day(day))

    week.each(use)
    return sums


def compare_names(asked: Iterable[bytes], before: Site, after: Site, day: date) -> DifferenceSums:
    """Judge names as if each tier had asked for them; for a log without names."""
    sums, judge = DifferenceSums(), _Judge(before, after)
    noon = judge.at_noon(day)
    for name in asked:
        for tier in TIERS:
            judge.add_distinct(sums, noon, tier, name)
    return sums


class _SiteThen:
    """One site in a time in which nothing changes: its clients, and the engine."""

    def __init__(self, site: Site, moment: EffectivePolicy) -> None:
        self.moment, self.policy, self._index = moment, moment.policy, site.index
        self._files = site.files
        self._rooms = {network.id: network.grade for network in self.policy.networks}

    @cached_property
    def engine(self) -> Engine:
        """The engine; most times of a day have no lookups, and need none."""
        return Engine(self.policy, self._index, self._files)

    def seated(self, network: str) -> GradePolicy | None:
        """Return the grade in a network, None where there is no such network."""
        key = self._rooms.get(network)
        return None if key is None else self.policy.grades[key]

    def graded(self, place: AskedPlace) -> GradePolicy:
        """Return the policy of a class or grade; else that of unknown clients."""
        grades = self.policy.grades
        found = grades.get(place.class_id) or grades.get(place.grade)
        return found or grades[self.policy.unknown_grade]

    def edges(self) -> Iterator[float]:
        """Yield the Unix times at which this ends, or a rule for a name begins or ends."""
        yield self.moment.until
        for rule in self.policy.rules:
            yield from (edge for edge in (rule.starts_at, rule.ends_at) if edge is not None)


class _Stretch:
    """A time [``since``, ``until``) in which nothing timed changes, for both sites."""

    def __init__(self, judge: _Judge, since: int, before: _SiteThen, after: _SiteThen) -> None:
        self.since, self.before, self.after, self._judge = since, before, after, judge
        self.sides = before, after
        edges = (edge for side in self.sides for edge in side.edges())
        self.until = min((ceil(edge) for edge in edges if since < edge < inf), default=_FOREVER)
        self._known: dict[tuple[int, str], tuple[_Difference | None, ...]] = {}

    def clients(self, of: LookupContext) -> _Clients:
        """Return the client of a recorded lookup, for each site."""
        place, network = AskedPlace(of.grade, of.class_id), of.network or None
        before, after = (side.seated(of.network) for side in self.sides)
        is_moved = before and after and _place_of(before) != _place_of(after)
        if before is None or _place_of(before) != place:
            before = self.before.graded(place)
        if after is None or not (is_moved or _place_of(after) == place):
            after = self.after.graded(place)
        return Client(before, network), Client(after, network)

    def of_tier(self, tier: str) -> tuple[_Clients, ...]:
        """Return the clients of the grades of a tier, for each site."""
        places = (AskedPlace(one) for one in GRADES if TIER_OF_GRADE[one] == tier)
        return tuple(
            (Client(self.before.graded(place)), Client(self.after.graded(place)))
            for place in places
        )

    def of_names(
        self, name: bytes, clients: tuple[_Clients, ...], key: str
    ) -> tuple[_Difference | None, ...]:
        """Return what differs for a name, for each of the clients of ``key``."""
        if any(map(_is_by_name, clients)):
            return self.decided(name, clients)
        cell = self._judge.cell(name, self)
        found = self._known.get((cell, key))
        if found is None:
            found = self._known[cell, key] = self.decided(name, clients)
        return found

    def decided(self, name: bytes, clients: tuple[_Clients, ...]) -> tuple[_Difference | None, ...]:
        """Return the same, by the engines."""
        are_local = self._judge.are_local(name)
        verdicts = [
            [PASSED] * len(clients)
            if is_local
            else side.engine.decide_for([both[n] for both in clients], name, RRType.A, self.since)
            for n, (is_local, side) in enumerate(zip(are_local, self.sides, strict=True))
        ]
        return tuple(map(_difference, *verdicts))


class _Judge:
    """Two sites, and the times in which nothing changes for both."""

    def __init__(self, before: Site, after: Site) -> None:
        self._sites = before, after
        self._zone = ZoneInfo(before.timed.policy.time_zone)
        self._sides: list[_SiteThen | None] = [None, None]
        self._hidden: dict[tuple[bytes, str], bool] = {}
        self._rules: object = None
        self._cells: dict[bytes, int] = {}
        self._count = count().__next__  # no number comes again: parts remember what they mean
        self._numbers: dict[object, int] = defaultdict(self._count)
        self._part_of_cells: _Stretch | None = None

    def are_local(self, name: bytes) -> tuple[bool, bool]:
        """Return for each site whether it answers a name without asking anyone."""
        before, after = (answer_locally(site, name, RRType.A) is not None for site in self._sites)
        return before, after

    def cell(self, name: bytes, part: _Stretch) -> int:
        """Return a number that names share whose verdicts are alike for a client.

        Verdicts of a grade that is ``allow_only`` are by the name all the same. The numbers stay
        the same while the rules for names do; schedules change grades only.
        """
        if part is not self._part_of_cells:
            self._part_of_cells = part
            rules = [(one.policy.rules, one.policy.protections) for one in part.sides]
            if rules != self._rules or len(self._cells) > MOST_NAMES:
                self._rules, self._cells, self._numbers = rules, {}, defaultdict(self._count)
        cell = self._cells.get(name)
        if cell is None:
            key = tuple(
                _LOCAL if is_local else side.engine.alike(name) or name
                for is_local, side in zip(self.are_local(name), part.sides, strict=True)
            )
            cell = self._cells[name] = self._numbers[key]
        return cell

    def of_day(self, day: Day) -> DifferenceSums:
        """Judge all that a day has."""
        sums, names = DifferenceSums(), {key: name_of(text) for key, text in day.texts().items()}
        self._hidden.clear()
        asked: set[tuple[str, int, str]] = set()
        at, ends = day.begins, day.begins + (DAY_ENDS >> SEQUENCE_BITS)
        while at < ends:
            part = self._part(at)
            until = min(part.until, ends)
            self._add_rows(sums, day, names, part, until, asked)
            at = until
        noon = self.at_noon(date.fromisoformat(day.day))
        for tier, name_id, _, action in day.seen_ids():
            if tier in TIERS and (tier, name_id, action) not in asked:
                self.add_distinct(sums, noon, tier, names[name_id])
        return sums

    def at_noon(self, day: date) -> _Stretch:
        """Return the noon of a day, without schedules."""
        at = DaySpan.of(day, self._zone).begins + _NOON_S
        timed = (site.timed for site in self._sites)
        plain = (one._replace(policy=replace(one.policy, scheduled=())) for one in timed)
        sides = map(_SiteThen, self._sites, (one.at(at) for one in plain))
        return _Stretch(self, at, *sides)

    def add_distinct(self, sums: DifferenceSums, part: _Stretch, tier: str, name: bytes) -> None:
        """Judge a name for each grade of a tier."""
        sums.distinct[tier] += 1
        clients = part.of_tier(tier)
        found = part.of_names(name, clients, tier)
        places = defaultdict[_Difference, list[AskedPlace]](list)
        for one, both in zip(found, clients, strict=True):
            if one is not None:
                places[one].append(_place_of(both[0].grade))
        if not places:
            return
        sums.distinct_lists.update({place.by for place in places if place.kind == CLOSES})
        if self._is_hidden(name, places):
            sums.confidential += self._becomes_hidden(name)
            return
        sums.changed_distinct.update((tier, kind) for kind in {place.kind for place in places})
        for one, of in places.items():
            sums.note(NameDifference(name, one.kind, one.category), 0, of)

    def _part(self, at: int) -> _Stretch:
        """Return the part that begins at a Unix time; a side that goes on is kept."""
        sides = list[_SiteThen]()
        for n, site in enumerate(self._sites):
            side = self._sides[n]
            if side is None or not side.moment.holds_at(at):
                side = self._sides[n] = _SiteThen(site, site.timed.at(at))
            sides.append(side)
        return _Stretch(self, at, *sides)

    def _add_rows(
        self,
        sums: DifferenceSums,
        day: Day,
        names: dict[int, bytes],
        part: _Stretch,
        until: int,
        asked: set[tuple[str, int, str]],
    ) -> None:
        """Judge the rows of a part of a day; note in ``asked`` which names they are of."""
        askers = _askers(day, part)
        cells, known = dict[int, int](), dict[int, _Difference | None]()
        counts, floor = Counter[int](), (part.since - day.begins) << SEQUENCE_BITS
        for name_id, context_id, n in day.groups(floor, (until - day.begins) << SEQUENCE_BITS):
            asker = askers.get(context_id)
            if asker is None:
                continue
            counts[context_id] += n
            asked.add((asker.tier, name_id, asker.action))
            cell = cells.get(name_id)
            if cell is None:
                cell = cells[name_id] = self.cell(names[name_id], part)
            key = cell << 16 | asker.number
            if key in known and not asker.is_by_name:
                found = known[key]
            else:
                (found,) = part.decided(names[name_id], (asker.clients,))
                known[key] = found
            if found is not None:
                self._note_rows(sums, names[name_id], asker.place, found, n)
        for context_id, n in counts.items():
            asker = askers[context_id]
            sums.lookups[asker.place] += n
            sums.allowed[day.day] += n if asker.action in _ALLOWED else 0

    def _note_rows(
        self, sums: DifferenceSums, name: bytes, place: AskedPlace, found: _Difference, n: int
    ) -> None:
        if found.kind == CLOSES:
            sums.lists[found.by] += n
        if self._is_hidden(name, (found,)):
            sums.confidential += n if self._becomes_hidden(name) else 0
            return
        sums.changed[place, found.kind] += n
        sums.note(NameDifference(name, found.kind, found.category), n, (place,))

    def _becomes_hidden(self, name: bytes) -> bool:
        """Return whether a hidden name is not confidential in the first site."""
        return name not in self._sites[0].confidential

    def _is_hidden(self, name: bytes, found: Iterable[_Difference]) -> bool:
        for one in found:
            key = name, one.category
            if key not in self._hidden:
                self._hidden[key] = any(site.confidential.hides(*key) for site in self._sites)
            if self._hidden[key]:
                return True
        return False


class _Asker(NamedTuple):
    """Who has asked in a context: clients that are alike have one number."""

    number: int
    place: AskedPlace
    tier: str
    action: str
    clients: _Clients
    is_by_name: bool


def _askers(day: Day, part: _Stretch) -> dict[int, _Asker]:
    """Return the clients that have asked, by the ids of contexts."""
    by_network = {
        rule.whom
        for side in part.sides
        for rule in side.policy.rules
        if rule.audience is Audience.NETWORK
    }
    numbers = dict[tuple[str, ...], int]()
    found = dict[int, _Asker]()
    for key, of in day.contexts.items():
        before, after = both = part.clients(of)
        network = of.network if of.network in by_network else ""
        number = numbers.setdefault((before.grade.key, after.grade.key, network), len(numbers))
        place = AskedPlace(of.grade, of.class_id)
        found[key] = _Asker(number, place, of.tier, of.action, both, _is_by_name(both))
    return found


def _is_by_name(clients: _Clients) -> bool:
    return any(client.grade.allow_only for client in clients)


def _place_of(grade: GradePolicy) -> AskedPlace:
    return AskedPlace(grade.grade, grade.class_id)


def _difference(before: Verdict, after: Verdict) -> _Difference | None:
    """Return what differs between two verdicts for people; not which list decides."""
    if before.blocked != after.blocked:
        match = (after if after.blocked else before).match
        kind, category = CLOSES if after.blocked else OPENS, match.category if match else ""
        return _Difference(kind, category, (match.list_id or match.local_id) if match else "")
    return _Difference(REWRITES, "", "") if before.target != after.target else None
