# SPDX-License-Identifier: Apache-2.0
"""Compare the tables of a version with those in force, entry by entry.

Tables (pins, protections, safe search, services, categories, lists, contacts, holidays) are sets
of entries with a value. The value has **every field of an entry**. A field that is not compared
stands in ``NOT_COMPARED`` with the reason; so a field that is new in the program is compared from
its first day, and an owner of the online keys cannot change it in silence.

A gain is judged as a loss is: a pin opens a name for good, a holiday suspends a timetable. Of
what ships a first version may lack more than one may take away, for its publisher may have an
older filterd.

Offline keys release what is held by the words of its findings (``held_versions``), and publisher
and school may have different programs. So those fields of a value that releases have named since
the first one come first, without their names; all others follow as ``field=value`` where they
are not as they are by default.
"""

from __future__ import annotations

import contextlib
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from filterd.feed.guard.judgement import Severity, found
from filterd.feed.guard.limits import CATEGORY_GROWTH, CATEGORY_SHRINK, LOST_SLACK, SLACK, few
from filterd.feed.versions import is_followed
from filterd.lists.catalogs.catalog import CatalogService, PublicHoliday, PublicSource
from filterd.lists.catalogs.catalog_categories import CatalogCategory
from filterd.lists.catalogs.catalog_tables import Contact
from filterd.lists.catalogs.optional_lists import OrderEntry
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.index import ListRecord
from filterd.lists.lookalikes import LookalikeRule
from filterd.lists.rules import ListSource, Pin, Protection, SafeSearchRewrite
from filterd.overrides.mistake_answers import MistakeAnswer
from filterd.policy.confidential_names import HELP
from filterd.policy.model import SERVICE, Category, Holiday, Service
from filterd.resolve.site import TIME
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from filterd.feed.guard.candidate import Asking
    from filterd.feed.guard.impact import Compared
    from filterd.feed.guard.judgement import Finding
    from filterd.policy.model import Policy

    Days = PublicHoliday | Holiday

TABLES = "tables"
"""The kind of what is found here."""
MOST_HOLIDAYS = 40
"""Days of the year to come, by the version alone: schools add their own."""
HOLIDAYS_LACKING = 0.4
"""Of the days that ship: so many may be others by then."""

_YEAR = timedelta(days=366)
_KEY = "it is what the entry is found by"
_WORDS = "it is for people to read, and decides nothing"
_BY_EFFECT = "the names are asked, and those beneath them: what a list closes counts"
_ATTRIBUTION = "it names an author, as licences want it; no school fetches it"
_PLACE = "it says where the rule stands"
_DECIDING = frozenset((HELP, TIME))
"""Reasons of pins that a program goes by."""

