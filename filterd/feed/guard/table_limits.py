# SPDX-License-Identifier: Apache-2.0
"""What the tables of a version hold, and how much of it may go or come in one night.

Pins, protections, safe search, services, categories, holidays: each is a set of entries
with a value, and each has its limits. A gain is judged as a loss is: a pin opens a name
for good, a holiday suspends a timetable. Of what ships a first version may lack more
than one may take away, for its publisher may have an older filterd.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from filterd.feed.guard.guard_report import Severity, found
from filterd.feed.guard.limits import few
from filterd.i18n import say
from filterd.policy.model import SERVICE
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from filterd.feed.guard.guard_report import Finding
    from filterd.feed.guard.impact import Compared
    from filterd.feed.guard.probe_clients import Asking
    from filterd.lists.catalog import PublicHoliday
    from filterd.policy.model import Service
    from filterd.policy.timetable import Holiday

    Days = PublicHoliday | Holiday

TABLES = "tables"
"""The kind of what is found here."""
MOST_HOLIDAYS = 40
"""Days of the year to come, by the version alone: schools add their own."""
HOLIDAYS_LACKING = 0.4
"""Of the days that ship: so many may be others by then."""

_YEAR = timedelta(days=366)

Entries = dict[str, str]
"""Values by entry, both in words that people read."""


class Limit(NamedTuple):
    """A share of what was there, or a count where that is more."""

    share: float
    least: int

    def allows(self, count: int, had: int) -> bool:
        """Tell whether so many of so many may change."""
        return count <= max(self.share * had, self.least)


class Table(NamedTuple):
    """One kind of entry.

    Attributes:
        id: a stable word for scripts.
        entries: reads them; of lists and services those with the ids of a version's lists.
        lost: how many may go or change.
        lacking: how many of what ships a first version may lack.
        gained: how many may come.
        moved: only what is in both counts, where its value differs.
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
        compared: the candidate and what is in force, or what ships.
        is_first: nothing of a feed is in force yet.
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
    """Find whether a version makes holidays of too many days of the year to come, or of too few.

    Args:
        new: those of the version.
        before: those in force, the school's own among them.
        ships: those that ship.
        now: Unix time; days that are over do not count.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    days, shipped = _days(new, today), _days(ships, today)
    yield from _gained("holidays", HOLIDAYS_GAINED, days, {**shipped, **_days(before, today)})
    lacking = [one for one in shipped if one not in days]
    if len(days) > MOST_HOLIDAYS or len(lacking) > max(HOLIDAYS_LACKING * len(shipped), 1):
        sentence = say(
            "{count} days of the year to come would be holidays; {ships} ship, {most} are the most",
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
