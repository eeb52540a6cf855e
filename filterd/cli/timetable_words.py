# SPDX-License-Identifier: Apache-2.0
"""Words of timetables in Vietnamese and English: days, lessons, classes, rooms, teachers.

A room is found by its id, however a school spells it: ``lab-a`` is "Lab A", and
``phong-may-1`` is "P. máy 1", "Phòng máy 1" and "PM1".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from unicodedata import normalize

from filterd.errors import ConfigError
from filterd.field_checks import bare, plain
from filterd.i18n import UNSAID, Sentence, did_you_mean, say
from filterd.policy.model import GRADES, Lesson, Policy

_COLUMNS = {
    "day": ("day", "weekday", "thứ", "ngày", "thứ/ngày", "thứ ngày"),
    "lesson": ("lesson", "period", "tiết", "tiết học"),
    "session": ("session", "buổi"),
    "room": ("room", "phòng", "phòng học", "phòng máy"),
    "class": ("class", "lớp", "grade", "khối"),
    "teacher": ("teacher", "giáo viên", "gv", "gvbm"),
}
"""How a column may be headed."""
_WEEKDAYS = (
    ("2", "hai", "mon", "monday"),
    ("3", "ba", "tue", "tuesday"),
    ("4", "tư", "wed", "wednesday"),
    ("5", "năm", "thu", "thursday"),
    ("6", "sáu", "fri", "friday"),
    ("7", "bảy", "sat", "saturday"),
    ("cn", "chủ nhật", "sun", "sunday"),
)
_weekday = {word: day for day, words in enumerate(_WEEKDAYS) for word in words}
_day_word = re.compile(r"(?:thứ\s*|t\.?\s*)?(.+)").fullmatch
_SESSIONS = {"sáng": 0, "s": 0, "morning": 0, "am": 0} | {
    "chiều": 1, "c": 1, "afternoon": 1, "pm": 1}  # fmt: skip
_session_word = re.compile(r"\b(sáng|chiều|morning|afternoon)\b").search
_NOON_S = 43_200
_lesson_word = re.compile(r"(?:tiết|tiet|lesson|period|t)?[\s.-]*([0-9]{1,2})").fullmatch
_numbered = re.compile(r"([0-9]+)$").search
_class_word = re.compile(r"(?:lớp|khối|class|grade)\s+(.+)", re.IGNORECASE).fullmatch
_room_prefix = re.compile(r"(?:phong|room)[^a-z0-9]*|p(?:[^a-z0-9]+|(?=[0-9]))").match
_teacher_word = re.compile(r"(?:cô|thầy|gv|mr|ms)\.?\s+\S.*", re.IGNORECASE).fullmatch
_part = re.compile(r"[\n\r;|/,:()\[\]]+|\s+[-\u2013\u2014]\s+").split
_LONGEST_TEACHER, _MOST_WORDS = 64, 24


class WordError(Exception):
    """What is wrong with a word of a table, and in which column."""

    def __init__(self, column: str, reason: Sentence, hint: Sentence = UNSAID) -> None:
        super().__init__(column)
        self.column, self.reason, self.hint = column, reason, hint


def folded(text: str) -> str:
    """Return a text as it is compared: in small letters, one space between words."""
    return " ".join(normalize("NFC", text).casefold().split())


def parts_of(text: str) -> list[str]:
    """Return the parts of a cell, such as subject, teacher and room."""
    found = [" ".join(one.split()).strip(" -\u2013\u2014") for one in _part(normalize("NFC", text))]
    return [one for one in found if one]


def columns_of(row: list[str]) -> dict[str, int]:
    """Return the columns that a row heads, by their names."""
    cells = [folded(one) for one in row]
    return {
        name: cells.index(word)
        for name, called in _COLUMNS.items()
        for word in called
        if word in cells
    }


class SchoolWords:
    """The words of one school: its lessons, rooms, classes and teachers."""

    def __init__(self, policy: Policy) -> None:
        self._rooms = {one.id.casefold(): one.id for one in policy.networks}
        spelt: dict[str, set[str]] = {}
        for one in policy.networks:
            for key in _spellings(one.id):
                spelt.setdefault(key, set()).add(one.id)
        self._spelt = {key: next(iter(ids)) for key, ids in spelt.items() if len(ids) == 1}
        self._classes = {one.id.casefold(): one.id for one in policy.classes}
        self._seats = self._classes | {grade: grade for grade in GRADES}
        self._teachers = {word.casefold(): word for one in policy.classes for word in one.teachers}
        self._lessons = {one.id.casefold(): one.id for one in policy.lessons}
        self._numbers: dict[int, list[Lesson]] = {}
        for lesson in policy.lessons:
            if number := _numbered(lesson.id):
                self._numbers.setdefault(int(number[1]), []).append(lesson)

    def weekday(self, text: str) -> int:
        """Return the day of the week, 0 for Monday; ``WordError`` for none."""
        word = folded(text)
        found = _day_word(word)
        for one in (word, found[1].strip() if found else "", word.partition(" (")[0]):
            if one in _weekday:
                return _weekday[one]
        raise WordError(
            "day", say("'{text}' is not a day of the week", text=text), say("such as t2, Mon, cn")
        )

    def lesson(self, text: str, session: str = "") -> str:
        """Return the id of a lesson; ``WordError`` for none.

        With a session (buổi) the afternoon's first is the first that begins after noon, unless
        one has that number then.
        """
        word = folded(text)
        if word in self._lessons:
            return self._lessons[word]
        found = _lesson_word(word)
        number = int(found[1]) if found else 0
        numbered = self._numbers.get(number, [])
        if (half := _half(session)) is not None:
            numbered = [one for one in numbered if (one.starts_s >= _NOON_S) is bool(half)]
            all_of_half = sorted(
                (one for each in self._numbers.values() for one in each
                 if (one.starts_s >= _NOON_S) is bool(half)),
                key=lambda one: one.starts_s,
            )  # fmt: skip
            numbered = numbered or all_of_half[number - 1 : number] if number else []
        if len(numbered) == 1:
            return numbered[0].id
        unknown = say("'{lesson}' is not a lesson of this site", lesson=text)
        if len(numbered) > 1:
            ids = ", ".join(one.id for one in numbered)
            reason = say("'{lesson}' may be {ids}", lesson=text, ids=ids)
            raise WordError(
                "lesson", reason, say("add a column for the session, morning or afternoon")
            )
        return self._known("lesson", word, self._lessons, unknown)

    def seat(self, text: str) -> str:
        """Return the class or grade; ``WordError`` for none."""
        found = _class_word(text)
        word = (found[1].strip() if found else text).casefold()
        unknown = say("'{wanted}' is not a class of this site", wanted=text)
        return self._known("class", word, self._seats, unknown)

    def room(self, text: str) -> str:
        """Return the id of the room; ``WordError`` for none."""
        if found := self.room_or_none(text):
            return found
        unknown = say("'{room}' is not a room", room=text)
        return self._known("room", text.casefold(), self._rooms, unknown)

    def teacher(self, text: str) -> str:
        """Return a teacher as written; ``WordError`` for what is no text."""
        try:
            return plain(text[:_LONGEST_TEACHER], say("the teacher"))
        except ConfigError as error:
            raise WordError("teacher", error.reason, error.hint) from error

    def class_or_none(self, text: str) -> str | None:
        """Return the class that a text is, or the grade that it names."""
        found = _class_word(text)
        if found:
            return self._seats.get(found[1].strip().casefold())
        return self._classes.get(text.casefold())

    def room_or_none(self, text: str) -> str | None:
        """Return the room that a text is."""
        if text.casefold() in self._rooms:
            return self._rooms[text.casefold()]
        found = {self._spelt[key] for key in _spellings(text) if key in self._spelt}
        return found.pop() if len(found) == 1 else None

    def classes_in(self, text: str) -> list[str]:
        """Return the classes that a cell names, each once."""
        if text.casefold() in self._seats:
            return [self._seats[text.casefold()]]
        return list(dict.fromkeys(filter(None, map(self.class_or_none, _windows(text)))))

    def rooms_in(self, text: str) -> list[str]:
        """Return the rooms that a cell names, each once; a longer name before one within it."""
        found, taken = dict[str, None](), set[str]()
        for window in _windows(text):
            room = None if window in taken or window.isdigit() else self.room_or_none(window)
            if room is not None:
                found[room] = None
                taken.update(_windows(window))
        return list(found)

    def teacher_in(self, text: str) -> str:
        """Return the teacher that a cell names: after "cô" or "thầy", or one of a class."""
        for part in parts_of(text):
            if _teacher_word(part):
                return part
            if part.casefold() in self._teachers:
                return self._teachers[part.casefold()]
        return ""

    def rooms_hint(self) -> Sentence:
        """Return the rooms that are known."""
        return did_you_mean("", list(self._rooms.values()))

    def _known(self, column: str, word: str, known: dict[str, str], unknown: Sentence) -> str:
        if word in known:
            return known[word]
        hint = did_you_mean(word, [one for one in known.values() if one not in GRADES])
        raise WordError(column, unknown, hint)


def session_in(text: str) -> str:
    """Return the session (buổi) that a text names; empty for none."""
    found = _session_word(folded(text))
    return found[1] if found else ""


def _half(session: str) -> int | None:
    """Return 0 for the morning, 1 for the afternoon, None where that is not known."""
    word = folded(session)
    return _SESSIONS.get(word, _SESSIONS.get(session_in(word)))


def _windows(text: str) -> Iterator[str]:
    """Yield the words of each part of a cell, by themselves and together, longer ones first."""
    for part in parts_of(text):
        yield part
        words = part.split()[:_MOST_WORDS]
        for length in (4, 3, 2, 1):
            for at in range(len(words) - length + 1):
                yield " ".join(words[at : at + length])
        if "-" in part:
            yield from filter(None, part.split("-"))


@lru_cache(4_096)  # cells repeat the same words
def _spellings(text: str) -> frozenset[str]:
    """Return keys of a room's name: its letters, without "phòng", and its initials."""
    plain_text = bare(folded(text)).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z]+|[0-9]+", plain_text)
    prefix = _room_prefix(plain_text)
    rest = "".join(re.findall(r"[a-z0-9]", plain_text[prefix.end() :])) if prefix else ""
    initials = ""
    if len(words) > 2 and words[-1].isdigit() and all(one.isalpha() for one, _ in pairwise(words)):
        initials = "".join(one[0] for one in words[:-1]) + words[-1].lstrip("0")
    return frozenset(one for one in ("".join(words), rest, initials) if one)