NOT_COMPARED: Mapping[type, Mapping[str, str]] = {
    Category: {
        "id": _KEY,
        "name_vi": _WORDS,
        "name_en": _WORDS,
        "rating": _WORDS,
        "legal_basis": _WORDS,
    },
    CatalogCategory: {
        "description_vi": _WORDS,
        "description_en": _WORDS,
        "review_date": "a publisher is warned by it, and no school reads it",
    },
    Service: {
        "id": _KEY,
        "name_vi": _WORDS,
        "name_en": _WORDS,
        "names": "each of them is an entry of its own",
        "terms_date": _WORDS,
        "note_vi": _WORDS,
        "note_en": _WORDS,
    },
    CatalogService: {"compiled": "it is the list of its names, which are compared"},
    Pin: {
        "name": _KEY,
        "subtree": "what lies beneath is an entry of its own",
        "reason": "of the reasons those are compared that decide something (``_of_pin``)",
    },
    Protection: {
        "name": _KEY,
        "reason": _WORDS,
        "entry_only": "no version has it: an administrator has suspended an entry",
    },
    SafeSearchRewrite: {"setting": _KEY, "level": _KEY, "names": _KEY},
    ListRecord: {
        "id": _KEY,
        "title": _WORDS,
        "format": _BY_EFFECT,
        "digest": _BY_EFFECT,
        "kept": _BY_EFFECT,
    },
    ListSource: {
        "path": _PLACE,
        "names": _BY_EFFECT,
        "lookalikes": "each rule is an entry of its own",
        "subtrees": _BY_EFFECT,
        "made_of": "figures for people, which decide nothing",
    },
    LookalikeRule: {
        "shape": _KEY,
        "suffixes": "each of them is an entry of its own",
        "reach": "each of its domains is an entry of its own",
        "line": _PLACE,
        "set_id": _PLACE,
    },
    PublicHoliday: {
        "first": "each day is an entry of its own",
        "last": "each day is an entry of its own",
        "name_vi": _WORDS,
        "name_en": _WORDS,
    },
    Contact: {"name": _KEY},
    PublicSource: dict.fromkeys((one.name for one in fields(PublicSource)), _ATTRIBUTION),
    OrderEntry: dict.fromkeys(
        OrderEntry.model_fields, "the ordering authority has signed it (``provenance``)"
    ),
    MistakeAnswer: dict.fromkeys(
        MistakeAnswer._fields, "it is shown beside a report, and opens nothing"
    ),
}
"""The fields of entries that may change unseen, each with its reason.

Of a class of the catalogue those are left out that the class of the policy or the index has too.
"""

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


def changed_tables(
    compared: Compared, *, is_first: bool, ships: Compared | None = None
) -> Iterator[Finding]:
    """Find tables that lose, change or gain more than a night may.

    Args:
        compared: the candidate and what is active, or what ships.
        is_first: nothing of a feed is active yet.
        ships: the candidate and what ships, for a version that is made here: what it has as this
            program has it, and has not as this program has not, does not count. A new release
            brings other tables.
    """
    for table in TABLES_AND_LIMITS:
        yield from _changed(table, compared, is_first=is_first, ships=ships)


def changed_rules(compared: Compared) -> Iterator[Finding]:
    """Find whether more rules of look-alikes come or go than names may."""
    for table in RULES_AND_LIMITS:
        yield from _changed(table, compared, is_first=False)


def _changed(
    table: Table, compared: Compared, *, is_first: bool, ships: Compared | None = None
) -> Iterator[Finding]:
    new = table.entries(compared.new, compared.new_lists)
    old = table.entries(compared.before, compared.lists_before)
    if ships is not None:
        shipped = table.entries(ships.before, ships.lists_before)
        as_shipped = {one for one in (*new, *old) if new.get(one) == shipped.get(one)}
        new = {one: value for one, value in new.items() if one not in as_shipped}
        old = {one: value for one, value in old.items() if one not in as_shipped}
    limit = table.lacking if is_first else table.lost
    yield from _lost(table.id, limit, new, old, moved=table.moved)
    yield from _gained(table.id, table.gained, new, old)


def changed_contacts(new: Iterable[Contact], before: Iterable[Contact]) -> Iterator[Finding]:
    """Find contacts of the version in force that another has in their place.

    A school would call whom a thief of the online keys has named.
    """
    entries, entries_before = (
        {contact.name: value_of(contact) for contact in contacts} for contacts in (new, before)
    )
    yield from _lost("contacts", Limit(0, 0), entries, entries_before)


def _lost(
    table: str, limit: Limit, new: Entries, old: Entries, *, moved: bool = False
) -> Iterator[Finding]:
    lost = [one for one in old if new.get(one) != old[one] and (one in new or not moved)]
    if not limit.allows(len(lost), len(old)):
        sentence = say(
            "{table}: {count} of {had} entries would go or change: {names}",
            table=table,
            count=len(lost),
            had=len(old),
            names=few(lost),
        )
        subjects = [f"-{table} {one} {new.get(one, '')}".rstrip() for one in lost]
        yield found(TABLES, Severity.HELD, sentence, lost, subjects, count=len(lost))


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
        subjects = [*(f"+holidays {day}" for day in days), *(f"-holidays {one}" for one in lacking)]
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
    for holiday in holidays:
        day = max(date.fromisoformat(holiday.first), today)
        last = min(date.fromisoformat(holiday.last), today + _YEAR)
        while day <= last:
            days[day.isoformat()] = ""
            day += timedelta(days=1)
    return days


