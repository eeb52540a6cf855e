# SPDX-License-Identifier: Apache-2.0
"""Timetables as schools keep them in a table: day, lesson, room, class, teacher, a row each.

The first row that names the columns is the heading, in Vietnamese or English. A day that is
left out is the one above, as in merged cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from unicodedata import normalize

from filterd.cli.spreadsheet import Table
from filterd.errors import ConfigError, ConfigErrors
from filterd.field_checks import plain
from filterd.i18n import UNSAID, Sentence, did_you_mean, say
from filterd.policy.model import GRADES, Network, Period, Policy

HEADING = ["day", "lesson", "room", "class", "teacher"]
_CALLED = {
    "day": ("day", "weekday", "thứ", "ngày"),
    "lesson": ("lesson", "period", "tiết"),
    "room": ("room", "phòng", "phòng học", "phòng máy"),
    "class": ("class", "lớp", "grade", "khối"),
    "teacher": ("teacher", "giáo viên", "gv", "gvbm"),
}
_WEEKDAYS = (
    ("2", "hai", "mon", "monday"),
    ("3", "ba", "tue", "tuesday"),
    ("4", "tư", "wed", "wednesday"),
    ("5", "năm", "thu", "thursday"),
    ("6", "sáu", "fri", "friday"),
    ("7", "bảy", "sat", "saturday"),
    ("cn", "chủ nhật", "sun", "sunday"),
)
DAYS = ("t2", "t3", "t4", "t5", "t6", "t7", "cn")
_LONGEST_TEACHER, _MOST_PROBLEMS, _LOOKED_AT = 64, 20, 20
_weekday = {word: day for day, words in enumerate(_WEEKDAYS) for word in words}
_day_word = re.compile(r"(?:thứ\s*|t\.?\s*)?(.+)").fullmatch
_lesson_word = re.compile(r"(?:tiết|tiet|lesson|period|t)?[\s.-]*([0-9]{1,2})").fullmatch
_class_word = re.compile(r"(?:lớp|khối|class|grade)\s+(.+)", re.IGNORECASE).fullmatch


def parse(table: Table, path: str, policy: Policy) -> tuple[Network, ...]:
    """Return the networks that a table names, with the timetables that it gives them.

    Args:
        table: its rows.
        path: its name in errors.
        policy: with the rooms, lessons and classes of the school.

    Raises:
        ConfigErrors: all that is wrong, each with row and column.
    """
    top, columns = _heading(table, path)
    reader = _Reader(policy, columns, path)
    for number, row in enumerate(table[top + 1 :], top + 2):
        if any(row):
            reader.take(number, row)
    if reader.problems:
        raise ConfigErrors(reader.problems[:_MOST_PROBLEMS])
    return tuple(
        replace(one, timetable=tuple(reader.found[one.id].values()))
        for one in policy.networks
        if one.id in reader.found
    )


def rows(networks: Iterable[Network], policy: Policy) -> list[list[str]]:
    """Return the rows of timetables, in the order of days and lessons."""
    order = {one.id: place for place, one in enumerate(policy.lessons)}
    periods = [(one, network.id) for network in networks for one in network.timetable]
    periods.sort(key=lambda pair: (pair[0].weekday, order.get(pair[0].lesson, 0), pair[1]))
    return [[DAYS[one.weekday], one.lesson, room, one.grade, one.teacher] for one, room in periods]


def _heading(table: Table, path: str) -> tuple[int, dict[str, int]]:
    """Return the number of the heading's row, and the columns by their names."""
    for number, row in enumerate(table[:_LOOKED_AT]):
        words = [normalize("NFC", cell).casefold() for cell in row]
        found = {
            name: words.index(word)
            for name, called in _CALLED.items()
            for word in called
            if word in words
        }
        if set(HEADING[:4]) <= found.keys():
            return number, found
    hint = say("such as: day, lesson, room, class, teacher")
    raise ConfigError(say("no row names the columns of a timetable"), path=path, hint=hint)


