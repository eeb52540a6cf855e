# SPDX-License-Identifier: Apache-2.0
"""Describe the query log for people: totals, names and rows, levels.

Rows are those that the commands of the control socket return (``daemon.handlers.log_commands``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd.texts import counted, words
from filterd.texts.counted import number
from filterd.texts.i18n import UNSAID, Sentence, from_plain, say
from filterd.texts.rows import Column, Details, Listing, Row, Wording, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


def summaries(rows: Sequence[Row], days: int) -> Iterator[tuple[Listing, list[Row]]]:
    """Yield what to draw of totals: by day, grade and class, and blocks by category.

    Args:
        rows: as ``TotalsRequest.row`` returns them.
        days: how many they cover.
    """
    title = say("Answers of {days}", days=counted.days(days))
    yield _by("date", say("Day"), rows, title)
    if any("hour" in row for row in rows):
        yield _by(
            "hour", say("Hour"), rows, UNSAID, lambda at, by: f"{by.clock.shows(at):%H:%M %d/%m}"
        )
    yield _by("grade", say("Grade"), rows, UNSAID, _grade)
    for key, heading in (("class", say("Class")), ("network", say("Network"))):
        known = [row for row in rows if row.get(key)]
        if known:
            yield _by(key, heading, known, UNSAID)
    blocked = Counter[str]()
    for row in rows:
        blocked[row["category"]] += row["n"] if row["action"] == "blocked" else 0
    if any(blocked.values()):
        yield _BLOCKS, [{"category": key, "n": n} for key, n in blocked.most_common() if n]


def _by(
    key: str,
    heading: Sentence,
    rows: Sequence[Row],
    title: Sentence,
    worded: Callable[[Any, Wording], str] | None = None,
) -> tuple[Listing, list[Row]]:
    """Return a row per value of ``key``, with a column for each action that occurs."""
    actions = [one for one in words.COUNTED if any(row["action"] == one for row in rows)]
    values = sorted({row[key] for row in rows}, key=_order)
    sums = {value: dict.fromkeys(actions, 0) for value in values}
    for row in rows:
        sums[row[key]][row["action"]] += row["n"]
    columns = (Column(words.COUNTED[action], action, _number, is_number=True) for action in actions)
    listing = Listing(title, UNSAID, (Column(heading, key, worded), *columns), is_whole=False)
    return listing, [{key: value, **counts} for value, counts in sums.items()]


def _order(value: str | int) -> tuple[int, str]:
    """Return the order of hours and grades, by number, before that of names and dates."""
    number = int(value) if isinstance(value, int) or value.isdecimal() else 1_000
    return number, str(value)


def _grade(grade: str, by: Wording) -> str:
    """Return the word for a grade; none: what is counted for the whole school."""
    word = by.texts.word(words.TIER, grade) if grade else by.texts("(whole school)")
    return word.replace(", ", ",\n")  # six columns of millions leave room for a short word only


def _number(n: int, _: Wording) -> str:
    return number(n)


_BLOCKS = Listing(
    UNSAID,
    UNSAID,
    (
        Column(
            say("Category"),
            "category",
            lambda category, by: category or by.texts("(other blocks)"),
            style=lambda category: "" if category else "dim",
        ),
        Column(words.COUNTED["blocked"], "n", _number, is_number=True),
    ),
    is_whole=False,
)


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


HELP = Listing(
    say("Whether help may be needed"),
    UNSAID,
    (
        Column(say("Category"), worded=lambda row, by: row["names"][by.texts.language]),
        Column(
            say("Asked for in this month"),
            "has_blocks",
            lambda has, by: by.texts("yes") if has else by.texts("no"),
        ),
    ),
)
"""The answers of ``log help``."""


def too_small(least_devices: int) -> Sentence:
    """Return why a school gets no answer."""
    return say(
        "A school of fewer than {n} devices is told nothing: an answer would be of few pupils.",
        n=least_devices,
    )


OFFERS = say(
    "No answer says who, when or how often, and none is asked for: talk to all classes. 111, the"
    " national line for the protection of children, is free by day and night; it advises children"
    " without asking for a name, and also parents and teachers."
)
"""What stands beside the answers, for a counsellor."""


SHOWN = {
    "off": say("nothing is recorded"),
    "counts": say("numbers by hour; names are not kept at this level"),
    "names": say("numbers by hour; names are kept without time or class"),
    "blocked": say("blocked lookups; of the others numbers by hour"),
    "full": say("all lookups"),
}
"""What is shown of a tier at each level."""
_NUMBERS_ONLY = say("numbers by hour; lookups are shown to administrators only")


def levels_shown(levels: Mapping[str, str], wording: Wording, *, shows_rows: bool) -> Iterator[str]:
    """Yield what is shown at each level, and of which tiers where they differ.

    Args:
        levels: by tier.
        wording: the language.
        shows_rows: whether the reader may see lookups.
    """
    texts = wording.texts
    for level, what in SHOWN.items():
        tiers = [texts.word(words.TIER, tier) for tier, one in levels.items() if one == level]
        if not tiers:
            continue
        is_hidden = not shows_rows and level in ("blocked", "full")
        shown = _NUMBERS_ONLY if is_hidden else what
        of_level = texts("log level {level}: {what}", level=level, what=shown)
        is_one = len(tiers) == len(levels)
        yield of_level if is_one else f"{of_level} ({', '.join(tiers)})"
