# SPDX-License-Identifier: Apache-2.0
r"""Untrusted zone files (RFC 1035 §5), as far as response policy zones need.

Records come out as words, not as wire: a policy zone is read for its owner
names and for what a CNAME points to. Bounds: a line by the caller's limit, a
record in parentheses by ``MAX_RECORD_LINES``; beyond that the parenthesis is
taken for a mistake and reading goes on with the next line, so that one bad
character cannot swallow a list. ``$INCLUDE`` is refused: a list reads no files.

Owner names stay text. One with an escape (``\.``, ``\032``) is no host name and
is reported as such; so no ``.`` in an owner is ever part of a label.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.formats.parsed import MAX_LINE, Problem, problem, rrtype
from filterd.lists.report import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_RECORD_LINES = 64
"""Lines that one record may take: the longest honest ones are keys and signatures at the apex."""

_token = re.compile(
    r'[ \t\r\f\v]*(?:("(?:[^"\\]|\\.)*")|(;.*)|([()])|((?:[^\s"();\\]|\\.)+))', re.DOTALL
)
_special = re.compile(r'["();\\]').search
_ttl = re.compile(r"\d[\dsmhdw]*", re.IGNORECASE | re.ASCII).fullmatch
_class = re.compile(r"IN|CH|HS|CLASS\d{1,5}", re.IGNORECASE | re.ASCII).fullmatch


class ZoneFileRecord(NamedTuple):
    """One resource record.

    ``owner`` is as written, with ``@`` and blanks replaced; relative to ``origin``
    unless it ends in a dot. ``origin`` has no final dot and is ``""`` where the file
    has none. ``data`` are the words after the type.
    """

    line: int
    owner: str
    origin: str
    rrtype: str
    data: tuple[str, ...]


class _Words(NamedTuple):
    line: int
    words: list[str]
    blank_owner: bool


def read_records(lines: Iterable[str]) -> Iterator[ZoneFileRecord | Problem]:
    """Yield the records of a zone file and its problems.

    Without ``$ORIGIN`` names are relative to the owner of the first SOA, if that
    is absolute: a zone that is configured by its name is written so.
    """
    origin, owner = "", ""
    for item in _joined(lines):
        if isinstance(item, Problem):
            yield item
            continue
        number, words, blank_owner = item
        if words[0].startswith("$") and not blank_owner:
            if words[0].upper() == "$ORIGIN" and len(words) > 1:
                origin = _absolute(words[1], origin)
            elif words[0].upper() != "$TTL":
                yield problem(number, Reason.UNSUPPORTED_OPTION, " ".join(words))
            continue
        if not blank_owner:
            owner = words.pop(0)
            if owner == "@":
                owner = f"{origin}." if origin else "@"
        record = _record(number, owner, origin, words)
        if isinstance(record, ZoneFileRecord) and record.rrtype == "SOA" and not origin:
            origin = owner.removesuffix(".") if owner.endswith(".") else ""
        yield record


def _record(number: int, owner: str, origin: str, words: list[str]) -> ZoneFileRecord | Problem:
    quoted = " ".join((owner, *words))
    while words and (_ttl(words[0]) or _class(words[0])):
        words = words[1:]
    if not owner or len(words) < 2 or rrtype(words[0]) is None:
        return problem(number, Reason.BAD_SYNTAX, quoted)
    if "\\" in owner or '"' in owner:
        return problem(number, Reason.NOT_A_NAME, quoted)
    return ZoneFileRecord(number, owner, origin, words[0].upper(), tuple(words[1:]))


def _absolute(name: str, origin: str) -> str:
    """Return a name without its final dot, made absolute by the origin."""
    if name.endswith(".") or not origin:
        return name.removesuffix(".")
    return f"{name}.{origin}"


def _joined(lines: Iterable[str]) -> Iterator[_Words | Problem]:
    """Yield the words of each record or directive, with parentheses joined."""
    pending: _Words | None = None
    for number, line in enumerate(lines, 1):
        if pending and number - pending.line >= MAX_RECORD_LINES:
            yield problem(pending.line, Reason.BAD_SYNTAX, " ".join(pending.words))
            pending = None
        split = _split(line, open_=pending is not None)
        if isinstance(split, Reason):
            yield problem(number, split, line)
            continue
        words, open_ = split
        if pending:
            pending.words.extend(words)
        elif words:
            pending = _Words(number, words, line[0] in " \t")
        if pending and not open_:
            yield pending
            pending = None
    if pending:
        yield problem(pending.line, Reason.BAD_SYNTAX, " ".join(pending.words))


def _split(line: str, *, open_: bool) -> tuple[list[str], bool] | Reason:
    """Return the words of a line and whether a parenthesis stays open after it."""
    if len(line) > MAX_LINE:
        return Reason.TOO_LONG
    if not _special(line):
        return line.split(), open_
    words = []
    offset, end = 0, len(line.rstrip())
    while offset < end:
        match = _token.match(line, offset, end)
        if match is None:
            return Reason.BAD_SYNTAX
        string, comment, parenthesis, word = match.groups()
        if comment is not None:
            break
        if parenthesis is not None:
            if open_ is (parenthesis == "("):  # neither nested nor closed unopened
                return Reason.BAD_SYNTAX
            open_ = parenthesis == "("
        else:
            words.append(string or word)
        offset = match.end()
    return words, open_
