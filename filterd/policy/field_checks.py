# SPDX-License-Identifier: Apache-2.0
"""Check single values that a person wrote, and bring each into one form. Pure.

What a command asks for and what stands in a site's files is checked by the same rules. Any
user of the gateway may have written it, so everything has a length, and no text can move a
terminal's cursor or turn its letters round. What is wrong is a ``ChangeError`` without a place;
the caller knows the place.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar

from filterd.base.errors import ChangeError
from filterd.lists.hostname import HostnameError, key_from_text, text_from_key
from filterd.policy.model import GRADES, TIERS
from filterd.texts.i18n import Sentence, did_you_mean, quoted, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ValueT = TypeVar("ValueT", str, int)
_LATEST = 253_402_300_799.0
"""The last second of the year 9999, beyond which no calendar goes."""
_YEARS = range(2000, 3000)
"""In which a written time may be: far from where Unix times end."""

_id = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?", re.ASCII).fullmatch
_class = re.compile(r"[^\W_](?:[ ./-]?[^\W_]){0,31}").fullmatch
_CHANNELS = ("web", "api")
_school_code = re.compile(r"[A-Za-z0-9._/-]{1,40}").fullmatch
_user = re.compile(r"[^\s:/]{1,64}").fullmatch
_day_first = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII).match
_mac = re.compile(
    r"[0-9a-f]{2}(?P<between>[:-]?)[0-9a-f]{2}(?:(?P=between)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}"
).fullmatch
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def shown(value: Any) -> str:
    """Return a value as an error may show it: short, and on one line."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def a_text(value: Any) -> str:
    """Return a text.

    Raises:
        ChangeError: it is none.
    """
    if not isinstance(value, str):
        raise ChangeError(say("text expected, not {value}", value=shown(value)))
    return value


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number; true is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def one_of(value: Any, known: Iterable[str], called: Sentence) -> str:
    """Return one of the words that are known; ``called`` is what errors call them.

    Raises:
        ChangeError: it is none of them.
    """
    text, words = a_text(value), [str(word) for word in known]
    if text in words:
        return text
    hint = did_you_mean(text, words)
    raise ChangeError(say("{text} is not a {called}", text=shown(text), called=called), hint=hint)


def name(value: Any) -> str:
    """Return the name of a host and all beneath it, as ASCII text in lower case.

    Raises:
        ChangeError: it is none.
    """
    text = a_text(value)
    if text.startswith("*."):
        hint = say("write '{name}': a name includes everything beneath it", name=text[2:80])
        raise ChangeError(say("a name needs no '*.'"), hint=hint)
    try:
        return text_from_key(key_from_text(text))
    except HostnameError as error:
        raise ChangeError(
            say(
                "{text} {explanation}",
                text=shown(text),
                explanation=quoted(error.reason.explanation),
            )
        ) from error


def identifier(value: Any) -> str:
    """Return the id of a service, a category, a room or a network.

    Raises:
        ChangeError: it is none.
    """
    text = a_text(value)
    if _id(text) is None:
        hint = say("lower-case letters, digits, hyphens")
        raise ChangeError(say("{text} is not an identifier", text=shown(text)), hint=hint)
    return text


def grade(value: Any) -> str:
    """Return one of the grades that there are."""
    return one_of(str(value) if is_whole(value) else value, GRADES, say("grade"))


def class_id(value: Any) -> str:
    """Return the id of a class as schools write it.

    Examples are ``6A``, ``9/3`` and ``12 Chuyên Toán``.

    Raises:
        ChangeError: it is none.
    """
    text = a_text(str(value) if is_whole(value) else value)
    if not text.isascii():
        from unicodedata import normalize  # noqa: PLC0415 -- as in ``plain``

        text = normalize("NFC", text)
    if _class(text) is None or text in TIERS or is_a_grade(text):
        hint = say("letters and digits, such as 6A, 9/3 or 10A1, but not the name of a grade")
        raise ChangeError(say("{text} is not a class", text=shown(text)), hint=hint)
    return text


def grade_or_class(value: Any) -> str:
    """Return a grade, or the id of a class.

    Whether the school has it is checked elsewhere.
    """
    return grade(value) if is_a_grade(str(value)) else class_id(value)


def is_a_grade(text: str) -> bool:
    """Return whether a text is a grade, or a number taken for one.

    Any other text is a class.
    """
    return text in GRADES or text.isdecimal()


def user(value: Any) -> str:
    """Return the name of a user of the gateway.

    Raises:
        ChangeError: it is none.
    """
    text = a_text(value)
    if _user(text) is None:
        raise ChangeError(say("{text} is not a user name", text=shown(text)))
    return plain(text, say("the name of the user"))


