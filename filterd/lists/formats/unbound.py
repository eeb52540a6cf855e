# SPDX-License-Identifier: Apache-2.0
"""unbound configuration: ``local-zone`` and ``local-data`` options.

A local zone is a name and everything beneath it, and its type decides on queries for
it; a zone that lets queries through is an exception to a shorter one that does not.
Local data is one record. With an address that leads nowhere it blocks its owner; with
any other it is a redirection, and then a zone of the same name is not a block either
but the other half of that redirection (a ``redirect`` zone is how SafeSearch is
enforced): the entry of the zone is cancelled, wherever in the file it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from filterd.lists.formats.hosts import is_sinkhole
from filterd.lists.formats.parsed import (
    BLOCK_EXACT,
    BLOCK_SUBTREE,
    EXCEPT_SUBTREE_SPECIFIC,
    MAX_LINE,
    Cancelled,
    Entry,
    Parsed,
    problem,
)
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Scope
from filterd.wire.registry import RRType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLOCK_A = Claim(Scope.SUBTREE, types=frozenset({int(RRType.A)}))
_BLOCK_AAAA = Claim(Scope.SUBTREE, types=frozenset({int(RRType.AAAA)}))

ZONE_TYPES = {
    **dict.fromkeys(
        (
            "always_deny",
            "always_nodata",
            "always_null",
            "always_nxdomain",
            "always_refuse",
            "deny",
            "inform_deny",
            "redirect",
            "refuse",
            "static",
        ),
        BLOCK_SUBTREE,
    ),
    **dict.fromkeys(
        ("always_transparent", "inform", "nodefault", "transparent", "typetransparent"),
        EXCEPT_SUBTREE_SPECIFIC,
    ),
    "block_a": _BLOCK_A,
    "block_a_wdata": _BLOCK_A,
    "block_aaaa": _BLOCK_AAAA,
    "block_aaaa_wdata": _BLOCK_AAAA,
}
"""The claim of a zone of each type (unbound.conf(5), ``local-zone``)."""

_common = re.compile(
    r'\s*local-zone:\s*"([a-z0-9_-][a-z0-9_.-]*)"\s+(always_n(?:ull|xdomain|odata)|refuse)\s*'
).fullmatch
_token = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(\#.*)|([^\s"'\#]+))""")
_ttl_or_class = re.compile(r"\d+[smhdw]?|IN", re.IGNORECASE | re.ASCII).fullmatch


def parse_unbound(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of an unbound configuration."""
    let_through: set[str] = set()
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            yield problem(number, Reason.TOO_LONG, line)
        elif match := _common(line):
            yield Entry(number, match[1], BLOCK_SUBTREE)
        else:
            yield from _line(number, line, let_through)


def _line(number: int, line: str, let_through: set[str]) -> Iterator[Parsed]:
    """Yield the result of one line: any number of options, each with its values."""
    words = _words(line)
    if words is None:
        yield problem(number, Reason.BAD_SYNTAX, line)
        return
    while words:
        keyword = words.pop(0)
        if keyword == "server:":
            continue
        if keyword == "local-zone:" and len(words) >= 2:
            yield _zone(number, words.pop(0), words.pop(0), let_through)
        elif keyword == "local-data:" and words:
            yield from _data(number, words.pop(0), let_through)
        else:
            reason = Reason.UNSUPPORTED_OPTION if keyword.endswith(":") else Reason.BAD_SYNTAX
            yield problem(number, reason, line)
            return  # where its values end is not known


def _words(line: str) -> list[str] | None:
    """Split a line into words without their quotes; None where a quote is open."""
    words = []
    offset, end = 0, len(line.rstrip())
    while offset < end:
        match = _token.match(line, offset, end)
        if match is None:
            return None
        double, single, comment, bare = match.groups()
        if comment is not None:
            break
        words.append(next(word for word in (double, single, bare) if word is not None))
        offset = match.end()
    return words


def _zone(number: int, name: str, kind: str, let_through: set[str]) -> Parsed:
    claim = ZONE_TYPES.get(kind)
    if claim is None:
        return problem(number, Reason.UNSUPPORTED_OPTION, f"local-zone: {name} {kind}")
    if claim is EXCEPT_SUBTREE_SPECIFIC:
        let_through.add(_bare(name))
    return Entry(number, name, claim)


def _data(number: int, record: str, let_through: set[str]) -> Iterator[Parsed]:
    """Yield the result of a local-data record: ``name [TTL] [class] type data``."""
    owner, *fields = record.split() or ("",)
    while fields and _ttl_or_class(fields[0]):
        fields.pop(0)
    if not owner or len(fields) < 2:
        yield problem(number, Reason.BAD_SYNTAX, record)
        return
    kind = fields[0].upper()
    if kind in {"A", "AAAA"} and is_sinkhole(fields[1]):
        yield Entry(number, owner, BLOCK_EXACT)
        if _bare(owner) in let_through:  # data answers before a transparent zone lets through
            yield Cancelled(number, owner, EXCEPT_SUBTREE_SPECIFIC)
        return
    yield problem(number, Reason.UNSUPPORTED_OPTION, record)
    if kind in {"A", "AAAA", "CNAME"}:
        yield Cancelled(number, owner, BLOCK_SUBTREE)


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")
