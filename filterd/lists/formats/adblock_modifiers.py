# SPDX-License-Identifier: Apache-2.0
"""Modifiers of an Adblock rule, after the ``$``: which ones a DNS filter honours.

Four modifiers are about lookups: ``important``, ``badfilter``, ``denyallow`` and
``dnstype``. ``all``, ``document`` (``doc``) and ``network`` leave no page of the name
that opens, and ask for more than DNS can give (popups, inline scripts): such a block is
taken, and content types beside it add nothing. All others depend on facts that only a
browser or a client database has (third party, page, one content type, client): a rule
that has one of these would block far more without it, so the whole rule is refused.
"""

from __future__ import annotations

from typing import NamedTuple

from filterd.lists.formats.rrtypes import rrtype
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.reject_reasons import Reason

_WHOLE = frozenset({"all", "document", "doc", "network"})
_TYPES = frozenset({"frame", "image", "inline-script", "other", "popup", "script", "subdocument"})


class ModifierError(Exception):
    """A rule's modifiers cannot be honoured; never leaves the Adblock parser."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


class Modifiers(NamedTuple):
    """The modifiers of one rule; the defaults stand for none.

    ``whole``: everything that a browser loads from the name, its pages too.
    """

    important: bool = False
    badfilter: bool = False
    whole: bool = False
    types: frozenset[int] | None = None
    types_negated: bool = False
    denyallow: frozenset[bytes] = frozenset()


def read_modifiers(text: str) -> Modifiers:
    """Parse a comma-separated list of modifiers, which may be empty.

    Raises:
        ModifierError: at least one is unknown, malformed, or given twice.
    """
    read = Modifiers()
    seen = set()
    for part in text.split(",") if text else ():
        name, _, value = part.strip().partition("=")
        if name and not name.strip("_"):
            continue  # ``_`` only separates other modifiers
        if name in seen:
            raise ModifierError(Reason.BAD_SYNTAX)
        seen.add(name)
        read = _with(read, name, value)
    if _TYPES & seen and not read.whole:
        raise ModifierError(Reason.UNSUPPORTED_MODIFIER)
    return read


def _with(read: Modifiers, name: str, value: str) -> Modifiers:
    if name == "dnstype" and value:
        types, negated = _types(value)
        return read._replace(types=types, types_negated=negated)
    if name == "denyallow" and value:
        return read._replace(denyallow=_names(value))
    if name == "important" and not value:
        return read._replace(important=True)
    if name == "badfilter" and not value:
        return read._replace(badfilter=True)
    if name in _WHOLE and not value:
        return read._replace(whole=True)
    if name in _TYPES and not value:
        return read
    raise ModifierError(Reason.UNSUPPORTED_MODIFIER)


def _types(value: str) -> tuple[frozenset[int], bool]:
    """Parse ``A|AAAA`` or ``~A|~AAAA``; a mixture has no one meaning and is refused."""
    parts = value.split("|")
    negated = [part.startswith("~") for part in parts]
    codes = [rrtype(part.removeprefix("~")) for part in parts]
    if any(negated) != all(negated) or None in codes:
        raise ModifierError(Reason.BAD_SYNTAX)
    return frozenset(code for code in codes if code is not None), negated[0]


def _names(value: str) -> frozenset[bytes]:
    try:
        return frozenset(name_from_key(key_from_text(name)) for name in value.split("|"))
    except HostnameError as error:
        raise ModifierError(error.reason) from None