def author(value: Any) -> str:
    """Return the author of a change.

    It is a user, or an account after its channel (``web:lan``).

    Raises:
        ChangeError: it is none.
    """
    channel, between, name = a_text(value).rpartition(":")
    if between and channel not in _CHANNELS:
        raise ChangeError(say("{text} is not a user name", text=shown(value)))
    return f"{channel}{between}{user(name)}"


def tier(value: Any) -> str:
    """Return one of the age tiers."""
    return one_of(value, TIERS, say("tier"))


def mac(value: Any) -> str:
    """Return a MAC address as ``02:00:5e:10:00:01``.

    It may be given in another form, as its device or a switch writes it.

    Raises:
        ChangeError: it is none.
    """
    text = a_text(value).lower()
    if _mac(text) is None:
        raise ChangeError(
            say("{text} is not a MAC address", text=shown(text)),
            hint=say("such as 02:00:5e:10:00:01"),
        )
    digits = re.sub("[.:-]", "", text)
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def address(value: Any, *, with_scope: bool = False) -> str:
    """Return an IP address as ``ipaddress`` writes it.

    Args:
        value: what was written.
        with_scope: whether it may hold on one interface only, as in ``fe80::1%eth0``.

    Raises:
        ChangeError: it is none.
    """
    text = a_text(value)
    try:
        found = ip_address(text)
    except ValueError:
        hint = say("such as 192.168.1.1 or fd00::1")
        raise ChangeError(say("{text} is not an IP address", text=shown(text)), hint=hint) from None
    if getattr(found, "scope_id", None) and not with_scope:
        raise ChangeError(
            say("{text} is valid on one interface only", text=shown(text)),
            hint=say("leave out the '%'"),
        )
    return str(found)


def many(check: Callable[[Any], ValueT], most: int) -> Callable[[Any], tuple[ValueT, ...]]:
    """Return what checks a list of such values: in order, each once, not too many."""

    def checked(value: Any) -> tuple[ValueT, ...]:
        if not isinstance(value, (list, tuple)):
            raise ChangeError(say("a list expected, not {value}", value=shown(value)))
        if len(value) > most:
            raise ChangeError(
                say("{count} are too many", count=len(value)), hint=say("at most {most}", most=most)
            )
        return tuple(sorted({check(one) for one in value}))

    return checked


def time(value: Any) -> float:
    """Return a Unix time.

    Raises:
        ChangeError: it is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ChangeError(say("a Unix time expected, not {value}", value=shown(value)))
    if not 0 <= value <= _LATEST:  # no NaN passes either
        raise ChangeError(say("{value} is out of range", value=shown(value)))
    return float(value)


def seconds(value: Any) -> float:
    """Return a length of time in seconds.

    Raises:
        ChangeError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LATEST:
        raise ChangeError(
            say("a length of time in seconds expected, not {value}", value=shown(value))
        )
    return float(value)


def boolean(value: Any) -> bool:
    """Return one of two.

    Raises:
        ChangeError: it is neither.
    """
    if not isinstance(value, bool):
        raise ChangeError(say("true or false expected, not {value}", value=shown(value)))
    return value


def is_school_code(text: str) -> bool:
    """Return whether a text may be a school's code: in ASCII no two look alike."""
    return _school_code(text) is not None


def plain(text: str, called: Sentence) -> str:
    """Return a text that is only seen, on one line.

    Raises:
        ChangeError: it has a character that does something instead.
    """
    import unicodedata  # noqa: PLC0415 -- a megabyte that no worker needs

    for character in text:
        if unicodedata.category(character) in _UNSEEN or character in _TURNING:
            hint = say("write it on one line, in plain letters")
            raise ChangeError(
                say(
                    "{called} has the character U+{code}",
                    called=called,
                    code=f"{ord(character):04X}",
                ),
                hint=hint,
            )
    return text


def bare(text: str) -> str:
    """Return a text in small letters without diacritics.

    For ``Đường Số 1`` that is ``duong so 1``.
    """
    import unicodedata  # noqa: PLC0415 -- as in ``plain``

    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def written_time(text: str) -> datetime | None:
    """Return the time that a text names, with an offset or without; None for none.

    It is written by ISO 8601, or with the day first as in Vietnam: ``20/12/2026``.
    """
    try:
        written = datetime.fromisoformat(_iso(text))
    except ValueError:
        return None
    return written if written.year in _YEARS else None


def is_date(text: str) -> bool:
    """Return whether a text is a date without a time."""
    try:
        date.fromisoformat(_iso(text))
    except ValueError:
        return False
    return True


def _iso(text: str) -> str:
    """Return a text that begins with day, month and year as ISO 8601 has it."""
    found = _day_first(text)
    return (
        text if found is None else f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}{text[found.end() :]}"
    )