def value_of(entry: Any, *first: str) -> str:
    """Return all fields of an entry that are compared, in words.

    Args:
        entry: of a table.
        first: the fields that come first, by their values alone.
    """
    exempt = NOT_COMPARED.get(type(entry), {})
    words = [_text(getattr(entry, one)) for one in first]
    for field, default in _fields(type(entry)).items():
        value = getattr(entry, field)
        if field not in exempt and field not in first and value != default:
            words.append(f"{field}={_text(value)}")
    return " ".join(filter(None, words))


def _fields(kind: type) -> dict[str, object]:
    """Return the fields of a class of entries, each with its value by default."""
    if is_dataclass(kind):
        return {
            field.name: False if field.default is MISSING else field.default
            for field in fields(kind)
        }
    if issubclass(kind, Contact):
        return {name: field.default for name, field in kind.model_fields.items()}
    defaults: dict[str, object] = getattr(kind, "_field_defaults", {})
    return {name: defaults.get(name, False) for name in getattr(kind, "_fields", ())}


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return names.to_text(value)
    return " ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def pins_of_version(asking: Asking) -> Iterator[Pin]:
    """Yield the pins that a version has, without those that a school adds itself.

    It pins the host of its feed and, in a version that is made here, those of followed lists. The
    word that tells them could stand in a version that others have signed.
    """
    host = _host(asking.policy)
    made_here = is_followed(str(asking.index.build.get("feed", "")))
    for pin in asking.policy.pins:
        if pin.reason != "feed" or not (made_here or pin.name == host):
            yield pin


def _host(policy: Policy) -> bytes | None:
    with contextlib.suppress(HostnameError, ValueError):
        return name_from_key(key_from_text(urlsplit(policy.feed).hostname or ""))
    return None


def _pins(asking: Asking, _: Collection[str]) -> Entries:
    pins = list(pins_of_version(asking))
    whole = {f"*.{names.to_text(pin.name)}": _of_pin(pin) for pin in pins if pin.subtree}
    return {names.to_text(pin.name): _of_pin(pin) for pin in pins} | whole


def _of_pin(pin: Pin) -> str:
    """Return the value of a pin.

    Its reason tells help lines, whose names are never shown, and time servers.
    """
    reason = f"reason={pin.reason}" if pin.reason in _DECIDING else ""
    return " ".join(filter(None, (value_of(pin), reason)))


def _protections(asking: Asking, _: Collection[str]) -> Entries:
    parts = {category.id for category in _all_categories(asking) if category.part_of}
    return {
        names.to_text(protection.name): value_of(
            replace(protection, except_categories=protection.except_categories - parts),
            "subtree",
            "except_categories",
        )
        for protection in asking.policy.protections
        if not protection.entry_only
    }


def _rewrites(asking: Asking, _: Collection[str]) -> Entries:
    return {
        f"{rewrite.setting}={rewrite.level} {names.to_text(name)}": value_of(rewrite, "target")
        for rewrite in asking.policy.rewrites
        for name in rewrite.names
    }


def _services(asking: Asking, lists: Collection[str]) -> Entries:
    return {
        one.id: value_of(replace(one, group=_whole(asking, one.group)), "group", "min_age")
        for one in _of_feed(asking, lists)
    }


def _service_names(asking: Asking, lists: Collection[str]) -> Entries:
    return {
        f"{one.id}: {names.to_text(name)}": ""
        for one in _of_feed(asking, lists)
        for name in one.names
    }


