# SPDX-License-Identifier: Apache-2.0
"""Describe rows and names of the log for people, and what each level keeps.

Rows are those that the commands of the control socket return (``daemon.log_commands``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd import counted, words
from filterd.counted import number
from filterd.i18n import UNSAID, Sentence, from_plain, say
from filterd.rows import Column, Details, Listing, Row, Wording, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

KNOWN = {
    "off": say("{tiers}: nothing is recorded (level off)"),
    "counts": say("{tiers}: numbers only, no names (level counts)"),
    "names": say(
        "{tiers}: the names of a day, without time, class or how often; allowed ones that at"
        " least {devices} devices asked for (level names)"
    ),
    "blocked": say(
        "{tiers}: a row for each blocked lookup; of allowed ones only the names that at least"
        " {devices} devices asked for (level blocked)"
    ),
    "full": say("{tiers}: a row for each lookup (level full)"),
}
"""What the log has of tiers, by level."""


def known(levels: Mapping[str, str], least: int, wording: Wording) -> Iterator[str]:
    """Yield a sentence for each level that tiers have now, on what is known of them.

    Args:
        levels: by tier.
        least: the least number of devices behind a name that passes.
        wording: the language.
    """
    for level, sentence in KNOWN.items():
        tiers = [wording.texts.word(words.TIER, tier) for tier, of in levels.items() if of == level]
        if len(tiers) == len(levels) > 1:
            tiers = [wording.texts("all tiers")]
        if tiers:
            yield wording.texts(sentence, tiers=", ".join(tiers), devices=least)


def scope(found: Row, wording: Wording) -> Iterator[str]:
    """Yield what an answer lacks: unreadable days, what levels do not keep.

    Args:
        found: with ``skipped``, ``levels`` and ``least_devices``, as ``log search`` returns them.
        wording: the language.
    """
    for one in found["skipped"]:
        why = from_plain(one["sentence"])
        yield wording.texts("{day} is left out: {why}", day=one["day"], why=why)
    yield from known(found["levels"], found["least_devices"], wording)


def nothing(found: Row) -> Sentence:
    """Return a sentence for an answer without rows and names; see ``scope``."""
    if found["days"]:
        return say("Nothing fits in {days}.", days=counted.days(len(found["days"])))
    kept = counted.days(found["keep_days"])
    return say("The log has no names or rows of these days; they are kept for {days}.", days=kept)


def with_least(rows: Iterable[Row], least: int) -> list[Row]:
    """Return rows with the least number of devices, for ``SEEN`` and ``NEW``."""
    return [{**row, "least_devices": least} for row in rows]


def _devices(row: Row, _: Wording) -> str:
    """Return a number of devices, which is not counted above k."""
    n, least = row["devices"], row["least_devices"]
    return f"{n}+" if n >= least else str(n)


def _name(row: Row, _: Wording) -> str:
    return row["name"] if row["n"] == 1 else f"{row['name']} \u00d7{row['n']}"


def _number(n: int, _: Wording) -> str:
    return number(n)


def _category(category: str, wording: Wording) -> str:
    return category or wording.texts("(on no list)")


_NAME, _CATEGORY = Column(say("Name"), "name"), Column(say("Category"), "category")
_TIER, _RESULT = (
    Column(say("Tier"), "tier", words.TIER),
    Column(say("Result"), "action", words.COUNTED),
)
_DEVICES = Column(say("Devices"), worded=_devices, is_number=True)

ROWS = Listing(
    say("Lookups, the latest first"),
    UNSAID,
    (
        Column(say("ID: day and time"), "id"),
        Column(say("Name"), worded=_name),
        Column(
            say("Class"),
            worded=lambda row, by: by.texts.word(words.TIER, row["class"] or row["grade"]),
        ),
        _RESULT,
        _CATEGORY,
    ),
)
SEEN = Listing(
    say("Distinct names by day and tier"),
    UNSAID,
    (Column(say("Day"), "day"), _NAME, _TIER, _RESULT, _CATEGORY, _DEVICES),
)
TOP = Listing(
    say("Most lookups"),
    say("No row fits."),
    (
        Column(say("Lookups"), "n", _number, is_number=True),
        Column(words.COUNTED["blocked"], "blocked", _number, is_number=True),
        _NAME,
        _CATEGORY,
    ),
)
NEW = Listing(say("Names that are new"), UNSAID, (_NAME, _TIER, _CATEGORY, _DEVICES))
OF_CLASS = Listing(say("Names of class {class_id} today"), UNSAID, (_NAME, _RESULT, _CATEGORY))

ROW = Details(
    (
        Column(say("Name"), "name"),
        Column(say("At"), "at", when),
        Column(say("Lookups"), "n", _number),
        Column(say("Class"), "class"),
        Column(say("Grade"), "grade"),
        Column(say("Network"), "network"),
        Column(say("Result"), "action", words.COUNTED),
        Column(say("Category"), "category", _category),
        Column(say("Blocked by"), "blocker"),
        Column(
            say("Device that day"),
            "device",
            lambda device, _: f"{device:08x}" if device else None,
        ),
    ),
    lambda row, by: by.texts("Row {id}", id=row["id"]),
)
