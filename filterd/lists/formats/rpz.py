# SPDX-License-Identifier: Apache-2.0
"""Response policy zones: blocklists as zones (draft-vixie-dnsop-dns-rpz).

The owner of a record, taken relative to the zone's apex, is the trigger; the record is
the action. ``CNAME .`` (NXDOMAIN), ``CNAME *.`` (NODATA) and ``CNAME rpz-drop.`` block;
``CNAME rpz-passthru.`` is an exception, and so is its old form, a CNAME to the name
itself. Any other record is local data: it replaces the name's answer. filterd serves no
data of lists, so it blocks such a name with the response that the client's policy sets.

``name`` is that name alone, ``*.name`` all beneath it without it, as in the DNS.
Triggers other than the query name (addresses, name servers) need the resolution
that filterd leaves to its upstream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.lists.formats.parsed import (
    BLOCK_EXACT,
    BLOCK_SUBDOMAINS,
    Entry,
    Parsed,
    Problem,
    problem,
)
from filterd.lists.formats.zonefile import ZoneFileRecord, read_records
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Effect, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
            apex = _absolute(item)
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
    absolute = _absolute(record)
    if not apex:
        return absolute
    lower, suffix = absolute.lower(), apex.lower()
    if lower == suffix:
        return ""
    return absolute[: -len(suffix) - 1] if lower.endswith(f".{suffix}") else None


def _absolute(record: ZoneFileRecord) -> str:
    """Return the owner without its final dot, made absolute by its origin."""
    if record.owner == "@":
        return record.origin
    if record.owner.endswith(".") or not record.origin:
        return record.owner.removesuffix(".")
    return f"{record.owner}.{record.origin}"