def _of_feed(asking: Asking, lists: Collection[str]) -> Iterator[Service]:
    return (service for service in asking.policy.services.values() if SERVICE + service.id in lists)


def _categories(asking: Asking, _: Collection[str]) -> Entries:
    return {
        category.id: _of_category(category)
        for category in _all_categories(asking)
        if not category.part_of
    }


def _parts(asking: Asking, _: Collection[str]) -> Entries:
    return {
        category.id: _of_category(category)
        for category in _all_categories(asking)
        if category.part_of
    }


def _all_categories(asking: Asking) -> Iterable[Category]:
    return asking.policy.categories.values()


def _of_category(category: Category) -> str:
    return value_of(category, "min_age", "locked", "ordered", "security", "sinkhole")


def _lists(asking: Asking, lists: Collection[str]) -> Entries:
    return {
        one.id: value_of(replace(one, category=_whole(asking, one.category)), "category")
        for one in asking.index.lists
        if one.id in lists
    }


def _whole(asking: Asking, category: str) -> str:
    """Return the category that an id is of: of a part, its whole."""
    known = asking.policy.categories.get(category)
    return (known and known.part_of) or category


def _lookalikes(asking: Asking, lists: Collection[str]) -> Entries:
    return {
        f"{category} {rule.written}": value_of(rule) for category, rule in _rules_of(asking, lists)
    }


def _lookalike_suffixes(asking: Asking, lists: Collection[str]) -> Entries:
    return {
        f"{category} {names.to_text(suffix)}": ""
        for category, rule in _rules_of(asking, lists)
        for suffix in rule.suffixes
    } | {
        f"{category} but {names.to_text(domain)}": ""
        for category, rule in _rules_of(asking, lists)
        if rule.reach is not None
        for domain in rule.reach.but
    }


def _rules_of(asking: Asking, lists: Collection[str]) -> Iterator[tuple[str, LookalikeRule]]:
    index = asking.index
    for rule in index.lookalikes.rules:
        claim = index.sets[rule.set_id][0]  # of its category, and alone
        source = index.lists[index.claims[claim][0]]
        if source.id in lists:
            yield source.category, rule


HOLIDAYS_GAINED = Limit(0.2, 7)
"""Each autumn two days are set and some are moved. On a holiday a timetable closes nothing, so a
thief of the online keys could suspend it for as many days unheld."""
TABLES_AND_LIMITS = (
    Table("pins", _pins, Limit(0, 0), Limit(0.1, 0), Limit(0.1, 10)),
    Table("protections", _protections, Limit(0, 0), Limit(0.1, 0), Limit(0.2, 20)),
    Table("rewrites", _rewrites, Limit(0, 0), Limit(0, 0), Limit(0.1, 5)),
    Table("services", _services, Limit(0, 0), Limit(0.1, 0), Limit(0.1, 10)),
    Table("service-names", _service_names, Limit(0.05, 10), Limit(0.2, 10), Limit(0.1, 30)),
    Table("categories", _categories, Limit(0, 0), Limit(0, 0), Limit(0, 2)),
    # A part is closed where its whole is, so it opens nothing; an older publisher has none.
    Table("parts", _parts, Limit(0, 0), Limit(1, 0), Limit(0.5, 20)),
    Table("lists", _lists, Limit(0, 0), Limit(0, 0), Limit(1, 1_000), moved=True),
)
"""What a version holds, and what of it may go, may be lacking in a first one, and may come."""

_RULES_LOST, _RULES_GAINED = Limit(CATEGORY_SHRINK, LOST_SLACK), Limit(CATEGORY_GROWTH, SLACK)
RULES_AND_LIMITS = (
    Table("lookalikes", _lookalikes, _RULES_LOST, _RULES_LOST, _RULES_GAINED),
    Table("lookalike-suffixes", _lookalike_suffixes, _RULES_LOST, _RULES_LOST, _RULES_GAINED),
)
"""What is made of lists every night, and so changes as they do."""
