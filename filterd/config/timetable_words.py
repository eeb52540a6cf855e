# SPDX-License-Identifier: Apache-2.0
"""Know words of timetables, Vietnamese and English: days, rooms, teachers.

A room is found by its id, however a school spells it: ``lab-a`` is "Lab A", and
``phong-may-1`` is "P. máy 1", "Phòng máy 1" and "PM1". Only rooms that the site declares are
found, and only in the part of a cell that names a room: one that begins with a word such as
"phòng", or that stands alone behind the subject. What follows "cô" or "thầy", or is a teacher of
a class, is a name, and is never searched.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category, normalize

from filterd.base.errors import ConfigError
from filterd.policy.field_checks import bare, plain
from filterd.policy.model import GRADES, Lesson, Policy
from filterd.texts.i18n import UNSAID, Sentence, did_you_mean, say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

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
_room_mark = re.compile(
    r"(?<!\w)(?:(?:phòng|room|lab)(?!\w)|phong(?=\W+(?:m[áa]y|\d))"
    r"|p(?:\.|(?=\d)|(?=\s+(?:m[áa]y|\d)))|p[a-z]{1,3}[. ]?(?=\d))(?=.*\w)",
    re.IGNORECASE,
).search
"""Where the name of a room begins: "Phòng máy 1", "P. máy 1", "PM1", "Lab A"."""
_initial = re.compile(r"p\.\s*(?!m[áa]y|\d)", re.IGNORECASE).match
"""A letter that may be a name's: thầy Nguyễn P. Anh."""
_ABBREVIATED = re.compile(r"[ct]\.", re.IGNORECASE).match
"""A title, or a subject: T. Anh."""
_title = re.compile(
    r"(?<!\w)(?:(?:cô|thầy|co|thay|gv|gvcn|gvbm|mrs?|ms|miss)(?:\.|(?!\w))|[ct]\.)\s*(?=\w)",
    re.IGNORECASE,
).search
"""Where a teacher's name begins, with its title."""
_AMONG_WORDS = re.compile(r"(?<!\w)[0-9]{1,2} ?[a-zđ][0-9]{0,2}(?!\w)", re.IGNORECASE)
"""A class in the midst of other words."""
_part = re.compile(r"[\n\r;|/,:()\[\]]+|\s+[-\u2013\u2014]\s+").split
_KEPT = "\0"
_EDGES = " -\u2013\u2014"
_LONGEST_TEACHER, _NEAR = 64, 0.75


class WordError(Exception):
    """What is wrong with a word of a table, and in which column."""

    def __init__(self, column: str, reason: Sentence, hint: Sentence = UNSAID) -> None:
        super().__init__(column)
        self.column, self.reason, self.hint = column, reason, hint


def folded(text: str) -> str:
    """Return a text as it is compared: in small letters, one space between words."""
    return " ".join(_seen(text).casefold().split())


def parts_of(text: str, *, keep: str = "") -> list[str]:
    """Return the parts of a cell, such as subject, teacher and room.

    Args:
        text: of the cell.
        keep: a character that parts no others: the class 9/3 has one.
    """
    parts = _part(_seen(text).replace(keep, _KEPT) if keep else _seen(text))
    found = [" ".join(part.replace(_KEPT, keep).split()).strip(_EDGES) for part in parts]
    return [one for one in found if one]


