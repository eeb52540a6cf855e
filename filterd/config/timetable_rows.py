# SPDX-License-Identifier: Apache-2.0
"""Timetables as schools keep them in a table: a row for each lesson, or a grid.

The first row that names the columns day, lesson, room, class, teacher is the heading, in
Vietnamese or English. Without such a heading the table may be a grid::

    Thứ  Buổi   Tiết  6A                  6B         Thứ  Tiết  lab-a          lab-b
    2    Sáng   1     Tin - cô Lan - PM1  Toán       2    1     6A - cô Lan
                2     Toán                Tin - PM1       2                    6B
         Chiều  1     Văn                 ...        3    1     7A

In a column of a class the cell names the room, in one of a room the class. A cell that names no
room is left out: a school has many that no filter concerns. One that names two rooms, or one that
this site does not declare, is an error. An empty day or session is the one above, as in merged
cells; a row without a lesson goes on with the row above.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.config.timetable_words import SchoolWords, WordError, columns_of, folded, session_in
from filterd.policy.model import Network, Period, Policy
from filterd.policy.school_week import LESSON_HEADING, lesson_rows
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from filterd.texts.rows import Table

_MOST_PROBLEMS, _LOOKED_AT = 20, 20


class ReadTimetables(NamedTuple):
    """Timetables of a table: the networks with theirs, and cells of no room here."""

    networks: tuple[Network, ...]
    left_out: tuple[str, ...] = ()


def parse(
    table: Table, path: str, policy: Policy, rooms: Collection[str], others: Collection[str] = ()
) -> ReadTimetables:
    """Return the networks that a table names, with the timetables that it gives them.

    Args:
        table: its rows.
        path: its name in errors.
        policy: with the networks, lessons and classes of the school.
        rooms: the networks that ``site.yaml`` declares as rooms; no other gets a timetable.
        others: rooms that no filter concerns, as the table calls them.

    Raises:
        ConfigErrors: all that is wrong, each with row and column.
    """
    table = [[normalize("NFC", cell) for cell in row] for row in table]
    words, left_out = SchoolWords(policy, rooms, others), dict[str, None]()
    reader = _Reader(words, path)
    found = _heading(table)
    if found is not None:
        _take_rows(reader, table, *found, words, left_out)
    else:
        _take_grid(reader, table, words, left_out)
    if reader.problems:
        raise ConfigErrors(reader.problems[:_MOST_PROBLEMS])
    networks = (
        replace(network, timetable=tuple(reader.found[network.id].values()))
        for network in policy.networks
        if network.id in reader.found
    )
    return ReadTimetables(tuple(networks), tuple(left_out))


def _take_rows(
    reader: _Reader,
    table: Table,
    top: int,
    columns: dict[str, int],
    words: SchoolWords,
    left_out: dict[str, None],
) -> None:
    day = ""
    for number, row in enumerate(table[top + 1 :], top + 2):
        if any(row):
            cells = {name: row[at] if at < len(row) else "" for name, at in columns.items()}
            day = cells["day"] or day
            if words.is_other_room(cells["room"]):
                left_out[cells["room"]] = None
            else:
                reader.take(number, columns, cells | {"day": day})


def _take_grid(
    reader: _Reader, table: Table, words: SchoolWords, left_out: dict[str, None]
) -> None:
    path = reader.path
    if len(table) > MOST_GRID_ROWS:
        raise ConfigError(
            say("no row names the columns of a timetable"),
            path=path,
            hint=say("a grid has at most {most} rows", most=MOST_GRID_ROWS),
        )
    is_grid = any(heading_of(row, words, path, number) for number, row in enumerate(table, 1))
    if not is_grid:
        raise ConfigError(
            say("no row names the columns of a timetable"),
            path=path,
            hint=say("such as: day, lesson, room, class, teacher; or: day, lesson, 6A, 6B"),
        )
    for one in cells_of(table, words, path, left_out):
        columns = dict.fromkeys((*one.words, "room", "class"), one.column)
        if one.wrong is not None:
            reader.note(one.row, columns, one.wrong)
        else:
            reader.take(one.row, columns, one.words)
    if not reader.found and not reader.problems:
        example = " ".join(next(iter(left_out), "").split())
        raise ConfigError(
            say("no cell names a room of this site: '{cell}'", cell=example),
            path=path,
            hint=words.rooms_hint(),
        )


def _heading(table: Table) -> tuple[int, dict[str, int]] | None:
    """Return the number of the heading's row, and the columns by their names."""
    for number, row in enumerate(table[:_LOOKED_AT]):
        found = columns_of(row)
        if set(LESSON_HEADING[:4]) <= found.keys():
            return number, found
    return None


class _Reader:
    """Reader of lessons: it collects timetables, and what is wrong."""

    def __init__(self, words: SchoolWords, path: str) -> None:
        self.found: dict[str, dict[tuple[int, str], Period]] = {}
        self.problems: list[ConfigError] = []
        self.path, self._words = path, words

    def take(self, number: int, columns: dict[str, int], cells: dict[str, str]) -> None:
        """Take one lesson of a row, or note the first thing that is wrong in it."""
        try:
            self._put(cells)
        except WordError as wrong:
            self.note(number, columns, wrong)

    def note(self, number: int, columns: dict[str, int], wrong: WordError) -> None:
        """Note what is wrong in a row."""
        column = columns[wrong.column] + 1
        self.problems.append(
            ConfigError(wrong.reason, path=self.path, line=number, column=column, hint=wrong.hint)
        )

    def _put(self, cells: dict[str, str]) -> None:
        words = self._words
        period = Period(
            words.weekday(cells["day"]),
            words.lesson(cells["lesson"], cells.get("session", "")),
            words.seat(cells["class"]),
            words.teacher(cells.get("teacher", "")),
        )
        there = self.found.setdefault(words.room(cells["room"]), {})
        first = there.setdefault((period.weekday, period.lesson), period)
        if first is not period:
            raise WordError("class", say("the lesson has {seat} already", seat=first.grade))


def differences(
    now: Iterable[Network], wanted: Iterable[Network], policy: Policy
) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the rows that differ: as they are, and as the table has them; empty: none."""
    before = {tuple(row[:3]): row for row in lesson_rows(now, policy)}
    after = {tuple(row[:3]): row for row in lesson_rows(wanted, policy)}
    for key in [*before, *(one for one in after if one not in before)]:
        old, new = before.get(key, []), after.get(key, [])
        if old != new:
            yield old, new


_PLACES = ("day", "lesson", "session")
_EMPTY = frozenset(("", "-", "x", "nghỉ", "trống", "free", "off"))
MOST_GRID_ROWS = 1_000
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
    """One lesson: its row, its column, and its content, as of a row of a plain table.

    ``wrong``: why it cannot be read.
    """

    row: int
    column: int
    words: dict[str, str]
    wrong: WordError | None = None


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
    for at, text in others.items():
        if wrong := words.unknown_room(text):
            raise ConfigError(wrong.reason, path=path, line=number, column=at + 1, hint=wrong.hint)
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
        try:
            if heading.classes:
                named = {"class": head, "room": words.room_in(text) or ""}
            else:
                named = {"class": words.class_in(text), "room": head}
            named["teacher"] = words.teacher_in(text)
        except WordError as wrong:
            yield GridCell(number, column, when, wrong)
            continue
        if named["room"]:
            yield GridCell(number, column, when | named)
        else:
            left_out[text] = None


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
