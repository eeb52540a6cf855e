# SPDX-License-Identifier: Apache-2.0
"""Return what would change as plain data, and describe it for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.policy.model import GRADES, TIERS
from filterd.resolve.what_if import CLOSES, KINDS, OPENS, REWRITES
from filterd.texts import counted, words
from filterd.texts.i18n import UNSAID, say, say_in
from filterd.texts.rows import Column, Listing, Row, Wording
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.resolve.what_if import DifferenceSums, NameDifference

MOST_ROWS = 50
"""Changed names that are shown; the others are counted."""
ROWS, NAMES, POPULAR = "rows", "names", "popular"
"""What was judged: lookups, distinct names by tier, or popular names instead of a log."""

_KIND = {
    CLOSES: say_in("what-if", "would be blocked"),
    OPENS: say_in("what-if", "would open"),
    REWRITES: say_in("what-if", "other safe mode"),
}


def to_plain(sums: DifferenceSums, judged: str) -> dict[str, Any]:
    """Return sums as plain data.

    Args:
        sums: of the comparison.
        judged: ``ROWS``, ``NAMES`` or ``POPULAR``.
    """
    order = {grade: place for place, grade in enumerate(GRADES)}
    places = sorted(sums.lookups, key=lambda lookup: (order.get(lookup.grade, -1), lookup.class_id))
    shown = sorted(sums.names.items(), key=lambda item: (-item[1], item[0]))
    return {
        "judged": judged,
        "lookups": sums.lookups.total(),
        "changed": {
            kind: sum(n for (_, of), n in sums.changed.items() if of == kind) for kind in KINDS
        },
        "names": {kind: sum(one.kind == kind for one in sums.names) for kind in KINDS},
        "rows": [_row(sums, name, n) for name, n in shown[:MOST_ROWS]],
        "more": len(shown[MOST_ROWS:]) + sums.unnamed,
        "groups": [
            {
                "grade": one.grade,
                "class": one.class_id,
                "lookups": sums.lookups[one],
                **{kind: sums.changed[one, kind] for kind in KINDS},
            }
            for one in places
        ],
        "tiers": [
            {
                "tier": tier,
                "names": sums.distinct[tier],
                **{kind: sums.changed_distinct[tier, kind] for kind in KINDS},
            }
            for tier in TIERS
            if sums.distinct[tier]
        ],
        "confidential": sums.confidential,
    }


def differs(facts: Row) -> bool:
    """Return whether anything would change."""
    return bool(
        any(facts["changed"].values()) or any(facts["names"].values()) or facts["confidential"]
    )


def tables(facts: Row) -> Iterator[tuple[Listing, list[Row]]]:
    """Yield the tables of what would change, without lines of zeros only."""
    yield from ((CHANGED_NAMES, facts["rows"]),) if facts["rows"] else ()
    for listing, key in ((BY_CLASS, "groups"), (BY_TIER, "tiers")):
        if changed := [row for row in facts[key] if any(row[kind] for kind in KINDS)]:
            yield listing, changed


def _row(sums: DifferenceSums, name: NameDifference, n: int) -> dict[str, Any]:
    places = sums.places[name]
    return {
        "name": names.to_text(name.name),
        "kind": name.kind,
        "category": name.category,
        "n": n,
        "grades": [one for one in GRADES if any(one == each.grade for each in places)],
        "classes": sorted({place.class_id for place in places if place.class_id}),
    }


def summary(facts: Row, wording: Wording) -> Iterator[str]:
    """Yield sentences on what would change."""
    changed, texts = facts["changed"], wording.texts
    if facts["judged"] == POPULAR:
        yield texts(
            "The log has no names of these days: popular names were judged instead, for each tier."
        )
    if facts["lookups"]:
        yield texts(
            "Of {lookups} recorded lookups of {days}, {closes} would be blocked, {opens} would"
            " open, {rewrites} would get another safe mode.",
            lookups=counted.number(facts["lookups"]),
            days=counted.days(len(facts["days"])),
            **{kind: counted.number(n) for kind, n in changed.items()},
        )
    closes, opens = (counted.names(facts["names"][kind]) for kind in (CLOSES, OPENS))
    yield texts("Distinct names: {closes} would close, {opens} would open.",
                closes=closes, opens=opens)  # fmt: skip
    if facts["confidential"]:
        yield texts(
            "{n} more of confidential categories would change; they are never shown.",
            n=counted.number(facts["confidential"]),
        )
    if facts["more"]:
        yield texts("{names} more are not shown.", names=counted.names(facts["more"]))


def _known_number(n: int, _: Wording) -> str:
    return counted.number(n) if n else "\u2013"


def _number(n: int, _: Wording) -> str:
    return counted.number(n)


def _whose(row: Row, wording: Wording) -> str:
    if row["classes"]:
        return ", ".join(row["classes"])
    return ", ".join(wording.texts.word(words.TIER, one) for one in row["grades"])


def _of_group(row: Row, wording: Wording) -> str:
    return wording.texts.word(words.TIER, row["class"] or row["grade"])


def _kinds() -> tuple[Column, ...]:
    return tuple(Column(_KIND[one], one, _number, is_number=True) for one in KINDS)


def _category(category: str, wording: Wording) -> str:
    return category or wording.texts("(on no list)")


CHANGED_NAMES = Listing(
    say("Names that would change"),
    UNSAID,
    (
        Column(say("Name"), "name"),
        Column(say("Change"), "kind", _KIND, style={CLOSES: "red", OPENS: "green"}),
        Column(say("Category"), "category", _category),
        Column(say("Lookups"), "n", _known_number, is_number=True),
        Column(say("Class or grade"), worded=_whose),
    ),
)
BY_CLASS = Listing(
    say("Lookups by class"),
    UNSAID,
    (
        Column(say("Class"), worded=_of_group),
        Column(say("Lookups"), "lookups", _number, is_number=True),
        *_kinds(),
    ),
)
BY_TIER = Listing(
    say("Distinct names by tier"),
    UNSAID,
    (
        Column(say("Tier"), "tier", words.TIER),
        Column(say("Names"), "names", _number, is_number=True),
        *_kinds(),
    ),
)
