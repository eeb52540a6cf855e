# SPDX-License-Identifier: Apache-2.0
"""Fields of a change: single values, checked and brought into one form. Pure.

The author may be any user of the gateway, so every field has a maximal length, and no
text can move a terminal's cursor or reverse its letters.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar

from filterd.errors import ChangeError
from filterd.i18n import Sentence, quoted, say
from filterd.lists.hostname import HostnameError, key_from_text, text_from_key
from filterd.lists.list_queries import NamingEntry
from filterd.policy.model import GRADES, TIERS, Audience
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_REASON = 400
MAX_TARGETS = 50
"""Of one command that allows or blocks."""
MAX_NAMES = 2000
"""Of one exam."""
MAX_DEVICES = 256
"""Of one room."""
MAX_TABLE = 5_000
"""Devices of a table: more than a school has, and one request to the daemon."""
MAX_ENTRIES = 16
"""Of lists that close one name: a report needs no more."""
_LATEST = 253_402_300_799.0
"""The last second of the year 9999, beyond which no calendar goes."""
_MAX_NUMBER = 1 << 53

_id = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?", re.ASCII).fullmatch
_user = re.compile(r"[^\s:/]{1,64}").fullmatch
_mac = re.compile(
    r"[0-9a-f]{2}(?P<between>[:-]?)[0-9a-f]{2}(?:(?P=between)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}"
).fullmatch
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")

_CALLED = {
    "target": say("target"),
    "targets": say("targets"),
    "name": say("name"),
    "names": say("names"),
    "services": say("services"),
    "macs": say("macs"),
    "whom": say("for whom"),
    "room": say("room"),
    "grade": say("grade"),
    "id": say("number"),
    "number": say("number"),
    "starts_at": say("the beginning"),
    "ends_at": say("the end"),
    "for_s": say("the length"),
}
"""Names for people of the keys whose value can be wrong on a command line."""

ValueT = TypeVar("ValueT")


class Fields:
    """The payload of a change, key by key; ``end`` finds unknown keys."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self._left = dict(payload)

    def take(self, key: str, check: Callable[[Any], ValueT]) -> ValueT:
        """Return the checked value of a key that must be there.

        Raises:
            ChangeError: it is missing or wrong.
        """
        value = self._left.pop(key, None)
        if value is None:
            raise ChangeError(say("'{key}' is missing", key=key))
        return self._checked(key, check, value)

    def take_or(self, key: str, check: Callable[[Any], ValueT], otherwise: ValueT) -> ValueT:
        """Return the checked value of a key, or ``otherwise`` where there is none."""
        value = self._left.pop(key, None)
        return otherwise if value is None else self._checked(key, check, value)

    def end(self) -> None:
        """Refuse keys that were not taken.

        Raises:
            ChangeError: there is one.
        """
        if self._left:
            raise ChangeError(say("unknown: {key}", key=shown(next(iter(self._left)))))

    def _checked(self, key: str, check: Callable[[Any], ValueT], value: Any) -> ValueT:
        try:
            return check(value)
        except ChangeError as error:
            raise ChangeError(
                say("{key}: {reason}", key=_CALLED.get(key, key), reason=error.reason),
                hint=error.hint,
            ) from error


def shown(value: Any) -> str:
    """Return a value as an error message shows it: short, and on one line."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def name(value: Any) -> str:
    """Return the name of a host and its subtree, as ASCII text in lower case."""
    text = _text(value)
    if text.startswith("*."):
        hint = say("write '{name}': a name stands for everything beneath it too", name=text[2:80])
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
    """Return the id of a service, a category, a room or a network."""
    text = _text(value)
    if _id(text) is None:
        hint = say("lower-case letters, digits, hyphens")
        raise ChangeError(say("{text} is no identifier", text=shown(text)), hint=hint)
    return text


def grade(value: Any) -> str:
    """Return one of the known grades."""
    return _one_of(str(value) if _is_whole(value) else value, GRADES, say("grade"))


def target_kind(value: Any) -> TargetKind:
    """Return the kind of an exception's target."""
    return TargetKind(_one_of(value, TargetKind, say("kind of target")))


def target(kind: TargetKind) -> Callable[[Any], str]:
    """Return the checker of a target of this kind."""
    return name if kind in {TargetKind.NAME, TargetKind.ENTRY} else identifier


def targets(value: Any) -> tuple[tuple[TargetKind, str], ...]:
    """Return the targets of several exceptions: pairs of kind and target, each once."""
    if not isinstance(value, (list, tuple)) or not value:
        raise ChangeError(say("a list expected, not {value}", value=shown(value)))
    if len(value) > MAX_TARGETS:
        raise ChangeError(
            say("{count} are too many", count=len(value)),
            hint=say("{most} at most", most=MAX_TARGETS),
        )
    found: dict[tuple[TargetKind, str], None] = {}
    for one in value:
        if not isinstance(one, (list, tuple)) or len(one) != 2:
            raise ChangeError(say("{value} is no target", value=shown(one)))
        kind = target_kind(one[0])
        found[kind, target(kind)(one[1])] = None
    return tuple(found)


def audience(value: Any) -> Audience:
    """Return the kind of an audience."""
    return Audience(_one_of(value, Audience, say("audience")))


