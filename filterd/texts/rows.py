# SPDX-License-Identifier: Apache-2.0
"""Describe rows of facts once, for everything that draws them.

A row is plain data, as ``--json`` prints it. The package of a fact describes its columns:
heading, key and wording. The command line, web pages and reports draw them. ``to_csv`` writes a
table as CSV (RFC 4180), and ``guarded`` a cell that is no formula.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.texts.i18n import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from filterd.texts.i18n import Sentence, Texts

Row = Mapping[str, Any]
Table = list[list[str]]
"""Cells as a spreadsheet has them, each row from the left."""


class SchoolClock(NamedTuple):
    """The school's time zone, and the present time."""

    zone: ZoneInfo
    now: float

    def shows(self, at: float) -> datetime:
        """Return a Unix time as local time."""
        return datetime.fromtimestamp(at, self.zone)

    def text(self, at: float | None) -> str:
        """Return a time as people in Vietnam read it; "" for no time.

        The hour alone if it is today, else with the date, the day first.
        """
        if at is None:
            return ""
        shown = self.shows(at)
        clock = f"{shown:%H:%M}" if shown.second == 0 else f"{shown:%H:%M:%S}"
        return clock if shown.date() == self.shows(self.now).date() else f"{clock} {shown:%d/%m/%Y}"


class Wording(NamedTuple):
    """The language and the clock by which values are worded."""

    texts: Texts
    clock: SchoolClock


class Column(NamedTuple):
    """One column of a table, or one line of details.

    Attributes:
        heading: above the column, or before the value.
        key: of the value in the row; empty where the value is made of the whole row.
        worded: how the value is worded: a vocabulary, or a function of the value.
        is_number: whether it stands at the right and is never cut.
        style: a style, the style of each value, or a function of the value.
        each: the key of rows within the row, each of which has a line of its own.
    """

    heading: Sentence
    key: str = ""
    worded: Mapping[str, Sentence] | Callable[[Any, Wording], Any] | None = None
    is_number: bool = False
    style: str | Mapping[str, str] | Callable[[Any], str] = ""
    each: str = ""

    def cell(self, row: Row, wording: Wording) -> tuple[str, str]:
        """Return the text of a row's value, and its style."""
        value: Any = row[self.key] if self.key else row
        style = self.style
        if not isinstance(style, str):
            style = style(value) if callable(style) else style.get(value, "")
        if callable(self.worded):
            value = self.worded(value, wording)
        elif self.worded is not None:
            value = wording.texts.word(self.worded, value)
        return "" if value is None else translated(value, wording.texts.language), style

    def cells(self, row: Row, wording: Wording) -> list[tuple[str, str]]:
        """Return the cells of the lines: one, or one of each row within the row."""
        return [self.cell(one, wording) for one in (row[self.each] if self.each else (row,))]


class Details(NamedTuple):
    """The columns of one row, one below the other, and a title made of the row."""

    columns: tuple[Column, ...]
    title: Callable[[Row, Wording], str] = lambda *_: ""

    def filled(self, row: Row, wording: Wording) -> tuple[Column, ...]:
        """Return the columns in which a row has something."""
        return tuple(
            column for column in self.columns if any(text for text, _ in column.cells(row, wording))
        )


class Listing(NamedTuple):
    """Rows of one kind; ``none`` is shown where there are none.

    Where there is little room, words are broken over lines if ``is_whole``, else cut.
    """

    title: Sentence
    none: Sentence
    columns: tuple[Column, ...]
    is_whole: bool = True

    def without(self, key: str) -> Listing:
        """Return it without the column of a key."""
        return self._replace(columns=tuple(column for column in self.columns if column.key != key))


def when(at: float | None, wording: Wording) -> str:
    """Return a time by the school's clock."""
    return wording.clock.text(at)


_FORMULA_BEGINS = "=+-@"
_OWN_BEGINS = ("'", "\t", "\r", "\n")
"""The first is what a guarded cell begins with: so different cells stay different."""
_UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that show nothing; spaces, marks and controls are known by their category."""


def to_csv(table: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV in UTF-8."""
    import csv  # noqa: PLC0415 -- serving processes describe rows, and write none

    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue().encode()


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    Programs pass over what is not seen before it, and take wide signs for the usual ones.
    """
    return f"'{cell}" if cell.startswith(_OWN_BEGINS) or _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    import unicodedata  # noqa: PLC0415 -- as above

    for one in cell:
        if one in _UNSEEN or unicodedata.category(one)[0] in "CMZ":
            continue
        return unicodedata.normalize("NFKC", one)[0] in _FORMULA_BEGINS
    return False
