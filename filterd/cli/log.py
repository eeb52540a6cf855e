# SPDX-License-Identifier: Apache-2.0
"""``filterd log``: what the daemon remembers of lookups."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from filterd import control, counted, words
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.render import grid, titled
from filterd.cli.target_options import grade_from
from filterd.counted import number
from filterd.i18n import Texts
from filterd.querylog import DAYS_KEPT

_Rows = list[dict[str, Any]]
_HEADING = 10
"""Columns of a heading: a longer one goes over several lines, for 80 columns must do."""


def totals(
    here: Context,
    days: Annotated[int, option("--days", "Today and before.", "N", min=1, max=DAYS_KEPT)] = 7,
    grade: Annotated[str | None, option("--grade", "1-12, staff, guest, ...", "GRADE")] = None,
    json: JsonOption = False,
) -> None:
    """Show how often what was answered: by day, by grade, and blocks by category.

    Totals only: no name and no address is remembered. Exit code 0: shown; 2: it
    cannot be told.
    """
    wanted = "" if grade is None else grade_from(grade)
    told = control.ask(here.state.control_socket, "log totals", days=days, grade=wanted)
    if json:
        here.print_json(told)
    elif not told:
        here.console.print(here.texts("Nothing has been counted."))
    else:
        here.console.print(_tables(here.texts, told, days))


def _tables(texts: Texts, rows: _Rows, days: int) -> Group:
    by_day = _table(texts, texts("Day"), rows, lambda row: row["date"])
    by_grade = _table(texts, texts("Grade"), rows, lambda row: row["grade"])
    title = texts("Answers of {days}", days=counted.days(days))
    return Group(titled(title, by_day), by_grade, *_blocks(texts, rows))


def _table(texts: Texts, heading: str, rows: _Rows, key: Callable[[dict[str, Any]], str]) -> Table:
    """Draw a row for each value of ``key``, a column for each action that occurs."""
    actions = [one for one in words.COUNTED if any(row["action"] == one for row in rows)]
    called = [texts.word(words.COUNTED, action) for action in actions]
    headings = [(textwrap.fill(one, _HEADING), True) for one in called]
    table = grid([(heading, False), *headings])
    for value in sorted({key(row) for row in rows}, key=_order):
        of_value = [row for row in rows if key(row) == value]
        counted = _sums((row["action"], row["n"]) for row in of_value)
        table.add_row(value, *(number(counted[action]) for action in actions))
    return table


def _order(value: str) -> tuple[int, str]:
    """Grades by their number, the others by their names."""
    return (int(value) if value.isdecimal() else DAYS_KEPT, value)


def _blocks(texts: Texts, rows: _Rows) -> Iterable[Table]:
    """Yield the blocks by category, the most first; nothing where nothing was blocked."""
    blocked = _sums((row["category"], row["n"]) for row in rows if row["action"] == "blocked")
    if blocked:
        table = grid([(texts("Category"), False), (texts.word(words.COUNTED, "blocked"), True)])
        for category, n in blocked.most_common():
            table.add_row(category or Text(texts("(rules of the school)"), style="dim"), number(n))
        yield table


def _sums(pairs: Iterable[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for key, n in pairs:
        sums[key] += n
    return sums