def _seen(text: str) -> str:
    """Return a text without invisible characters, which would part a "thầy"."""
    if text.isascii():
        return text
    return "".join(one for one in normalize("NFC", text) if category(one) != "Cf")


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
    """The words of one school: its lessons, rooms, classes and teachers.

    Args:
        policy: with lessons, classes and teachers.
        rooms: the ids of the networks that are declared as rooms.
        others: names of rooms that no filter concerns; cells that name one are left out.
    """

    def __init__(
        self, policy: Policy, rooms: Collection[str], others: Collection[str] = ()
    ) -> None:
        self._rooms = {room.casefold(): room for room in rooms}
        self._spelt = {room: _spelling(room) for room in rooms}
        self._others = {_spelling(one).whole for one in others} - {""}
        self._classes = {one.id.casefold(): one.id for one in policy.classes}
        self._seats = self._classes | {grade: grade for grade in GRADES}
        self._teachers = {
            spelt: teacher
            for one in policy.classes
            for teacher in one.teachers
            for spelt in _spellings_of_person(teacher)
        }
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
        raise self._no_room(text)

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
        found = self._rooms_called(text)
        return found[0] if len(found) == 1 else None

    def is_other_room(self, text: str) -> bool:
        """Return whether a text is the name of a room that is to be left out."""
        return _spelling(text).whole in self._others

    def unknown_room(self, text: str) -> WordError | None:
        """Return the error of a text that names a room, and none of this site's."""
        if not _room_mark(text) or self.room_or_none(text) or self.is_other_room(text):
            return None
        return self._no_room(text)

    def class_in(self, text: str) -> str:
        """Return the class or grade that a cell names; ``WordError`` for none, or for two."""
        if text.casefold() in self._seats:
            return self._seats[text.casefold()]
        found, unknown = dict[str, None](), ""
        for place, part in enumerate(parts_of(text, keep="/")):
            words = part[: _begin(_title, part)].strip(_EDGES + "/")
            if self._teacher_called(words):
                continue
            is_class = place == 0 or _class_word(words) or any(map(str.isdigit, words))
            if is_class and (whole := self.class_or_none(words)):
                found[whole] = None
                continue
            for one in _AMONG_WORDS.findall(words):
                if named := self.class_or_none(one) or self.class_or_none(one.replace(" ", "")):
                    found[named] = None
                else:
                    unknown = one
        if len(found) > 1:
            reason = say("the cell names two classes: {names}", names=", ".join(found))
            raise WordError("class", reason, say("a room has one class in a lesson"))
        if unknown or not found:
            return self.seat(unknown or text)
        return next(iter(found))

    def room_in(self, text: str) -> str | None:
        """Return the room that a cell names, None where it names none of this site.

        Raises:
            WordError: it names two, or one that is unknown.
        """
        found = dict[str, None]()
        is_behind_teacher = False
        for place, part in enumerate(parts_of(text)):
            at = _begin(_title, part)
            words, name = part[:at].strip(_EDGES), part[at:]
            if self._teacher_called(words):
                words, is_behind_teacher = "", True
            for one in (words, _behind_name(name)):
                room = self._room_of(one, is_first=place == 0, is_behind=is_behind_teacher)
                if room is not None:
                    found[room] = None
            is_behind_teacher = is_behind_teacher or bool(name)
        if len(found) > 1:
            reason = say("the cell names two rooms: {names}", names=", ".join(found))
            raise WordError("room", reason, say("a class is in one room in a lesson"))
        return next(iter(found), None)

    def _room_of(self, words: str, *, is_first: bool, is_behind: bool) -> str | None:
        """Return the room that a part names, without a teacher's name.

        Args:
            words: of the part.
            is_first: whether it begins the cell: there stands the subject.
            is_behind: whether it is behind a teacher: there stands the room.

        Raises:
            WordError: it names one that is unknown.
        """
        tail = words[_begin(_room_mark, words) :]
        for one in (words, tail):
            is_room = bool(tail) or not is_first or _is_no_subject(one)
            if one and is_room and (room := self.room_or_none(one)):
                return room
        if self.is_other_room(words) or self.is_other_room(tail):
            return None
        if tail or (is_behind and not is_first and self._is_nearly_a_room(words)):
            raise self._no_room(tail or words)
        return None

    def _rooms_called(self, text: str) -> list[str]:
        """Return the rooms that a text may be: by the id, else however it is spelt."""
        if text.casefold() in self._rooms:
            return [self._rooms[text.casefold()]]
        said = _spelling(text)
        return [room for room, spelt in self._spelt.items() if said.whole and said.means(spelt)]

    def _no_room(self, text: str) -> WordError:
        if several := self._rooms_called(text):
            reason = say("'{room}' may be {ids}", room=text, ids=", ".join(several))
            return WordError("room", reason, say("write the id of the room"))
        if not self._rooms:
            reason = say("'{room}' is not a room", room=text)
            hint = say("declare the rooms in site.yaml: networks: lab-a: {room: true}")
            return WordError("room", reason, hint)
        reason = say("'{room}' is not a room", room=text)
        return WordError("room", reason, did_you_mean(text.casefold(), list(self._rooms.values())))

    def _is_nearly_a_room(self, text: str) -> bool:
        spelt = [one.whole for one in self._spelt.values()]
        return bool(get_close_matches(_spelling(text).whole, spelt, 1, _NEAR))

    def teacher_in(self, text: str) -> str:
        """Return the teacher that a cell names: after "cô" or "thầy", or one of a class."""
        for part in parts_of(text):
            if teacher := self._teacher_called(part):
                return teacher
            name = part[_begin(_title, part) :]
            if name and not _ABBREVIATED(name):
                return name[: len(name) - len(_behind_name(name))].strip(_EDGES)
        return ""

    def _teacher_called(self, text: str) -> str:
        """Return the teacher of a class that a text is, however it is spelt; "" for none."""
        return self._teachers.get(_spelling(text).whole, "")

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


