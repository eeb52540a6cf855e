# SPDX-License-Identifier: Apache-2.0
"""How commands draw: tables that fit 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from filterd.cli.context import Context
from filterd.cli.school_clock import school_clock
from filterd.texts.rows import Column, Details, Listing, Row, SchoolClock, Wording

_WIDEST_ID = 32
"""Widest first column: a wider one would take space from the numbers."""
_BETWEEN, _NARROWEST, _LONG_WORD = 2, 12, 30
"""Characters between columns, of the narrowest, and of the longest word that is never broken."""
_HEADING = 10
"""Widest heading of numbers: a longer one is wrapped."""


def titled(title: str, table: Table) -> Group:
    """Put a title above a table; rich wraps its own to the width of the table."""
    return Group(Text(title, style="bold"), table)


def facts(rows: Iterable[Sequence[Any]]) -> Table:
    """Return a two-column table of labels and values; rows without a value are left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value is not None and str(value):
            table.add_row(name, value if isinstance(value, Text) else str(value))
    return table


def grid(columns: Iterable[tuple[str, bool]], *, whole: bool = False) -> Table:
    """Return an empty table; each column is a heading and whether it holds numbers.

    Numbers keep their width, and the first column up to ``_WIDEST_ID``; where a
    terminal is too narrow, the text between is cut, or with ``whole`` wrapped: a name
    that was set must be readable.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for position, (heading, numeric) in enumerate(columns):
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(
            heading,
            justify=justify,
            no_wrap=numeric or position == 0,
            overflow="fold" if whole and position else "ellipsis",
            max_width=_WIDEST_ID if position == 0 else None,
        )
    return table


def show(
    here: Context,
    listing: Listing,
    rows: Sequence[Row],
    *,
    json: bool = False,
    clock: SchoolClock | None = None,
) -> None:
    """Print rows as JSON, or as a titled table; a sentence where there are none."""
    if json:
        here.print_json(rows)
    elif rows:
        here.console.print(listed(Wording(here.texts, clock or school_clock(here)), listing, rows))
    else:
        here.print(listing.none)


def show_details(
    here: Context, kind: Details, row: Row, *, json: bool = False, clock: SchoolClock | None = None
) -> None:
    """Print a row as JSON, or as lines below a title; values that are empty are left out."""
    if json:
        here.print_json(row)
    else:
        here.console.print(details(Wording(here.texts, clock or school_clock(here)), kind, row))


def details(wording: Wording, kind: Details, row: Row) -> Group | Table:
    """Return what ``show_details`` prints."""
    cells = [
        (column.heading, cell) for column in kind.columns for cell in column.cells(row, wording)
    ]
    drawn = facts((wording.texts(heading), Text(*cell)) for heading, cell in cells)
    title = kind.title(row, wording)
    return titled(title, drawn) if title else drawn


def listed(wording: Wording, listing: Listing, rows: Iterable[Row]) -> Group | Table:
    """Return a table of rows, below its title if it has one."""
    drawn = table(wording, listing.columns, rows, whole=listing.is_whole)
    return titled(wording.texts(listing.title), drawn) if listing.title else drawn


def table(
    wording: Wording, columns: Sequence[Column], rows: Iterable[Row], *, whole: bool = True
) -> Table:
    """Return a table of rows; ``whole`` as ``grid`` takes it."""
    headings = ((wording.texts(one.heading), one.is_number) for one in columns)
    wrapped = [(fill(text, _HEADING) if is_n else text, is_n) for text, is_n in headings]
    cells = [[one.cell(row, wording) for one in columns] for row in rows]
    drawn = grid(wrapped, whole=whole)
    if not whole:
        for row in cells:
            drawn.add_row(*(Text(*cell) for cell in row))
        return drawn
    plain = [[text for text, _ in wrapped], *([text for text, _ in row] for row in cells)]
    widths = _widths([*zip(*plain, strict=True)], Console().width)
    for column, width in zip(drawn.columns, widths, strict=True):
        column.width = width
    for row in cells:
        parts = zip(row, widths, strict=True)
        drawn.add_row(*(Text(_broken(text, width), style) for (text, style), width in parts))
    return drawn


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the widths of columns: words stay whole as far as there is room.

    Where there is little, a long name goes on below, behind a dot.
    """
    words = [" ".join(texts).split() for texts in columns]
    least = [min(max(map(cell_len, some), default=0), _LONG_WORD) for some in words]
    widths = [max(map(cell_len, "\n".join(texts).splitlines()), default=0) for texts in columns]
    narrow = [_NARROWEST] * len(columns)
    for floor in (least, [*least[:1], *narrow[1:]], narrow):  # an id is cut last: it is typed
        while sum(widths) > room - _BETWEEN * len(columns):
            spare = [(width, at) for at, width in enumerate(widths) if width > floor[at]]
            if not spare:
                break
            widths[max(spare)[1]] -= 1
    return widths


def _broken(text: str, width: int) -> str:
    """Return a text in which words that are too wide, such as names, go on behind a dot."""
    if all(cell_len(word) <= width for word in text.split()):
        return text
    lines = [""]
    for part in re.split(r"(?<=[.:/ \n])", text):
        if cell_len(lines[-1] + part.rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
        if part.endswith("\n"):
            lines.append("")
    return "\n".join(line.rstrip() for line in lines if line)
