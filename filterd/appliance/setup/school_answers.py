# SPDX-License-Identifier: Apache-2.0
"""Read the answers of a set-up: classes, networks, seats, devices, upstreams.

Every answer is text, as a person types it or writes it in a file of answers. Each function
here checks one kind and returns it in its usual form; an error has an example as its hint.
A *seat* is the use of one network: a class (``6A``), a grade (``6``, ``staff``), a computer
room (``room lab-a``), or ``-`` for a network that the site does not name.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from filterd.base.errors import ChangeError, ConfigError
from filterd.policy import field_checks
from filterd.policy.model import GRADES
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LEFT_OUT = "-"
ROOM = "room "
MOST_CLASSES, MOST_WORDS = 500, 500
SEATS = say("such as: 6A, 6, staff, guest, room lab-a, or - to leave it out")

_DASH = "\N{EN DASH}"
"""What telephones and Word make of a hyphen."""
_LETTERS = re.compile(r"(\d{1,2})([A-Z])-(?:\1)?([A-Z])", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d{1,2}(?:[A-Z]{1,3}|[/.]))(\d{1,2})-(?:\1)?(\d{1,2})", re.IGNORECASE)
_ACROSS_LETTERS = re.compile(r"(\d{1,2})([A-Z])-(\d{1,2})([A-Z])", re.IGNORECASE)
_ACROSS_NUMBERS = re.compile(
    r"(\d{1,2})([A-Z]{1,3}|[/.])(\d{1,2})-(\d{1,2})\2(\d{1,2})", re.IGNORECASE
)
"""From a class of one grade to one of another: 1A-5C, 10A1-12A5."""
_TWO_CLASSES = re.compile(r"\d{1,2}[^\d\s-][^-]*-\d{1,2}[^\d\s-][^-]*")
_ROOM = re.compile(r"(?:pm|phong may|phong|room|lab)(?:[\s:]+(.+))?")
_GRADE_OF = re.compile(r"(\d{1,2})(?:\D.*)?", re.DOTALL)
_CLASS_COLUMN = {"class", "lop", "ten lop"}
_GRADE_COLUMN = {"grade", "khoi"}
_AGED = {one: at for at, one in enumerate((*GRADES[:13], "continuing"))}
_CALLED = {
    "gv": "staff",
    "giao vien": "staff",
    "teachers": "staff",
    "teacher": "staff",
    "khach": "guest",
    "mam non": "preschool",
    "gdtx": "continuing",
}
"""What people call some grades, without diacritics."""


class NamedClass(NamedTuple):
    """A class and its grade."""

    name: str
    grade: str

    def __str__(self) -> str:
        """Return it as an answer has it: its grade is written where its name has none."""
        return self.name if _grade_in(self.name) == self.grade else f"{self.name}={self.grade}"


def words_of(text: str) -> list[str]:
    """Return the words of an answer.

    They stand between commas or lines if the answer has any, else between spaces.
    """
    parts = re.split(r"[,;\n]", text) if re.search(r"[,;\n]", text) else text.split()
    words = [" ".join(part.split()) for part in parts]
    found = list(dict.fromkeys(word for word in words if word))
    if len(found) > MOST_WORDS:
        raise _wrong(say("more than {most} words", most=MOST_WORDS), say("leave some for later"))
    return found


def classes_of(text: str) -> tuple[NamedClass, ...]:
    """Return the classes of an answer such as ``6A 6B 7A-7D, Lá=preschool``.

    Raises:
        ConfigError: one of them is no class, or its grade is not known.
    """
    found: dict[str, NamedClass] = {}
    for word in words_of(re.sub(r"\s*([-=])\s*", r"\1", text.replace(_DASH, "-"))):
        for name in _expanded(word):
            one = _class(name)
            found.setdefault(one.name.casefold(), one)
    if len(found) > MOST_CLASSES:
        reason = say("more than {most} classes", most=MOST_CLASSES)
        raise _wrong(reason, say("such as: 6A 6B 7A-7D"))
    return tuple(found.values())


def classes_in(table: Iterable[list[str]]) -> str:
    """Return the classes of a table as an answer.

    They are in one column; a column of grades is read, too, if the table has that.

    Raises:
        ConfigError: it has no row.
    """
    rows = [[normalize("NFC", cell) for cell in row] for row in table if any(row)]
    if not rows:
        raise _wrong(say("the table is empty"), say("one class a row, beneath the heading: class"))
    heading = [field_checks.bare(cell) for cell in rows[0]]
    named = [at for at, cell in enumerate(heading) if cell in _CLASS_COLUMN]
    graded = [at for at, cell in enumerate(heading) if cell in _GRADE_COLUMN]
    column, grades = named[0] if named else 0, graded[0] if named and graded else -1
    found: dict[str, None] = {}
    for row in rows[1:] if named else rows:
        name = row[column] if column < len(row) else ""
        grade = row[grades] if 0 <= grades < len(row) else ""
        if name:
            found[f"{name}={grade}" if grade else name] = None
    return ", ".join(found)


def youngest(grades: Iterable[str]) -> str:
    """Return the grade of the youngest pupils.

    Where there are none, it is that of all pupils, 1.
    """
    known = [grade for grade in grades if grade in _AGED]
    return min(known, key=_AGED.__getitem__, default="1")


def seat_of(text: str, classes: Mapping[str, str]) -> str:
    """Return what a network is for, in its usual form.

    Args:
        text: the answer.
        classes: the grade of each class.

    Raises:
        ConfigError: it is none of these.
    """
    word = normalize("NFC", " ".join(text.split()))
    folded, bare = word.casefold(), field_checks.bare(word)
    if folded in (LEFT_OUT, _DASH):
        return LEFT_OUT
    if bare in _CALLED or bare in GRADES:
        return _CALLED.get(bare, bare)
    for name in classes:
        if name.casefold() in (folded, folded.removeprefix("lớp ")):
            return name
    if (room := _ROOM.fullmatch(bare)) is not None:
        made = slug(room[1] or "")
        return ROOM + (f"phong-may-{made}" if made.isdigit() else made or "phong-may")
    raise _wrong(say("'{word}' is not a class or grade of this school", word=word), SEATS)


def networks_of(text: str) -> tuple[str, ...]:
    """Return the address ranges of an answer.

    Raises:
        ConfigError: one is none, or is the whole Internet.
    """
    return tuple(_checked(words_of(text), _cidr))


def macs_of(text: str) -> tuple[str, ...]:
    """Return the MAC addresses of an answer, however they are written."""
    return tuple(_checked(words_of(text), field_checks.mac))


def users_of(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the users of an answer; each must be one of this machine."""
    users = sorted(known)
    return tuple(_checked(words_of(text), lambda one: field_checks.one_of(one, users, say("user"))))


