# SPDX-License-Identifier: Apache-2.0
"""Timetables as a grid: a row for each day and lesson, a column for each class or room.

::

    Thứ  Buổi   Tiết  6A                  6B         Thứ  Tiết  lab-a          lab-b
    2    Sáng   1     Tin - cô Lan - PM1  Toán       2    1     6A - cô Lan
                2     Toán                Tin - PM1       2                    6B
         Chiều  1     Văn                 ...        3    1     7A

In a column of a class the cell names the room, in one of a room the class. Cells of other
rooms are left out: a school has many that no filter concerns. An empty day or session is the
one above, as in merged cells; a row without a lesson goes on with the row above.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from filterd.cli.spreadsheet import Table
from filterd.cli.timetable_words import SchoolWords, columns_of, folded, session_in
from filterd.errors import ConfigError
from filterd.i18n import say

_PLACES = ("day", "lesson", "session")
_EMPTY = frozenset(("", "-", "x", "nghỉ", "trống", "free", "off"))
MOST_ROWS = 1_000
"""Each cell is searched for names, which takes a while; a week has a hundred lessons."""
_like_a_class = re.compile(r"(?:lớp |class )?[0-9]{1,2} ?[a-zđ][0-9]{0,2}").fullmatch


class GridHeading(NamedTuple):
    """The columns of a grid.

    Attributes:
        places: the columns of day, lesson and session.
        classes: the column of each class, as headed; without any, ``rooms`` has.
        rooms: the column of each room.
    """

    places: dict[str, int]
    classes: dict[int, str]
    rooms: dict[int, str]


class GridCell(NamedTuple):
    """One lesson: its row, its column, and what is in it, as of a row of a plain table."""

    row: int
    column: int
    words: dict[str, str]


def heading_of(row: list[str], words: SchoolWords, path: str, number: int) -> GridHeading | None:
    """Return the columns that a row heads; None if it is no heading of a grid.

    Raises:
        ConfigError: they may be rooms or classes.
    """
    places = {name: at for name, at in columns_of(row).items() if name in _PLACES}
    if not {"day", "lesson"} <= places.keys():
        return None
    others = {at: row[at] for at in range(len(row)) if row[at] and at not in places.values()}
    classes = {at: text for at, text in others.items() if words.class_or_none(text)}
    rooms = {at: room for at, text in others.items() if (room := words.room_or_none(text))}
    if not classes and not rooms:
        return None
    if rooms.keys() < classes.keys():
        rooms = {}  # a class and its home room have one name
    if classes.keys() < rooms.keys():
        classes = {}
    if classes and rooms:
        both = ", ".join(others[at] for at in sorted({*classes, *rooms})[:3])
        raise ConfigError(
            say("the columns may be classes or rooms: {names}", names=both),
            path=path,
            line=number,
            column=min(*classes, *rooms) + 1,
            hint=say("head them such as: Class 6A, or: Room lab-a"),
        )
    if classes:  # one that this site lacks is wrong where its cell names a room
        classes |= {at: text for at, text in others.items() if _like_a_class(folded(text))}
    return GridHeading(places, classes, rooms)


def cells_of(
    table: Table, words: SchoolWords, path: str, left_out: dict[str, None]
) -> Iterator[GridCell]:
    """Yield the lessons of a grid that are in a room of this site.

    Args:
        table: its rows; there may be several grids, each beneath its own heading.
        words: of the school.
        path: its name in errors.
        left_out: collects cells in which something else is named.

    Raises:
        ConfigError: a heading is ambiguous.
    """
    heading: GridHeading | None = None
    day = session = ""
    for number, row in _whole_rows(table, words, path):
        if isinstance(row, GridHeading):
            heading = row
            continue
        at = {name: row[place] for name, place in heading.places.items()} if heading else {}
        if not at.get("lesson"):
            session = session_in(" ".join(row)) or session  # such as a title: BUỔI CHIỀU
            continue
        assert heading is not None, "it has a lesson"
        if at["day"] and at["day"] != day:
            day, session = at["day"], session if "session" not in at else ""
        session = at.get("session") or session
        when = {"day": day, "lesson": at["lesson"], "session": session}
        yield from _lessons(number, row, heading, when, words, left_out)


def _lessons(
    number: int,
    row: list[str],
    heading: GridHeading,
    when: dict[str, str],
    words: SchoolWords,
    left_out: dict[str, None],
) -> Iterator[GridCell]:
    for column, head in (heading.classes or heading.rooms).items():
        text = row[column]
        if folded(text) in _EMPTY:
            continue
        given = when | {"teacher": words.teacher_in(text)}
        if heading.classes:
            rooms = words.rooms_in(text)
            if not rooms:
                left_out[text] = None
            for room in rooms:
                yield GridCell(number, column, given | {"class": head, "room": room})
        else:
            for seat in words.classes_in(text) or [text]:
                yield GridCell(number, column, given | {"class": seat, "room": head})


def _whole_rows(
    table: Table, words: SchoolWords, path: str
) -> Iterator[tuple[int, list[str] | GridHeading]]:
    """Yield headings and rows; a row that goes on with the one above is put into it."""
    heading: GridHeading | None = None
    waits: tuple[int, list[str]] | None = None
    for number, row in enumerate(table, 1):
        found = heading_of(row, words, path, number)
        width = 1 + max((0, *heading.places.values(), *heading.classes, *heading.rooms)) if (
            heading) else 0  # fmt: skip
        wide = [*row, *[""] * (width - len(row))]
        if found is None and waits and heading and _goes_on(wide, waits[1], heading):
            for at in (*heading.classes, *heading.rooms):
                waits[1][at] = "\n".join(filter(None, (waits[1][at], wide[at])))
            continue
        if waits is not None:
            yield waits
        waits = None
        if found is not None:
            heading = found
            yield number, found
        elif heading is not None and any(row):
            waits = number, wide
        elif any(row):
            yield number, row
    if waits is not None:
        yield waits


def _goes_on(row: list[str], above: list[str], heading: GridHeading) -> bool:
    """Return whether a row has a second line for cells of the lesson above only."""
    columns = (*heading.classes, *heading.rooms)
    filled = {at for at, text in enumerate(row) if text}
    in_place = bool(filled) and filled <= set(columns)
    return in_place and bool(above[heading.places["lesson"]]) and all(above[at] for at in filled)
