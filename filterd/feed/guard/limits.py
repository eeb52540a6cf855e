# SPDX-License-Identifier: Apache-2.0
"""Limit how much of a version may change at once before a person looks at it.

Publisher and appliances have the same limits: what would be held in
thousands of schools in the morning is better held once, the evening before.

Lists are counted by category. Tables (pins, protections, safe search, services, categories,
holidays) are sets of entries with a value. A gain is judged as a loss is: a pin opens a name
for good, a holiday suspends a timetable. Of what ships a first version may lack more than one
may take away, for its publisher may have an older filterd.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from filterd.feed.guard.judgement import Severity, found
from filterd.i18n import say
from filterd.policy.model import SERVICE
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from filterd.feed.guard.candidate import Asking
    from filterd.feed.guard.impact import Compared
    from filterd.feed.guard.judgement import Finding
    from filterd.lists.catalog import PublicHoliday
    from filterd.policy.model import Holiday, Service

    Days = PublicHoliday | Holiday

POPULAR_LIMITS = ((100, 0), (1_000, 5), (10_000, 50))
"""Of so many most popular names, at most so many may be newly closed."""
TOTAL_SHRINK, TOTAL_GROWTH = 0.10, 0.20
CATEGORY_SHRINK, CATEGORY_GROWTH = 0.20, 0.50
SLACK, LOST_SLACK = 50, 10
"""Names that any category may gain, or lose: three that become five are no growth."""

POPULAR, GROWTH = "popular", "growth"
"""The kinds of what is found here."""

_NAMED = 5

TABLES = "tables"
"""The kind of what is found here."""
MOST_HOLIDAYS = 40
"""Days of the year to come, by the version alone: schools add their own."""
HOLIDAYS_LACKING = 0.4
"""Of the days that ship: so many may be others by then."""

_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Content:
    """The content that is limited: names by category, and popular ones by rank."""

    names: Mapping[str, int]
    popular: Mapping[int, str]


def excesses(new: Content, before: Content) -> Iterator[Finding]:
    """Find why a version is held, each reason once."""
    yield from _closed_popular(new, before)
    yield from _changed("", _total(new), _total(before), TOTAL_SHRINK, TOTAL_GROWTH)
    for category in sorted(new.names.keys() | before.names.keys()):
        had, has = before.names.get(category, 0), new.names.get(category, 0)
        if had and not has:
            gone = say(
                "category {category}: all its {had} names are gone", category=category, had=had
            )
            yield found(GROWTH, Severity.HELD, gone, had=had, has=0)
        elif had:
            yield from _changed(category, has, had, CATEGORY_SHRINK, CATEGORY_GROWTH)


def _closed_popular(new: Content, before: Content) -> Iterator[Finding]:
    open_before = set(before.popular.values())
    newly = [(rank, name) for rank, name in sorted(new.popular.items()) if name not in open_before]
    for top, allowed in POPULAR_LIMITS:
        closed = [name for rank, name in newly if rank <= top]
        if len(closed) > allowed:
            sentence = say(
                "{count} of the {top} most popular names would be closed, {allowed} are allowed: "
                "{names}",
                count=len(closed),
                top=top,
                allowed=allowed,
                names=few(closed),
            )
            numbers = {"count": len(closed), "top": top, "allowed": allowed}
            yield found(POPULAR, Severity.HELD, sentence, closed, **numbers)


def few(names: list[str]) -> str:
    """Return the first of some names, for a sentence."""
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _changed(category: str, has: int, had: int, shrink: float, growth: float) -> Iterator[Finding]:
    """Report a change beyond its limit; ``category`` is empty for all together."""
    if not had or (had - max(shrink * had, LOST_SLACK) <= has <= had + max(growth * had, SLACK)):
        return
    if category:
        sentence = say(
            "category {category}: {had} names become {has}", category=category, had=had, has=has
        )
    else:
        sentence = say("all categories: {had} names become {has}", had=had, has=has)
    yield found(GROWTH, Severity.HELD, sentence, had=had, has=has)


def _total(content: Content) -> int:
    return sum(content.names.values())


Entries = dict[str, str]
"""Values by entry, both in words that people read."""


class Limit(NamedTuple):
    """A share of what was there, or a count where that is more."""

    share: float
    least: int

    def allows(self, count: int, had: int) -> bool:
        """Return whether so many of so many may change."""
        return count <= max(self.share * had, self.least)


class Table(NamedTuple):
    """One kind of entry.

    Attributes:
        id: a stable word for scripts.
        entries: reads them; of lists and services those with the ids of a version's lists.
        lost: how many may go or change.
        lacking: how many of the shipped ones a first version may lack.
        gained: how many may come.
        moved: only entries that are in both count, where the value differs.
    """

    id: str
    entries: Callable[[Asking, Collection[str]], Entries]
    lost: Limit
    lacking: Limit
    gained: Limit
    moved: bool = False


def changed_tables(compared: Compared, *, is_first: bool) -> Iterator[Finding]:
    """Find tables that lose, change or gain more than a night may.

    Args:
        compared: the candidate and what is active, or what ships.
        is_first: nothing of a feed is active yet.
    """
    for table in TABLES_AND_LIMITS:
        new = table.entries(compared.new, compared.new_lists)
        old = table.entries(compared.before, compared.lists_before)
        lost = [one for one in old if new.get(one) != old[one]]
        if table.moved:
            lost = [one for one in lost if one in new]
        if not (table.lacking if is_first else table.lost).allows(len(lost), len(old)):
            sentence = say(
                "{table}: {count} of {had} entries would go or change: {names}",
                table=table.id,
                count=len(lost),
                had=len(old),
                names=few(lost),
            )
            subjects = [f"-{table.id} {one} {new.get(one, '')}".rstrip() for one in lost]
            yield found(TABLES, Severity.HELD, sentence, lost, subjects, count=len(lost))
        yield from _gained(table.id, table.gained, new, old)


def wrong_holidays(
    new: Iterable[PublicHoliday], before: Iterable[Days], ships: Iterable[Days], now: float
) -> Iterator[Finding]:
    """Find whether a version has too many or too few holidays in a year.

    Args:
        new: those of the version.
        before: the active ones, the school's own among them.
        ships: the shipped ones.
        now: Unix time; past days do not count.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    days, shipped = _days(new, today), _days(ships, today)
    yield from _gained("holidays", HOLIDAYS_GAINED, days, {**shipped, **_days(before, today)})
    lacking = [one for one in shipped if one not in days]
    if len(days) > MOST_HOLIDAYS or len(lacking) > max(HOLIDAYS_LACKING * len(shipped), 1):
        sentence = say(
            "{count} days of the next year would be holidays; {ships} ship, at most {most} are"
            " allowed",
            count=len(days),
            ships=len(shipped),
            most=MOST_HOLIDAYS,
        )
        subjects = [*(f"+holidays {one}" for one in days), *(f"-holidays {one}" for one in lacking)]
        yield found(TABLES, Severity.HELD, sentence, (), subjects, count=len(days))


