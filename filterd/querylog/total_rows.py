# SPDX-License-Identifier: Apache-2.0
"""Sum up the totals of the log by day, grade and category. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd import counted, words
from filterd.counted import number
from filterd.i18n import UNSAID, Sentence, say
from filterd.rows import Column, Listing, Row, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


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
    columns = (Column(words.COUNTED[one], one, _number, is_number=True) for one in actions)
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
            lambda category, by: category or by.texts("(rules of the school)"),
            style=lambda category: "" if category else "dim",
        ),
        Column(words.COUNTED["blocked"], "n", _number, is_number=True),
    ),
    is_whole=False,
)