def whom(kind: Audience) -> Callable[[Any], str]:
    """Return the checker of an audience's id."""
    return {
        Audience.EVERYBODY: _nobody_in_particular,
        Audience.TIER: lambda value: _one_of(value, TIERS, say("tier")),
        Audience.GRADE: grade,
        Audience.NETWORK: identifier,
        Audience.CLIENT: _address,
    }[kind]


def mac(value: Any) -> str:
    """Return a MAC address as ``02:00:5e:10:00:01``, from any notation in use."""
    text = _text(value).lower()
    if _mac(text) is None:
        raise ChangeError(
            say("{text} is no MAC address", text=shown(text)), hint=say("such as 02:00:5e:10:00:01")
        )
    digits = re.sub("[.:-]", "", text)
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def many(check: Callable[[Any], str], most: int) -> Callable[[Any], tuple[str, ...]]:
    """Return the checker of a list of such values: ordered, each once, limited."""

    def checked(value: Any) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)):
            raise ChangeError(say("a list expected, not {value}", value=shown(value)))
        if len(value) > most:
            raise ChangeError(
                say("{count} are too many", count=len(value)), hint=say("{most} at most", most=most)
            )
        return tuple(sorted({check(one) for one in value}))

    return checked


def time(value: Any) -> float:
    """Return a Unix time."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ChangeError(say("a Unix time expected, not {value}", value=shown(value)))
    if not 0 <= value <= _LATEST:  # this refuses NaN too
        raise ChangeError(say("{value} is beyond every calendar", value=shown(value)))
    return float(value)


def seconds(value: Any) -> float:
    """Return a length of time in seconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LATEST:
        raise ChangeError(
            say("a length of time in seconds expected, not {value}", value=shown(value))
        )
    return float(value)


def number(value: Any) -> int:
    """Return the number of a change, or the id of what it made."""
    if not _is_whole(value) or not 0 < value < _MAX_NUMBER:
        raise ChangeError(say("{value} is no number of a change", value=shown(value)))
    return int(value)


def boolean(value: Any) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ChangeError(say("true or false expected, not {value}", value=shown(value)))
    return value


def reason(value: Any, *, required: bool) -> str:
    """Return the reason of a change; "" where none is given and none is required."""
    text = " ".join(_text(value).split(" ")).strip() if value is not None else ""
    if not text and required:
        raise ChangeError(
            say("a reason is missing"), hint=say("say why, for those who come after you")
        )
    if len(text) > MAX_REASON:
        raise ChangeError(
            say("the reason has {count} characters", count=len(text)),
            hint=say("it may have {most} at most", most=MAX_REASON),
        )
    return plain(text, say("the reason"))


def plain(text: str, called: Sentence) -> str:
    """Return a text of visible characters only, on one line.

    Raises:
        ChangeError: it has a control character.
    """
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


def author(value: Any) -> str:
    """Return the name of a user of the gateway."""
    text = _text(value)
    if _user(text) is None:
        raise ChangeError(say("{text} is no name of a user", text=shown(text)))
    return plain(text, say("the name of the user"))


def naming_entries(value: Any) -> tuple[NamingEntry, ...]:
    """Return entries of lists: each as list, category, entry, line and version."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_ENTRIES:
        raise ChangeError(say("a list expected, not {value}", value=shown(value)))
    found = []
    for one in value:
        if not isinstance(one, (list, tuple)) or len(one) != 5:
            raise ChangeError(say("{value} is no entry of a list", value=shown(one)))
        list_id, category, entry, line, version = one
        names = short_text(list_id), short_text(category)
        found.append(NamingEntry(*names, _entry_text(entry), number(line), short_text(version)))
    return tuple(found)


def _entry_text(value: Any) -> str:
    """Return an entry in list notation: a name, perhaps behind ``=`` or ``*.``."""
    text = _text(value)
    for sign in ("=", "*."):
        if text.startswith(sign):
            return sign + name(text.removeprefix(sign))
    return name(text)


def short_text(value: Any) -> str:
    """Return a word or two, such as the version of a list."""
    text = _text(value).strip()
    if len(text) > 100:
        raise ChangeError(
            say("{text} is too long", text=shown(text)), hint=say("100 characters at most")
        )
    return plain(text, say("it"))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ChangeError(say("text expected, not {value}", value=shown(value)))
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(value: Any, known: Iterable[str], called: Sentence) -> str:
    text, words = _text(value), [str(word) for word in known]
    if text in words:
        return text
    close = difflib.get_close_matches(text[:80], words, n=1)
    hint = (
        say("did you mean '{word}'?", word=close[0])
        if close
        else say("known: {known}", known=", ".join(words))
    )
    raise ChangeError(say("{text} is no {called}", text=shown(text), called=called), hint=hint)


def _nobody_in_particular(value: Any) -> str:
    if value != "":
        raise ChangeError(say("what is for everybody is not for {value}", value=shown(value)))
    return ""


def _address(value: Any) -> str:
    text = _text(value)
    try:
        address = ip_address(text)
    except ValueError:
        hint = say("such as 192.168.10.23")
        raise ChangeError(say("{text} is no address", text=shown(text)), hint=hint) from None
    if getattr(address, "scope_id", None):
        raise ChangeError(
            say("{text} holds on one interface only", text=shown(text)),
            hint=say("leave out the '%'"),
        )
    return str(address)