class _Reader:
    """Reader of the rows beneath the heading."""

    def __init__(self, policy: Policy, columns: dict[str, int], path: str) -> None:
        self.found: dict[str, dict[tuple[int, str], Period]] = {}
        self.problems: list[ConfigError] = []
        self._columns, self._path, self._day = columns, path, ""
        self._rooms = {one.id.casefold(): one.id for one in policy.networks}
        self._seats = {one.id.casefold(): one.id for one in policy.classes}
        self._seats |= {grade: grade for grade in GRADES}
        self._lessons = {one.id.casefold(): one.id for one in policy.lessons}
        self._numbered: dict[str, list[str]] = {}
        for one in policy.lessons:
            if number := re.search(r"([0-9]+)$", one.id):
                self._numbered.setdefault(str(int(number[1])), []).append(one.id)

    def take(self, number: int, row: list[str]) -> None:
        """Take one row, or note the first thing that is wrong in it."""
        cells = {
            name: normalize("NFC", row[at]) if at < len(row) else ""
            for name, at in self._columns.items()
        }
        self._day = cells["day"] or self._day
        try:
            self._put(cells)
        except _Wrong as wrong:
            column = self._columns[wrong.column] + 1
            self.problems.append(
                ConfigError(
                    wrong.reason, path=self._path, line=number, column=column, hint=wrong.hint
                )
            )

    def _put(self, cells: dict[str, str]) -> None:
        period = Period(
            self._weekday_of(self._day),
            self._lesson_of(cells["lesson"]),
            self._seat_of(cells["class"]),
            self._teacher_of(cells.get("teacher", "")),
        )
        word = cells["room"].casefold()
        unknown = say("'{room}' is not a room", room=cells["room"])
        room = self._known("room", word, self._rooms, unknown)
        there = self.found.setdefault(room, {})
        first = there.setdefault((period.weekday, period.lesson), period)
        if first is not period:
            raise _Wrong("class", say("the lesson has {seat} already", seat=first.grade))

    def _weekday_of(self, text: str) -> int:
        word = " ".join(text.casefold().split())
        found = _day_word(word)
        for one in (word, found[1].strip() if found else ""):
            if one in _weekday:
                return _weekday[one]
        raise _Wrong(
            "day", say("'{text}' is not a day of the week", text=text), say("such as t2, Mon, cn")
        )

    def _lesson_of(self, text: str) -> str:
        word = text.casefold()
        if word in self._lessons:
            return self._lessons[word]
        found = _lesson_word(word)
        numbered = self._numbered.get(str(int(found[1])), []) if found else []
        if len(numbered) == 1:
            return numbered[0]
        unknown = say("'{lesson}' is not a lesson of this site", lesson=text)
        return self._known("lesson", word, self._lessons, unknown)

    def _seat_of(self, text: str) -> str:
        found = _class_word(text)
        word = (found[1].strip() if found else text).casefold()
        unknown = say("'{wanted}' is not a class of this site", wanted=text)
        return self._known("class", word, self._seats, unknown)

    def _teacher_of(self, text: str) -> str:
        try:
            return plain(text[:_LONGEST_TEACHER], say("the teacher"))
        except ConfigError as error:
            raise _Wrong("teacher", error.reason, error.hint) from error

    def _known(self, column: str, word: str, known: dict[str, str], unknown: Sentence) -> str:
        if word in known:
            return known[word]
        hint = did_you_mean(word, [one for one in known.values() if one not in GRADES])
        raise _Wrong(column, unknown, hint)


class _Wrong(Exception):  # noqa: N818 -- it is caught here
    """What is wrong with a row, and in which column."""

    def __init__(self, column: str, reason: Sentence, hint: Sentence = UNSAID) -> None:
        super().__init__(column)
        self.column, self.reason, self.hint = column, reason, hint


def differences(
    now: Iterable[Network], wanted: Iterable[Network], policy: Policy
) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the rows that differ: as they are and as the table has them, empty for none."""
    before = {tuple(row[:3]): row for row in rows(now, policy)}
    after = {tuple(row[:3]): row for row in rows(wanted, policy)}
    for key in [*before, *(one for one in after if one not in before)]:
        old, new = before.get(key, []), after.get(key, [])
        if old != new:
            yield old, new