def upstreams_of(text: str) -> tuple[str, ...]:
    """Return the upstreams of an answer.

    Each is ``system``, an address, or ``tls:`` and an address.
    """
    found = tuple(_checked(words_of(text), _upstream))
    if not found:
        raise _wrong(say("at least one is needed"), say("such as: system, or 192.168.1.1"))
    return found


def slug(text: str) -> str:
    """Return a text as an id: ``Phòng máy 1`` is ``phong-may-1``."""
    return re.sub(r"[^a-z0-9]+", "-", field_checks.bare(text)).strip("-")[:40].strip("-")


def _expanded(word: str) -> list[str]:
    """Return the classes of a range such as ``6A-D`` or ``1A-5C``; else the class."""
    if found := _LETTERS.fullmatch(word):
        first, last = ord(found[2].upper()), ord(found[3].upper())
        names = [f"{found[1]}{chr(letter)}" for letter in range(first, last + 1)]
    elif found := _NUMBERS.fullmatch(word):
        names = [f"{found[1]}{number}" for number in range(int(found[2]), int(found[3]) + 1)]
    elif found := _ACROSS_LETTERS.fullmatch(word):
        letters = map(chr, range(ord(found[2].upper()), ord(found[4].upper()) + 1))
        names = _of_grades(found[1], found[3], list(letters))
    elif found := _ACROSS_NUMBERS.fullmatch(word):
        numbers = range(int(found[3]), int(found[5]) + 1)
        names = _of_grades(found[1], found[4], [f"{found[2]}{one}" for one in numbers])
    elif _TWO_CLASSES.fullmatch(word):
        raise _wrong(
            say("'{word}' are two classes", word=word), say("such as: 6A-6D, 1A-5C, 10A1-10A4")
        )
    else:
        return [word]
    if not names:
        raise _wrong(say("'{word}' runs backwards", word=word), say("such as: 6A-6D"))
    return names


def _of_grades(first: str, last: str, ends: list[str]) -> list[str]:
    """Return the classes of several grades that end alike."""
    return [f"{grade}{end}" for grade in range(int(first), int(last) + 1) for end in ends]


def _class(text: str) -> NamedClass:
    name, equals, grade = text.partition("=")
    example = say("such as: 6A, 9/3, 10A1, or Sun=preschool where the name has no grade")
    try:
        name = field_checks.class_id(name.strip())
        grade = field_checks.grade(_CALLED.get(field_checks.bare(grade), grade)) if equals else ""
    except ChangeError as error:
        raise _wrong(error.reason, example) from None
    grade = grade or _grade_in(name)
    if grade not in _AGED:
        raise _wrong(say("the grade of class '{name}' is not known", name=name), example)
    return NamedClass(name, grade)


def _grade_in(name: str) -> str:
    found = _GRADE_OF.fullmatch(name)
    return str(int(found[1])) if found else ""


def _cidr(text: str) -> str:
    network = ip_network(text, strict=False)
    if network.prefixlen == 0:
        raise ValueError
    return str(network)


def _upstream(text: str) -> str:
    folded = text.lower()
    if folded == "system":
        return folded
    kind, address = ("tls:", folded[4:]) if folded.startswith("tls:") else ("", folded)
    return kind + str(ip_address(address))


_EXAMPLES: dict[Callable[[str], str], Sentence] = {
    _cidr: say("such as: 192.168.6.0/24"),
    field_checks.mac: say("such as: 02:00:5e:10:00:01"),
    _upstream: say("such as: system, 192.168.1.1, or tls:9.9.9.9"),
}


def _checked(words: Iterable[str], check: Callable[[str], str]) -> list[str]:
    found = []
    for word in words:
        try:
            found.append(check(word))
        except ConfigError as error:
            raise _wrong(error.reason, _EXAMPLES.get(check) or error.hint) from None
        except ValueError:
            raise _wrong(say("'{word}' is not understood", word=word), _EXAMPLES[check]) from None
    return list(dict.fromkeys(found))


def _wrong(reason: Sentence, example: Sentence) -> ConfigError:
    return ConfigError(reason, hint=example)
