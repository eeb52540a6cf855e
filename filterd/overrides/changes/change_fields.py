# SPDX-License-Identifier: Apache-2.0
"""The fields of a change: read key by key, and checked. Pure.

``filterd.policy.field_checks`` checks what a site's files have as well.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from filterd.base.errors import ChangeError
from filterd.lists.rules import NamingEntry
from filterd.policy import field_checks
from filterd.policy.field_checks import a_text, identifier, is_whole, name, one_of, plain, shown
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
_MAX_NUMBER = 1 << 53

_TARGET_KINDS = [one for one in TargetKind if one is not TargetKind.PAUSE]
"""Of exceptions; a pause has limits of its own."""

_CALLED = {
    "target": say("target"),
    "targets": say("targets"),
    "name": say("name"),
    "names": say("names"),
    "services": say("services"),
    "mac": say("MAC"),
    "macs": say("macs"),
    "whom": say("for whom"),
    "tier": say("tier"),
    "level": say("level of the log"),
    "room": say("room"),
    "grade": say("grade"),
    "class_id": say("class"),
    "to": say("the substitute"),
    "id": say("number"),
    "number": say("number"),
    "starts_at": say("the start"),
    "ends_at": say("the end"),
    "for_s": say("the length"),
}
"""Names for people of the keys whose value can be wrong on a command line."""

ValueT = TypeVar("ValueT")


class ChangeFields:
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

    def values_of(self, kind: type) -> dict[str, Any]:
        """Return the checked values of a dataclass, by the names of its fields.

        A field is annotated with its check: ``Annotated[str, field_checks.identifier]``. One
        without a default must be there.

        Raises:
            ChangeError: one is missing or wrong.
        """
        return {
            key: self.take(key, check) if default is MISSING else self.take_or(key, check, default)
            for key, check, default in _checks_of(kind)
        }

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


@cache
def _checks_of(kind: Any) -> tuple[tuple[str, Callable[[Any], Any], Any], ...]:
    """Return name, check and default of each field of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (field.name, _check_in(hints[field.name]), field.default) for field in fields(kind)
    )


def _check_in(hint: Any) -> Callable[[Any], Any]:
    """Return the check of ``Annotated[..., check]``, or of that or None."""
    every = (hint, *get_args(hint))
    check: Callable[[Any], Any] = next(
        one.__metadata__[0] for one in every if get_origin(one) is Annotated
    )
    return check


def target_kind(value: Any) -> TargetKind:
    """Return the kind of an exception's target."""
    return TargetKind(one_of(value, _TARGET_KINDS, say("kind of target")))


def target(kind: TargetKind) -> Callable[[Any], str]:
    """Return the checker of a target of this kind."""
    return name if kind in {TargetKind.NAME, TargetKind.ENTRY} else identifier


def targets(value: Any) -> tuple[tuple[TargetKind, str], ...]:
    """Return the targets of several exceptions: pairs of kind and target, each once.

    Raises:
        ChangeError: one is none, or they are too many.
    """
    if not isinstance(value, (list, tuple)) or not value:
        raise ChangeError(say("a list expected, not {value}", value=shown(value)))
    if len(value) > MAX_TARGETS:
        raise ChangeError(
            say("{count} are too many", count=len(value)),
            hint=say("at most {most}", most=MAX_TARGETS),
        )
    found: dict[tuple[TargetKind, str], None] = {}
    for one in value:
        if not isinstance(one, (list, tuple)) or len(one) != 2:
            raise ChangeError(say("{value} is not a target", value=shown(one)))
        kind = target_kind(one[0])
        found[kind, target(kind)(one[1])] = None
    return tuple(found)


def audience(value: Any) -> Audience:
    """Return the kind of an audience."""
    return Audience(one_of(value, Audience, say("kind of audience")))


def whom(kind: Audience) -> Callable[[Any], str]:
    """Return the checker of an audience's id."""
    return {
        Audience.EVERYBODY: _no_audience_id,
        Audience.TIER: field_checks.tier,
        Audience.GRADE: field_checks.grade,
        Audience.CLASS: field_checks.class_id,
        Audience.NETWORK: identifier,
        Audience.CLIENT: field_checks.address,
    }[kind]


def number(value: Any) -> int:
    """Return the number of a change, or the id of a thing that it made.

    Raises:
        ChangeError: it is none.
    """
    if not is_whole(value) or not 0 < value < _MAX_NUMBER:
        raise ChangeError(say("{value} is not the number of a change", value=shown(value)))
    return int(value)


Time = Annotated[float, field_checks.time]
Length = Annotated[float, field_checks.seconds]
Number = Annotated[int, number]
Identifier = Annotated[str, identifier]
"""Fields of several kinds of change."""


def reason(value: Any, *, required: bool) -> str:
    """Return the reason of a change; "" where none is given and none is required.

    Raises:
        ChangeError: it is missing, or too long.
    """
    text = " ".join(a_text(value).split(" ")).strip() if value is not None else ""
    if not text and required:
        raise ChangeError(
            say("a reason is missing"),
            hint=say("give a reason; the history keeps it for later readers"),
        )
    if len(text) > MAX_REASON:
        raise ChangeError(
            say("the reason has {count} characters", count=len(text)),
            hint=say("it may have at most {most}", most=MAX_REASON),
        )
    return plain(text, say("the reason"))


def naming_entries(value: Any) -> tuple[NamingEntry, ...]:
    """Return entries of lists: each as list, category, entry, line and version.

    Raises:
        ChangeError: one is none, or they are too many.
    """
    if not isinstance(value, (list, tuple)) or len(value) > MAX_ENTRIES:
        raise ChangeError(say("a list expected, not {value}", value=shown(value)))
    found = []
    for one in value:
        if not isinstance(one, (list, tuple)) or len(one) != 5:
            raise ChangeError(say("{value} is not a list entry", value=shown(one)))
        list_id, category, entry, line, version = one
        names = short_text(list_id), short_text(category)
        found.append(NamingEntry(*names, _entry_text(entry), number(line), short_text(version)))
    return tuple(found)


def _entry_text(value: Any) -> str:
    """Return an entry as lists write it.

    It is a name, which may have ``=`` or ``*.`` before it, or ``~shape``.
    """
    from filterd.lists.lookalikes import is_shape  # noqa: PLC0415 -- reads names, rarely

    text = a_text(value)
    if text.startswith("~") and is_shape(text[1:]):
        return text
    for sign in ("=", "*."):
        if text.startswith(sign):
            return sign + name(text.removeprefix(sign))
    return name(text)


def short_text(value: Any) -> str:
    """Return a word or two, such as the version of a list.

    Raises:
        ChangeError: it is none, or too long.
    """
    text = a_text(value).strip()
    if len(text) > 100:
        raise ChangeError(
            say("{text} is too long", text=shown(text)), hint=say("at most 100 characters")
        )
    return plain(text, say("it"))


def _no_audience_id(value: Any) -> str:
    if value != "":
        raise ChangeError(say("an audience of everybody cannot have {value}", value=shown(value)))
    return ""