def _gained(table: str, limit: Limit, new: Entries, old: Entries) -> Iterator[Finding]:
    gained = [one for one in new if one not in old]
    if not limit.allows(len(gained), len(old)):
        sentence = say(
            "{table}: {count} entries would come to {had}: {names}",
            table=table,
            count=len(gained),
            had=len(old),
            names=few(gained),
        )
        subjects = [f"+{table} {one} {new[one]}".rstrip() for one in gained]
        yield found(TABLES, Severity.HELD, sentence, gained, subjects, count=len(gained))


def _days(holidays: Iterable[Days], today: date) -> Entries:
    days = Entries()
    for one in holidays:
        day = max(date.fromisoformat(one.first), today)
        last = min(date.fromisoformat(one.last), today + _YEAR)
        while day <= last:
            days[day.isoformat()] = ""
            day += timedelta(days=1)
    return days


def _pins(asking: Asking, _: Collection[str]) -> Entries:
    pins = [one for one in asking.policy.pins if one.reason != "feed"]  # the school's own
    whole = {f"*.{names.to_text(one.name)}": "" for one in pins if one.subtree}
    return {names.to_text(one.name): "" for one in pins} | whole


def _protections(asking: Asking, _: Collection[str]) -> Entries:
    return {
        names.to_text(one.name): " ".join((str(one.subtree), *sorted(one.except_categories)))
        for one in asking.policy.protections
        if not one.entry_only
    }


def _rewrites(asking: Asking, _: Collection[str]) -> Entries:
    return {
        f"{one.setting}={one.level} {names.to_text(name)}": names.to_text(one.target)
        for one in asking.policy.rewrites
        for name in one.names
    }


def _services(asking: Asking, lists: Collection[str]) -> Entries:
    return {one.id: f"{one.group} {one.min_age}" for one in _of_feed(asking, lists)}


def _service_names(asking: Asking, lists: Collection[str]) -> Entries:
    return {
        f"{one.id}: {names.to_text(name)}": ""
        for one in _of_feed(asking, lists)
        for name in one.names
    }


def _of_feed(asking: Asking, lists: Collection[str]) -> Iterator[Service]:
    return (one for one in asking.policy.services.values() if SERVICE + one.id in lists)


def _categories(asking: Asking, _: Collection[str]) -> Entries:
    return {
        one.id: f"{one.min_age} {one.locked} {one.ordered} {one.security} {one.sinkhole}"
        for one in asking.policy.categories.values()
    }


def _lists(asking: Asking, lists: Collection[str]) -> Entries:
    return {one.id: one.category for one in asking.index.lists if one.id in lists}


HOLIDAYS_GAINED = Limit(0.2, 15)
TABLES_AND_LIMITS = (
    Table("pins", _pins, Limit(0, 0), Limit(0.1, 0), Limit(0.1, 10)),
    Table("protections", _protections, Limit(0.1, 0), Limit(0.1, 0), Limit(0.2, 20)),
    Table("rewrites", _rewrites, Limit(0, 0), Limit(0, 0), Limit(0.1, 5)),
    Table("services", _services, Limit(0, 0), Limit(0.1, 0), Limit(0.1, 10)),
    Table("service-names", _service_names, Limit(0.05, 10), Limit(0.2, 10), Limit(0.1, 30)),
    Table("categories", _categories, Limit(0, 0), Limit(0, 0), Limit(0, 2)),
    Table("lists", _lists, Limit(0, 0), Limit(0, 0), Limit(1, 1_000), moved=True),
)
"""What a version holds, and what of it may go, may be lacking in a first one, and may come."""
