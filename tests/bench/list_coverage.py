# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints tables
"""Measure what followed lists block of names that they have not seen, and which names they harm.

Run ``python -m tests.bench.list_coverage`` where ``../shared/data`` is. Three tables:

1. **New names.** Learn from what stood on hostsVN's lists at a date; of the names that appeared
   in the six months after it, count those that are blocked: as listed or beneath a listed name,
   and with the look-alike rules that hold by themselves. A publisher has a ranking: a hash divides
   the popular names, the check of rules knows one half, false positives are counted in the other.
   A school that follows public lists has the names that ship alone: they are counted in all.
   ``schools``: how many schools and universities, of Viet Nam and of the world, the rules close;
   a hash divides them, too: rules are made with one half, and the other is counted.
2. **One source without the other.** Of the names of a source, which share the other sources of
   its category block. A list that is measured against itself says nothing.
3. **Names newly closed.** Popular and education names that each source closes, and for whom.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.paths import shipped
from filterd.feed.families.lookalike_rules import make_rules
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.formats import FORMATS, Entry
from filterd.lists.lookalikes import Lookalikes
from filterd.lists.rules import Effect
from filterd.lists.top_names import read_popular
from filterd.publish.version_diff import closed_to
from filterd.wire import name as names
from tests.bench.lookalike_figures import half_of, popular_names, text, text_of
from tests.support.shared_data import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LEARNED_AT = ("2024-07-01", "2025-01-01", "2025-07-01", "2026-01-01")


class Source(NamedTuple):
    """A list of one name a line in the data: its category, and its path below ``lists/``."""

    category: str
    path: str


HISTORIES = {
    "gambling (Vietnam)": ("gambling-VN", ("gambling-VN", "gambling")),
    "gambling (all)": ("gambling", ("gambling-VN", "gambling")),
    "adult": ("adult", ("adult-VN", "adult")),
    "threats": ("threat", ("threat-VN", "threat")),
}
"""The list whose new names are counted, and those that are learned from."""
SOURCES = {
    "hostsvn-gambling": Source("gambling", "hostsVN/extensions/gambling/domain.txt.zst"),
    "ut1-gambling": Source("gambling", "ut1/gambling/domains.zst"),
    "hostsvn-adult": Source("porn", "hostsVN/extensions/adult/domain.txt.zst"),
    "ut1-mixed-adult": Source("porn", "ut1/mixed_adult/domains"),
    "hostsvn-threat": Source("scam", "hostsVN/extensions/threat/domain.txt"),
    "ut1-dating": Source("dating", "ut1/dating/domains.zst"),
    "ut1-drogue": Source("drugs", "ut1/drogue/domains"),
    "ut1-cryptojacking": Source("malware", "ut1/cryptojacking/domains.zst"),
    "ut1-vpn": Source("proxy-vpn", "ut1/vpn/domains.zst"),
    "nextdns-vpn": Source("proxy-vpn", "nextdns/dns-bypass-methods/vpn"),
    "nextdns-encrypted-dns": Source("encrypted-dns", "nextdns/dns-bypass-methods/encrypted-dns"),
    "ut1-doh": Source("encrypted-dns", "ut1/doh/domains"),
}
"""Sources that the data has; not all are in the catalogue."""
SHIPPED = read_popular(None)
_EDUCATION = "domains/vn-education.dev.tsv"
_SCHOOLS = "domains/world-education.dev.tsv.zst"
_MOST_SHOWN = 12


class Coverage(NamedTuple):
    """What is blocked of names that appeared after a date, in counts.

    ``wrongly``: popular names that are, and ``of_schools`` names of schools, all unseen.
    """

    of: int
    listed: int
    with_rules: int
    wrongly: tuple[str, ...]
    of_schools: tuple[str, ...] = ()


def months_after(date: str, months: int) -> str:
    """Return a date, as ISO writes it, so many months later."""
    year, month, day = map(int, date.split("-"))
    years, month = divmod(month - 1 + months, 12)
    return f"{year + years}-{month + 1:02}-{day:02}"


def of_history(title: str, date: str, known: list[str], visited: list[str]) -> Coverage | None:
    """Count what is blocked of the new names of a list; None where there are none.

    A hash divides schools: rules are made with one half, and tried on the other.

    Args:
        title: of ``HISTORIES``.
        date: when the lists were learned.
        known: popular names that the check of rules asks.
        visited: popular names that it does not know.
    """
    of, learned_from = HISTORIES[title]
    until = months_after(date, 6)
    fresh = {name for name, first, _ in history(of) if date < first <= until}
    rows = (row for file in learned_from for row in history(file))
    entries = frozenset(name for name, first, last in rows if first <= date <= last)
    unseen = sorted(fresh - entries)
    if not unseen or not entries:
        return None
    imitating = ("listed",) if title == "threats" else ()
    schools = _schools()
    made = make_rules(
        {"listed": [text(entries)]},
        known,
        imitating=imitating,
        words=SHIPPED.words,
        schools=[school for school in schools if not half_of(school)],
        kept_open=_known_to_a_school(),
    )
    rules = Lookalikes(made.rules["listed"])
    left = [one for one in unseen if not is_beneath(one, entries)]
    as_listed, found = len(unseen) - len(left), sum(_is_closed(one, rules) for one in left)
    wrongly, of_schools = (
        tuple(one for one in some if not is_beneath(one, entries) and _is_closed(one, rules))
        for some in (visited, [school for school in schools if half_of(school)])
    )
    return Coverage(len(unseen), as_listed, as_listed + found, wrongly, of_schools)


def _is_closed(name: str, rules: Lookalikes) -> bool:
    return bool(rules.find(names.from_text(name)))


def is_beneath(name: str, entries: frozenset[str]) -> bool:
    """Return whether a name or one above it is an entry."""
    while name:
        if name in entries:
            return True
        _, _, name = name.partition(".")
    return False


@cache
def history(file: str) -> list[tuple[str, str, str]]:
    """Return names with the dates when a list had them first and last."""
    lines = text_of(f"history/hostsVN-{file}.tsv.zst").splitlines()[1:]
    return [(name, first, last) for name, first, last in (line.split("\t") for line in lines)]


def entries_of(source: str) -> frozenset[str]:
    """Return the names of a source, each of which stands for what is beneath it too."""
    content = text_of(f"lists/{SOURCES[source].path}")
    return frozenset(
        one.name.lower()
        for one in FORMATS["domains"](content.splitlines())
        if isinstance(one, Entry) and one.claim.effect is Effect.BLOCK
    )


def _print_new_names(popular: list[str]) -> None:
    halves = [one for one in popular if half_of(one) == 0], [one for one in popular if half_of(one)]
    for whose, known, visited in (
        ("a publisher with a ranking", *halves),
        ("a school that follows the list", [], popular),
    ):
        print(
            f"\n{whose}: new names within six months, blocked; wrongly: of {len(visited)} popular"
            f" names; schools: of {sum(map(half_of, _schools()))}"
        )
        print("list                learned at     new  as listed  with rules  schools  wrongly")
        _print_histories(known, visited)


@cache
def _known_to_a_school() -> list[str]:
    catalog = load_catalog(shipped("blocklists"))
    wire = [pin.name for pin in catalog.pins] + [
        protection.name for protection in catalog.protections
    ]
    wire += [one for some in catalog.services for one in some.names]
    return [*SHIPPED.frozen, *map(names.to_text, wire)]


@cache
def _schools() -> list[str]:
    rows = [*text_of(_EDUCATION).splitlines()[1:], *text_of(_SCHOOLS).splitlines()]
    return [row.split("\t")[0] for row in rows]


def _print_histories(known: list[str], visited: list[str]) -> None:
    for title in HISTORIES:
        for date in LEARNED_AT:
            if one := of_history(title, date, known, visited):
                print(
                    f"{title:20}{date}  {one.of:6}  {one.listed / one.of:9.1%}"
                    f"  {one.with_rules / one.of:10.1%}  {len(one.of_schools):7}"
                    f"  {len(one.wrongly):7}  {', '.join((*one.of_schools, *one.wrongly))}"
                )


def _print_one_without_the_other(lists: dict[str, frozenset[str]]) -> None:
    print("\nnames of a source that the other sources of its category block")
    of = defaultdict[str, list[str]](list)
    for source, (category, _) in SOURCES.items():
        of[category].append(source)
    for category, sources in of.items():
        for source in sources:
            others = frozenset[str]().union(*(lists[one] for one in sources if one != source))
            blocked = sum(is_beneath(one, others) for one in lists[source])
            share = f"{blocked / len(lists[source]):6.1%}" if others else "no other here"
            print(f"{category:15}{source:24}{len(lists[source]):8}  {share}")


def _print_newly_closed(lists: dict[str, frozenset[str]], popular: list[str]) -> None:
    print("\npopular and education names that a source closes, and for whom")
    education = [line.split("\t")[0] for line in text_of(_EDUCATION).splitlines()[1:]]
    closing = {one.id: closed_to(one) for one in load_catalog(shipped("blocklists")).categories}
    counts = Counter[str]()
    for source, (category, _) in SOURCES.items():
        for title, asked in (("popular", popular), ("education", education)):
            closed = [one for one in asked if is_beneath(one, lists[source])]
            counts[title] += len(closed)
            if closed:
                whom = ", ".join(closing.get(category, ())) or "-"
                print(f"{source:24}{title:10}{len(closed):5}  grades {whom}")
                print(f"    {' '.join(closed[:_MOST_SHOWN])}")
    print(f"in all: {counts['popular']} popular, {counts['education']} education names")


def _lists() -> Iterator[tuple[str, frozenset[str]]]:
    for source, (_, path) in SOURCES.items():
        if (ROOT / "lists" / path).is_file():
            yield source, entries_of(source)
        else:
            yield source, frozenset()


def main() -> None:
    """Print the tables."""
    popular = popular_names()
    _print_new_names(popular)
    lists = dict(_lists())
    _print_one_without_the_other(lists)
    _print_newly_closed(lists, popular)


if __name__ == "__main__":
    main()
