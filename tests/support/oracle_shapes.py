# SPDX-License-Identifier: Apache-2.0
"""The form of replies: of all, of blocks, and of passed on answers.

Each function returns a fault in words, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import BlockResponse
from tests.support import oracle_messages as wire
from tests.support.oracle_questions import is_rewritten
from tests.support.oracle_rules import SEARCH, TWIN
from tests.support.oracle_upstream import (
    LONGEST_NEGATIVE_TTL_S,
    OPT_OCTETS,
    is_at_home,
    without_ech,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.oracle_messages import Record, Reply
    from tests.support.oracle_questions import Asked
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import UpstreamAnswer

BLOCK_TTL_S = 10
BLOCKED = 15
SINKHOLES = {wire.A: bytes(4), wire.AAAA: bytes(16)}


def form_faults(asked: Asked, reply: Reply) -> Iterator[str]:
    """Hold a reply against what every one owes."""
    if reply.ident != int.from_bytes(asked.message[:2]):
        yield "another ID"
    if reply.question != asked.message[12 : 12 + len(reply.question)]:
        yield "another question, or another letter case"
    expected = wire.QR | wire.RA | (wire.RD if asked.rd else 0) | (wire.CD if asked.cd else 0)
    if reply.flags & ~(wire.TC | wire.AD | 15) != expected:
        yield f"flags {reply.flags:04x}"
    if (reply.options is not None) is not asked.edns:
        yield "OPT only to who sent one"
    if reply.opt_flags != (wire.DO if asked.do and asked.edns else 0):
        yield "DO is echoed"
    if any(code != wire.EDE for code, _ in reply.options or ()):
        yield "no option is echoed"
    if reply.octets > asked.limit:
        yield f"{reply.octets} octets where {asked.limit} may be sent"
    if reply.flags & wire.AD and not (asked.do or asked.ad):
        yield "AD to who did not ask for it"


def block_fault(rules: Rules, asked: Asked, reply: Reply) -> str:
    """Return the fault of a block."""
    sinkholes = rules.response(asked.who) is BlockResponse.SINKHOLE
    if fault := _negative_fault(reply):
        return fault
    if sinkholes and asked.qtype in SINKHOLES:
        rdatas = [one.rdata for one in reply.answer]
        return "" if (reply.rcode, rdatas) == (0, [SINKHOLES[asked.qtype]]) else "no sinkhole"
    if reply.answer or reply.rcode not in (0, wire.NXDOMAIN):
        return f"records {reply.answer}, response code {reply.rcode}"
    if reply.rcode and rules.response(asked.who) is not BlockResponse.NXDOMAIN:
        return "NXDOMAIN to who gets something else"
    return _soa_fault(asked, reply)


def home_fault(asked: Asked, reply: Reply) -> str:
    """Return the fault of a reply if all addresses of a name are private."""
    if fault := _negative_fault(reply):
        return fault
    if asked.edns and reply.edes != {BLOCKED}:
        return f"extended errors {reply.edes}"
    if reply.rcode or reply.answer:
        return f"records {reply.answer}, response code {reply.rcode}"
    return _soa_fault(asked, reply)


def _negative_fault(reply: Reply) -> str:
    if reply.flags & (wire.TC | wire.AD):
        return "TC or AD"
    if any(one.ttl_s > BLOCK_TTL_S for one in (*reply.answer, *reply.authority)):
        return "it is remembered for too long"
    return "additional records" if reply.additional else ""


def _soa_fault(asked: Asked, reply: Reply) -> str:
    owners = [one.owner for one in reply.authority if one.rtype == wire.SOA]
    return "" if owners == [asked.name] else "no SOA of the name"


def is_empty(reply: Reply) -> bool:
    """Return whether a reply is NODATA."""
    return not reply.rcode and not reply.answer


def home_records(rules: Rules, asked: Asked, answer: UpstreamAnswer) -> list[Record]:
    """Return what is taken out of an answer because it leads to private addresses."""
    if answer.key.whom or rules.may_lead_home(asked.name):
        return []
    return [one for one in answer.answer if is_at_home(one)]


def leads_only_home(rules: Rules, asked: Asked, answer: UpstreamAnswer) -> bool:
    """Return whether nothing that was asked for is left of an answer without private addresses."""
    gone = home_records(rules, asked, answer)
    left = [one for one in answer.answer if one.rtype == asked.qtype and one not in gone]
    return bool(gone) and not left


def passed_on(rules: Rules, asked: Asked, answer: UpstreamAnswer) -> tuple[list[Record], bool]:
    """Return what is passed on of an answer, and whether that is less than was said."""
    records = list(answer.answer)
    gone = home_records(rules, asked, answer)
    records = _without(records, gone)
    bindings = [record for record in records if record.rtype == wire.HTTPS]
    is_stripped = asked.who.grade in rules.strips_for and not answer.key.whom
    keyed = (
        [binding for binding in bindings if without_ech(binding) != binding] if is_stripped else []
    )
    if keyed:
        left = _without(records, bindings)
        records = [
            without_ech(record) for record in records if record in left or record in bindings
        ]
    if is_rewritten(rules, asked):
        alias = wire.Record(SEARCH, wire.CNAME, 0, b"", TWIN)
        records = [alias, *(record for record in records if record.rtype != wire.RRSIG)]
    return records, bool(gone or keyed)


def _without(records: list[Record], gone: list[Record]) -> list[Record]:
    """Leave records out, and what signs a set of which something is gone."""
    sets = {(one.owner, one.rtype) for one in gone}
    return [
        record
        for record in records
        if record not in gone
        and not (record.rtype == wire.RRSIG and (record.owner, _covered(record)) in sets)
    ]


def _covered(signature: Record) -> int:
    return int.from_bytes(signature.rdata[:2])


def words_fault(asked: Asked, answer: UpstreamAnswer, reply: Reply, expected: list[Record]) -> str:
    """Return the fault of an upstream's answer that was passed on whole."""
    if list(map(_fact, reply.answer)) != list(map(_fact, expected)):
        return f"other records than {expected}"
    if [one.rtype for one in reply.authority] != [one.rtype for one in answer.authority]:
        return "other authority"
    if list(map(_fact, reply.additional)) != list(map(_fact, answer.additional)):
        is_cut = not reply.additional and may_be_cut(asked, answer, reply)
        return "" if is_cut else "other additional records"
    return ""


def _fact(record: Record) -> tuple[object, ...]:
    """Return a record without its TTL."""
    return record.owner, record.rtype, record.target or record.rdata


def ttl_of(answer: UpstreamAnswer, owner: str, rtype: int) -> int:
    """Return the TTL that was given to a record; a denial's is bounded by the hour."""
    for one in (*answer.answer, *answer.additional):
        if (one.owner, one.rtype) == (owner, rtype):
            return one.ttl_s
    return min([LONGEST_NEGATIVE_TTL_S, *(one.ttl_s for one in answer.authority)])


def may_be_cut(asked: Asked, answer: UpstreamAnswer, reply: Reply) -> bool:
    """Return whether an answer is too long for its client; exactly if its size is known."""
    if answer.exact and asked.name == answer.key.name:
        whole = answer.exact - (0 if asked.edns else OPT_OCTETS)
        return whole + (60 if reply.edes else 0) > asked.limit
    return answer.octets > asked.limit - 60
