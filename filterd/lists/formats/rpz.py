# SPDX-License-Identifier: Apache-2.0
r"""Response policy zones: blocklists as zones (draft-vixie-dnsop-dns-rpz).

The owner of a record, taken relative to the zone's apex, is the trigger; the record is
the action. ``CNAME .`` (NXDOMAIN), ``CNAME *.`` (NODATA) and ``CNAME rpz-drop.`` block;
``CNAME rpz-passthru.`` is an exception, and so is its old form, a CNAME to the name
itself. Any other record is local data: it replaces the name's answer. filterd serves no
data of lists, so it blocks such a name with the response that the client's policy sets.

``name`` is that name alone, ``*.name`` all beneath it without it, as in the DNS.
Triggers other than the query name (addresses, name servers) need the resolution
that filterd leaves to its upstream.

The zone file (RFC 1035 §5) is untrusted. Records come out as words, not as wire: a policy
zone is read for its owner names and for what a CNAME points to. Bounds: a line by
``MAX_LINE``, a record in parentheses by ``MAX_RECORD_LINES``; beyond that the parenthesis is
taken for a mistake and reading goes on with the next line, so that one bad
character cannot swallow a list. ``$INCLUDE`` is refused: a list reads no files.
Owner names stay text. One with an escape (``\.``, ``\032``) is no host name and
is reported as such; so no ``.`` in an owner is ever part of a label.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.formats.parsed import (
    BLOCK_EXACT,
    BLOCK_SUBDOMAINS,
    MAX_LINE,
    Entry,
    Parsed,
    Problem,
    problem,
    rrtype,
)
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Effect, Scope

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


_EXCEPT_EXACT = Claim(Scope.EXACT, Effect.EXCEPT, specific=True)
_EXCEPT_SUBDOMAINS = Claim(Scope.SUBDOMAINS, Effect.EXCEPT, specific=True)

_OTHER_TRIGGERS = frozenset({"rpz-client-ip", "rpz-ip", "rpz-nsdname", "rpz-nsip"})

_NOT_POLICY = frozenset(
    {
        "DNSKEY",
        "DS",
        "NSEC",
        "NSEC3",
        "NSEC3PARAM",
        "RRSIG",
        "SOA",
        "NS",
        "ZONEMD",
        "CDS",
        "CDNSKEY",
    }
)
"""Types that every zone has and that are no actions, wherever they stand."""


def parse_rpz(lines: Iterable[str]) -> Iterator[Parsed]:
    """Yield the entries and problems of a response policy zone.

    Records of one name with the same meaning (local data of several types) make one
    entry as long as they stand together.
    """
    apex: str | None = None
    said: tuple[object, ...] = ()
    for item in read_records(lines):
        if isinstance(item, Problem):
            yield item
        elif item.rrtype == "SOA":
            apex = _absolute_owner(item)
        elif item.rrtype not in _NOT_POLICY:
            parsed = _policy(item, item.origin if apex is None else apex)
            if parsed and parsed[1:] != said:
                said = parsed[1:]
                yield parsed


def _policy(record: ZoneFileRecord, apex: str) -> Parsed | None:
    """Return the result of one record, or None where it is about the zone itself."""
    trigger = _trigger(record, apex)
    if not trigger:
        return None if trigger == "" else _refused(record, Reason.BAD_SYNTAX)
    outcome = _refusal(trigger) or _effect(record, trigger)
    if isinstance(outcome, Reason):
        return _refused(record, outcome)
    blocks = outcome is Effect.BLOCK
    if trigger.startswith("*."):
        claim = BLOCK_SUBDOMAINS if blocks else _EXCEPT_SUBDOMAINS
        return Entry(record.line, trigger[2:], claim)
    return Entry(record.line, trigger, BLOCK_EXACT if blocks else _EXCEPT_EXACT)


def _refused(record: ZoneFileRecord, reason: Reason) -> Problem:
    return problem(record.line, reason, f"{record.owner} {record.rrtype} {' '.join(record.data)}")


def _refusal(trigger: str) -> Reason | None:
    """Return the reason why a trigger is no name for a list, or None."""
    if trigger == "*":
        return Reason.EVERYTHING
    if trigger.rpartition(".")[2].lower() in _OTHER_TRIGGERS:
        return Reason.UNSUPPORTED_TRIGGER
    return None


def _effect(record: ZoneFileRecord, trigger: str) -> Effect | Reason:
    """Return the effect of a record on its trigger, or the reason why it has none."""
    if record.rrtype == "DNAME":
        return Reason.UNSUPPORTED_OPTION
    if record.rrtype != "CNAME":
        return Effect.BLOCK
    target = record.data[0].lower()
    if target in {"rpz-passthru.", f"{trigger.lower()}."}:
        return Effect.EXCEPT
    if target == "rpz-drop." or not _is_reserved(target):
        return Effect.BLOCK
    return Reason.UNSUPPORTED_OPTION


def _is_reserved(target: str) -> bool:
    """Return whether a target is an action ``rpz-...``, perhaps an unknown one.

    Without its final dot an action is a slip that would turn a passthru into
    local data, so that counts as well.
    """
    return target.removesuffix(".").rpartition(".")[2].startswith("rpz-")


def _trigger(record: ZoneFileRecord, apex: str) -> str | None:
    """Return the owner relative to the apex: ``""`` for the apex, None outside."""
    owner = record.owner
    if owner == "@":
        return ""
    if not owner.endswith(".") and record.origin == apex:
        return owner
    absolute = _absolute_owner(record)
    if not apex:
        return absolute
    lower, suffix = absolute.lower(), apex.lower()
    if lower == suffix:
        return ""
    return absolute[: -len(suffix) - 1] if lower.endswith(f".{suffix}") else None


def _absolute_owner(record: ZoneFileRecord) -> str:
    """Return the owner without its final dot, made absolute by its origin."""
    return record.origin if record.owner == "@" else _absolute(record.owner, record.origin)
