# SPDX-License-Identifier: Apache-2.0
"""Timetables as schools keep them in a table: day, lesson, room, class, teacher, a row each.

The first row that names the columns is the heading, in Vietnamese or English. A day that is
left out is the one above, as in merged cells. Without such a heading the table may be a grid
(``timetable_grid``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple
from unicodedata import normalize

from filterd.cli import timetable_grid
from filterd.cli.spreadsheet import Table
from filterd.cli.timetable_words import SchoolWords, WordError, columns_of
from filterd.errors import ConfigError, ConfigErrors
from filterd.i18n import say
from filterd.policy.model import Network, Period, Policy
from filterd.policy.school_week import LESSON_HEADING, lesson_rows

_MOST_PROBLEMS, _LOOKED_AT = 20, 20


class ReadTimetables(NamedTuple):
    """Timetables of a table: the networks with theirs, and cells of no room of this site."""

    networks: tuple[Network, ...]
    left_out: tuple[str, ...] = ()


def parse(table: Table, path: str, policy: Policy) -> ReadTimetables:
    """Return the networks that a table names, with the timetables that it gives them.

    Args:
        table: its rows.
        path: its name in errors.
        policy: with the rooms, lessons and classes of the school.

    Raises:
        ConfigErrors: all that is wrong, each with row and column.
    """
    words, left_out = SchoolWords(policy), dict[str, None]()
    reader = _Reader(words, path)
    found = _heading(table)
    if found is not None:
        _take_rows(reader, table, *found)
    else:
        _take_grid(reader, table, words, left_out)
    if reader.problems:
        raise ConfigErrors(reader.problems[:_MOST_PROBLEMS])
    networks = (
        replace(one, timetable=tuple(reader.found[one.id].values()))
        for one in policy.networks
        if one.id in reader.found
    )
    return ReadTimetables(tuple(networks), tuple(left_out))


def _take_rows(reader: _Reader, table: Table, top: int, columns: dict[str, int]) -> None:
    day = ""
    for number, row in enumerate(table[top + 1 :], top + 2):
        if any(row):
            cells = {
                name: normalize("NFC", row[at]) if at < len(row) else ""
                for name, at in columns.items()
            }
            day = cells["day"] or day
            reader.take(number, columns, cells | {"day": day})


def _take_grid(
    reader: _Reader, table: Table, words: SchoolWords, left_out: dict[str, None]
) -> None:
    path = reader.path
    if len(table) > timetable_grid.MOST_ROWS:
        raise ConfigError(
            say("no row names the columns of a timetable"),
            path=path,
            hint=say("a grid has at most {most} rows", most=timetable_grid.MOST_ROWS),
        )
    is_grid = any(
        timetable_grid.heading_of(row, words, path, number) for number, row in enumerate(table, 1)
    )
    if not is_grid:
        raise ConfigError(
            say("no row names the columns of a timetable"),
            path=path,
            hint=say("such as: day, lesson, room, class, teacher; or: day, lesson, 6A, 6B"),
        )
    for one in timetable_grid.cells_of(table, words, path, left_out):
        reader.take(one.row, dict.fromkeys(one.words, one.column), one.words)
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
            column = columns[wrong.column] + 1
            self.problems.append(
                ConfigError(
                    wrong.reason, path=self.path, line=number, column=column, hint=wrong.hint
                )
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
    """Yield the rows that differ: as they are and as the table has them, empty for none."""
    before = {tuple(row[:3]): row for row in lesson_rows(now, policy)}
    after = {tuple(row[:3]): row for row in lesson_rows(wanted, policy)}
    for key in [*before, *(one for one in after if one not in before)]:
        old, new = before.get(key, []), after.get(key, [])
        if old != new:
            yield old, new
