# SPDX-License-Identifier: Apache-2.0
"""Compute how lists cover each category: names, public sources, their age.

The only function that does: status, the first page, the inspection record, ``filterd lists report``
and the judgement of the protection (``protection_level``) ask it. A category that stands on the
list that ships with the program is *starter only*: most of what it means is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.protection_level import SHIPPED_LISTS
from filterd.lists.rules import LOOKALIKE_PREFIX, SERVICE_PREFIX
from filterd.texts import counted
from filterd.texts.i18n import UNSAID, say
from filterd.texts.rows import Column, Listing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from filterd.lists.index import ListRecord
    from filterd.texts.rows import Row, Wording


_MOST_SHOWN = 10


class CategoryCoverage(NamedTuple):
    """How one category is covered.

    Attributes:
        category: its id.
        names: entries of its lists, without services and rules of look-alikes.
        sources: ids of the public sources in it.
        oldest, newest: the days on which the texts of these came, ISO 8601; empty for not known.
        is_starter_only: whether no list but the one that ships has an entry.
    """

    category: str
    names: int
    sources: tuple[str, ...]
    oldest: str
    newest: str
    is_starter_only: bool

    def to_plain(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "category": self.category,
            "names": self.names,
            "sources": list(self.sources),
            "oldest": self.oldest,
            "newest": self.newest,
            "starter_only": self.is_starter_only,
        }


def coverage(
    lists: Sequence[ListRecord], build: Mapping[str, Any], categories: Collection[str] = ()
) -> tuple[CategoryCoverage, ...]:
    """Return how each category is covered, by id.

    Args:
        lists: those of the index.
        build: its build facts.
        categories: ids of further ones that are shown although no list has an entry.
    """
    shares: Sequence[Mapping[str, Any]] = build.get("sources", ())
    found = list[CategoryCoverage]()
    own = [one for one in lists if not one.id.startswith((SERVICE_PREFIX, LOOKALIKE_PREFIX))]
    for category in sorted({*categories, *(one.category for one in own)}):
        mine = [one for one in own if one.category == category and one.kept]
        sources = [share for share in shares if share["category"] == category]
        days = sorted(source["date"] for source in sources if source["date"])
        found.append(
            CategoryCoverage(
                category,
                sum(one.kept for one in mine),
                tuple(source["id"] for source in sources),
                days[0] if days else "",
                days[-1] if days else "",
                all(one.id.startswith(SHIPPED_LISTS) for one in mine),
            )
        )
    return tuple(found)


def summary_line(rows: Sequence[Row], by: Wording) -> str:
    """Return how many categories have more than what ships, and which have not.

    Args:
        rows: of ``CategoryCoverage.to_plain``; none of a daemon of before.
        by: the language.
    """
    if not rows:
        return ""
    starter = [row["category"] for row in rows if row["starter_only"]]
    line = by.texts(
        "{n} of {all} closed categories have public or own lists",
        n=counted.number(len(rows) - len(starter)),
        all=counted.number(len(rows)),
    )
    if not starter:
        return line
    shown = ", ".join(starter[:_MOST_SHOWN]) + (", …" if len(starter) > _MOST_SHOWN else "")
    only = by.texts("starter list only: {categories}", categories=shown)
    return f"{line}\n{only}\n{by.texts('each of them: filterd lists report')}"


def _sources(row: Row, by: Wording) -> str:
    if row["starter_only"]:
        return by.texts("starter list only")
    return ", ".join(row["sources"])


def _days(row: Row, _: Wording) -> str:
    return row["newest"] if row["oldest"] == row["newest"] else f"{row['oldest']}…{row['newest']}"


def _number(n: int, _: Wording) -> str:
    return counted.number(n)


COVERAGE = Listing(
    say("Coverage by category"),
    UNSAID,
    (
        Column(say("Category"), "category"),
        Column(say("Names"), "names", _number, is_number=True),
        Column(say("Sources"), worded=_sources),
        Column(say("Texts of"), worded=_days),
    ),
    is_whole=False,
)
SHARES = Listing(
    say("What each source adds"),
    say("no public list is in force; follow some: filterd lists follow --recommended"),
    (
        Column(say("Source"), "id"),
        Column(say("Category"), "category"),
        Column(say("Names"), "names", _number, is_number=True),
        Column(say("Only it has"), "only", _number, is_number=True),
        Column(say("Left out"), "left_out", _number, is_number=True),
        Column(say("Popular names that it closes"), "popular", lambda names, _: " ".join(names)),
        Column(say("Text of"), "date", lambda date, _: date or ""),
    ),
    is_whole=False,
)
"""Of ``build["sources"]``."""