def _begin(search: Callable[[str], re.Match[str] | None], text: str) -> int:
    """Return where something is found in a text: at its end for not at all."""
    found = search(text)
    return len(text) if found is None else found.start()


def _behind_name(name: str) -> str:
    """Return the room behind a hyphen after a teacher's name, such as cô Lan-PM1.

    Raises:
        WordError: a room is named in the midst of the name: which words are whose is not known.
    """
    at = _begin(_room_mark, name)
    if at == len(name) or _initial(name[at:]):
        return ""
    if name[:at].rstrip().endswith(tuple(_EDGES.strip())):
        return name[at:]
    raise WordError(
        "room",
        say("'{text}' names a teacher and a room together", text=name),
        say("write a dash between them, such as: co Lan - PM1"),
    )


def _is_no_subject(text: str) -> bool:
    """Return whether a text is written as an id is, with a hyphen."""
    return "-" in text and " " not in text


class _Spelling(NamedTuple):
    """The keys of a room's name: its letters, without "phòng", and its initials.

    ``is_marked``: it begins with a word for room.
    """

    whole: str
    rest: str
    initials: str
    is_marked: bool

    def means(self, room: _Spelling) -> bool:
        """Return whether a text that is spelt so is that room.

        Only a text with a word for room means one without it: "Lan" is not ``phong-lan``.
        """
        return self.whole in (room.whole, room.initials) or (
            self.is_marked
            and self.rest in (room.whole, room.rest, room.initials)
            and self.rest != ""
        )


@lru_cache(4_096)  # cells repeat the same words
def _spelling(text: str) -> _Spelling:
    plain_text = bare(folded(text)).encode("ascii", "ignore").decode()
    prefix = _room_prefix(plain_text)
    words = _letters(plain_text)
    initials = ""
    if len(words) > 2 and words[-1].isdigit() and all(word.isalpha() for word in words[:-1]):
        initials = "".join(word[0] for word in words[:-1]) + words[-1]
    rest = "".join(_letters(plain_text[prefix.end() :])) if prefix else ""
    return _Spelling("".join(words), rest, initials, _begin(_room_mark, text) == 0)


def _spellings_of_person(name: str) -> Iterator[str]:
    """Yield the names of a person in a table: the whole one, or the last part of it."""
    for one in (name, *name.split()[-1:]):
        if whole := _spelling(one).whole:
            yield whole


def _letters(text: str) -> list[str]:
    """Return the words and numbers of a text; 01 is 1."""
    found = re.findall(r"[a-z]+|[0-9]+", text)
    return [(one.lstrip("0") or "0") if one.isdigit() else one for one in found]
