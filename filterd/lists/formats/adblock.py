# SPDX-License-Identifier: Apache-2.0
r"""Adblock rules as DNS filters understand them (AdGuard's "DNS filtering syntax").

A rule is a pattern over the host name, and only some patterns are a set of
names that an index can hold::

    ||name^   ||name   ||name|   ||name^|     name and everything beneath it
    ||*.name^   *.name^   .name^              everything beneath name
    |name^   |name|   |name^|   name          that host
    0.0.0.0 name                              that host, as in hosts files

Before any of them ``@@`` makes an exception. ``||name`` without an end also
fits longer names (``name.example``); of that, only what the author certainly
means is taken. A pattern whose *start* is open (``name^`` fits ``another-name``)
or that has a star inside is refused: there the certain part is not the point. So is a bare
name with a modifier that only browsers know (``ads$document``): there it is part of a URL.

Lists for browsers are full of rules that look like this and have other targets:
parts of a page, paths, third parties. Each is reported with its kind.

Four modifiers after ``$`` are about lookups: ``important``, ``badfilter``, ``denyallow``
and ``dnstype``. ``all``, ``document`` (``doc``) and ``network`` leave no page of the name
that opens; such a block is taken. All others depend on what only a browser or a client
database knows, and a rule would block far more without them: the whole rule is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.formats.domains import without_comment
from filterd.lists.formats.hosts import parse_words
from filterd.lists.formats.parsed import (
    BLOCK_SUBTREE,
    MAX_LINE,
    Cancelled,
    Entry,
    Parsed,
    PlainLine,
    problem,
    rrtype,
)
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Effect, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


PLAIN = (PlainLine("||", "^", BLOCK_SUBTREE),)

_common = re.compile(r"\|\|([a-z0-9_-][a-z0-9_.-]*)\^", re.ASCII | re.IGNORECASE).fullmatch
_cosmetic = re.compile(
    r"[^\s#$]+(?:\#@?[?$%]{0,2}\#|\$@?\$)"  # of these hosts
    r"|\#@?[?$%]{0,2}\#(?=\#?[^\s\#])"  # of all; a row of # is a comment
).match
_pattern = re.compile(
    r"(?P<start>\|\|\*\.|\|\||\||\*\.|\.|)(?P<name>[^|^*/]+)(?P<end>\^\||\^|\||)"
).fullmatch

_SCOPES = {
    "||": Scope.SUBTREE,
    "||*.": Scope.SUBDOMAINS,
    "*.": Scope.SUBDOMAINS,
    ".": Scope.SUBDOMAINS,
    "|": Scope.EXACT,
    "": Scope.EXACT,
}
"""The scope of a pattern, by its beginning."""


def parse_adblock(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of an Adblock list, as a DNS filter reads it."""
    claims: dict[Claim, Claim] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            yield problem(number, Reason.TOO_LONG, line)
        elif match := _common(line):
            yield Entry(number, match[1], BLOCK_SUBTREE)
        elif (text := line.strip()) and not _is_comment(text):
            yield from _rule(number, text, claims)


def _is_comment(text: str) -> bool:
    if text.startswith("#"):
        return not _cosmetic(text)
    return text.startswith("!") or (text[0] == "[" and text[-1] == "]" and text[1:2] != "$")


def _rule(number: int, text: str, claims: dict[Claim, Claim]) -> Iterator[Parsed]:
    """Yield the result of one line that is neither blank nor a comment."""
    if reason := _not_for_dns(text):
        yield problem(number, reason, text)
        return
    words = without_comment(text).split()
    if len(words) > 1:
        yield from parse_words(number, words)
        return
    try:
        yield _pattern_rule(number, words[0], claims)
    except ModifierError as error:
        yield problem(number, error.reason, text)


def _not_for_dns(text: str) -> Reason | None:
    """Return the kind of a rule that no DNS filter can apply, or None."""
    pattern = text.removeprefix("@@")
    if pattern.startswith("/") and (pattern.endswith("/") or "/$" in pattern):
        return Reason.REGULAR_EXPRESSION
    if _cosmetic(text):
        return Reason.COSMETIC_RULE
    if "/" in pattern.partition("$")[0].partition(" ")[0]:
        return Reason.URL_WITH_PATH
    return None


def _pattern_rule(number: int, text: str, claims: dict[Claim, Claim]) -> Parsed:
    """Return the result of a pattern with its modifiers.

    Raises:
        ModifierError: its modifiers cannot be honoured.
    """
    pattern, _, after = text.removeprefix("@@").partition("$")
    modifiers = read_modifiers(after)
    effect = Effect.EXCEPT if text.startswith("@@") else Effect.BLOCK
    if modifiers.whole and effect is Effect.EXCEPT:
        # There it switches a browser's filter off on that page; it does not open the name.
        raise ModifierError(Reason.UNSUPPORTED_MODIFIER)
    if not pattern.strip("|*^."):
        return problem(number, Reason.EVERYTHING, text)
    match = _pattern(pattern)
    if match is None or _is_open(match) or (modifiers.whole and not match["start"]):
        return problem(number, Reason.UNSUPPORTED_PATTERN, text)
    claim = Claim(
        _SCOPES[match["start"]],
        effect,
        important=modifiers.important,
        types=modifiers.types,
        types_negated=modifiers.types_negated,
        denyallow=modifiers.denyallow,
    )
    claim = claims.setdefault(claim, claim)
    kind = Cancelled if modifiers.badfilter else Entry
    return kind(number, match["name"], claim)


def _is_open(match: re.Match[str]) -> bool:
    """Return whether a pattern also fits names beyond its own subtree.

    Those share only characters with the name in the pattern.
    """
    start, name, end = match.groups()
    if name.endswith(".") and end == "":
        return True  # ||google. fits google.com
    if start == "":
        return end != ""  # a bare name is that host by definition; name^ fits another-name
    return start in {"|", "."} and end == ""
