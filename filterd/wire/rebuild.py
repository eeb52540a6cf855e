# SPDX-License-Identifier: Apache-2.0
"""Rebuilding of an upstream's response into a body that a cache can keep and send.

A record inside a message is not self-contained: its owner and some of its RDATA
may point to octets elsewhere. Rebuilding expands every such name and compresses
it again against nothing but the question and the records that stay. The body
fits behind any question for the same qname, because a name has the same length
in every letter case. The case in which an upstream wrote a name is kept.
"""

from __future__ import annotations

from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import BadCountError, CostlyMessageError
from filterd.wire.compose import QNAME_POINTER, reply_edns, reply_header
from filterd.wire.cursor import Compressor, Cursor, steps_for
from filterd.wire.edns import Edns
from filterd.wire.header import AD, HEADER_OCTETS, QR, RA, Header, compose_header, peek_header
from filterd.wire.parsed_query import ParsedQuery
from filterd.wire.registry import RRClass, RRType
from filterd.wire.response import ParsedResponse, parse_response
from filterd.wire.section import ANSWER, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.wire.edns import Ede
    from filterd.wire.section import Record

MAX_BODY_OCTETS = 65535 - 1024
"""Leaves room for header, question and OPT in one message."""

MAX_TTL_S = 2**31 - 1
"""The largest TTL (RFC 2181 §8)."""

_FIXED = Struct("!HHIH")
_TTL = Struct("!I")
_TTL_OFFSET = 4
"""Within the fixed fields of a record, which follow its owner."""

_SECTION = attrgetter("section")

_NAPTR = int(RRType.NAPTR)
_NAPTR_STRINGS = 3


class _Layout(NamedTuple):
    """The layout of RDATA: octets, names, octets.

    ``compress``: the names may be written as pointers. ``tail`` is the number of octets
    behind the names; None for any number.
    """

    lead: int
    names: int
    tail: int | None
    compress: bool


_ONE_NAME = _Layout(0, 1, 0, compress=True)

_LAYOUTS = {
    RRType.NS: _ONE_NAME,
    RRType.MD: _ONE_NAME,
    RRType.MF: _ONE_NAME,
    RRType.CNAME: _ONE_NAME,
    RRType.MB: _ONE_NAME,
    RRType.MG: _ONE_NAME,
    RRType.MR: _ONE_NAME,
    RRType.PTR: _ONE_NAME,
    RRType.SOA: _Layout(0, 2, 20, compress=True),
    RRType.MINFO: _Layout(0, 2, 0, compress=True),
    RRType.MX: _Layout(2, 1, 0, compress=True),
    RRType.RP: _Layout(0, 2, 0, compress=False),
    RRType.AFSDB: _Layout(2, 1, 0, compress=False),
    RRType.RT: _Layout(2, 1, 0, compress=False),
    RRType.SIG: _Layout(18, 1, None, compress=False),
    RRType.PX: _Layout(2, 2, 0, compress=False),
    RRType.NXT: _Layout(0, 1, None, compress=False),
    RRType.SRV: _Layout(6, 1, 0, compress=False),
    RRType.NAPTR: _Layout(4, 1, 0, compress=False),
    RRType.KX: _Layout(2, 1, 0, compress=False),
    RRType.DNAME: _Layout(0, 1, 0, compress=False),
}
"""The types whose names an upstream may have compressed (RFC 3597 §4); no later type may."""

LAYOUT_OF = {int(rtype): layout for rtype, layout in _LAYOUTS.items()}


class RebuiltSections(NamedTuple):
    """Records that need nothing but their question.

    ``body`` follows a question section of ``question_octets``; ``ttl_offsets``
    are relative to it, ``ttls`` in seconds as received, in the same order.
    """

    body: bytes
    ancount: int
    nscount: int
    arcount: int
    ttl_offsets: tuple[int, ...]
    ttls: tuple[int, ...]
    question_octets: int


def rebuild(
    response: ParsedResponse,
    keep: Sequence[Record],
    *,
    changed: Mapping[Record, bytes] | None = None,
) -> RebuiltSections:
    """Copy the records ``keep`` of ``response``, in the order of the sections.

    Args:
        response: the one with the records.
        keep: which.
        changed: RDATA that some of them get instead of their own; no name in it
            is compressed.

    Raises:
        WireError: RDATA of a type that holds names is malformed.
        BadCountError: the response has no question.
        CostlyMessageError: written out, it is longer than a message may be.
    """
    if response.question is None:
        raise BadCountError("a response without its question")
    writer = _Writer(response, response.question)
    writer.add_all(keep, changed or {})
    return writer.finish()


def rebuild_behind_alias(
    response: ParsedResponse, keep: Sequence[Record], question: Question, ttl_s: int
) -> RebuiltSections:
    """Copy records behind a CNAME to the qname of ``response``.

    Args:
        response: the answer for the name that the alias leads to.
        keep: which of its records.
        question: what was asked; its name owns the alias.
        ttl_s: of the alias.

    Raises:
        WireError: as ``rebuild``.
    """
    if response.question is None:
        raise BadCountError("a response without its question")
    writer = _Writer(response, question)
    writer.add_alias(response.question.qname, ttl_s)
    writer.add_all(keep, {})
    return writer.finish()


def read_back(sections: RebuiltSections, question: Question) -> ParsedResponse:
    """Return rebuilt sections as a response again, to keep less of them.

    Its TTLs are those that came.

    Args:
        sections: what was rebuilt.
        question: the one that they answer, in any letter case.
    """
    return parse_response(as_message(sections, question))


def as_message(sections: RebuiltSections, question: Question) -> bytes:
    """Return rebuilt sections as the message of a response."""
    counts = sections.ancount, sections.nscount, sections.arcount
    header = compose_header(Header(0, QR, 1, *counts))
    return header + question.wire + sections.body


class _Writer:
    """Writer of consecutive records; ``base`` is the body's offset in its message."""

    def __init__(self, response: ParsedResponse, question: Question) -> None:
        self.response = response
        self.qname = question.qname
        self.base = HEADER_OCTETS + len(question.wire)
        self.body = bytearray()
        self.ttl_offsets: list[int] = []
        self.ttls: list[int] = []
        self.names = Compressor(question.qname, steps_for(len(response.message)))
        self.counts = [0, 0, 0]

    def finish(self) -> RebuiltSections:
        """Return what was written."""
        ancount, nscount, arcount = self.counts
        return RebuiltSections(
            bytes(self.body),
            ancount,
            nscount,
            arcount,
            tuple(self.ttl_offsets),
            tuple(self.ttls),
            question_octets=self.base - HEADER_OCTETS,
        )

    def add_all(self, keep: Sequence[Record], changed: Mapping[Record, bytes]) -> None:
        """Write records, section by section."""
        for record in sorted(keep, key=_SECTION):
            self.add(record, changed.get(record) if changed else None)

    def add_alias(self, target: bytes, ttl_s: int) -> None:
        """Write a CNAME of the qname as the first record."""
        rdata = self.names.write(target, self.base + len(QNAME_POINTER) + _FIXED.size)
        fixed = _FIXED.pack(RRType.CNAME, RRClass.IN, ttl_s, len(rdata))
        self.append(QNAME_POINTER, fixed + rdata, ttl_s, ANSWER)

    def add(self, record: Record, rdata: bytes | None = None) -> None:
        """Write one record, with this RDATA if any is given.

        Raises:
            CostlyMessageError: they do not fit one message.
        """
        offset = self.base + len(self.body)
        owner = self.names.pointer_to(record.owner)
        if owner is None:
            owner = self.names.write(self.expand(record.start)[0], offset)
        if rdata is None:
            rdata = self.rdata(record, offset + len(owner) + _FIXED.size)
        if offset - self.base + len(owner) + _FIXED.size + len(rdata) > MAX_BODY_OCTETS:
            raise CostlyMessageError("the records do not fit one message", record.start)
        fixed = _FIXED.pack(record.rtype, record.rclass, record.ttl, len(rdata))
        self.append(owner, fixed + rdata, record.ttl, record.section)

    def append(self, owner: bytes, rest: bytes, ttl_s: int, section: int) -> None:
        """Append the parts of a record."""
        self.ttl_offsets.append(len(self.body) + len(owner) + _TTL_OFFSET)
        self.ttls.append(ttl_s)
        self.counts[section] += 1
        self.body += owner + rest

    def rdata(self, record: Record, offset: int) -> bytes:
        """Return RDATA for ``offset``, its names expanded, perhaps compressed again.

        Raises:
            BadCountError: RDLENGTH and RDATA differ.
        """
        message, layout = self.response.message, LAYOUT_OF.get(record.rtype)
        if layout is None or not record.rdlength:
            return message[record.rdata_offset : record.end]
        cursor = Cursor(message, record.rdata_offset, record.end)
        written = cursor.take(layout.lead)
        if record.rtype == _NAPTR:
            written += _take_strings(cursor, _NAPTR_STRINGS)
        for _ in range(layout.names):
            name, end = self.expand(cursor.offset)
            cursor.move_to(end)
            written += self.names.write(name, offset + len(written)) if layout.compress else name
        tail = cursor.end - cursor.offset
        if layout.tail not in (None, tail):
            raise BadCountError("RDLENGTH and RDATA disagree", cursor.offset)
        return written + cursor.take(tail)

    def expand(self, offset: int) -> tuple[bytes, int]:
        """Read a name of the response, letter case kept."""
        return self.response.expand_name(offset)


def _take_strings(cursor: Cursor, count: int) -> bytes:
    """Read character-strings, length octets and all (RFC 1035 §3.3)."""
    start = cursor.offset
    for _ in range(count):
        cursor.advance(cursor.take(1)[0])
    return cursor.message[start : cursor.offset]


def assemble(  # noqa: PLR0913 -- what may differ from asker to asker
    query: ParsedQuery,
    sections: RebuiltSections,
    rcode: int,
    *,
    age_s: int = 0,
    floor_ttl_s: int = 0,
    cap_ttl_s: int | None = None,
    set_ttl_s: int | None = None,
    ad: bool = False,
    edes: Sequence[Ede] = (),
) -> bytes:
    """Return a whole reply to ``query`` from kept sections.

    Args:
        query: for the qname that the sections were rebuilt for.
        sections: what to send.
        rcode: up to twelve bits.
        age_s: seconds since the TTLs were true; they go down to 0 and no further.
        floor_ttl_s: no TTL is sent lower than this ...
        cap_ttl_s: ... nor, which outranks it, higher than this.
        set_ttl_s: sent instead of every TTL (stale answers, RFC 8767 §5). What no
            TTL can be, this or ``cap_ttl_s``, counts as the nearest that one can.
        ad: whether the data is authentic; sent where the query had DO or AD.
        edes: sent where the query had OPT.

    Raises:
        ValueError: the qname has another length than that of the sections.
    """
    if len(query.question.wire) != sections.question_octets:
        raise ValueError("sections rebuilt for another qname")
    body = bytearray(sections.body)
    cap_s = _nearest_ttl(MAX_TTL_S if cap_ttl_s is None else cap_ttl_s)
    set_s = None if set_ttl_s is None else _nearest_ttl(set_ttl_s)
    for offset, ttl in zip(sections.ttl_offsets, sections.ttls, strict=True):
        sent = min(max(ttl - age_s, floor_ttl_s, 0), cap_s) if set_s is None else set_s
        _TTL.pack_into(body, offset, sent)
    flags = RA | (AD if ad else 0)
    counts = (sections.ancount, sections.nscount, sections.arcount)
    header = reply_header(query, rcode, flags, counts)
    return header + query.question.wire + body + reply_edns(query, rcode, edes)


def assemble_for(  # noqa: PLR0913 -- what its caller has read, and what may differ
    message: bytes,
    end: int,
    edns: bool,
    do: bool,
    sections: RebuiltSections,
    rcode: int,
    *,
    age_s: int = 0,
    cap_ttl_s: int | None = None,
    authentic: bool = False,
) -> bytes:
    """Return the result of ``assemble`` for an ordinary query, read by the caller.

    An ordinary query has one question of class IN, and beside it nothing but
    perhaps OPT of version 0.

    Args:
        message: the query as it came.
        end: where its question section ends, no further than ``message``.
        edns: whether it has OPT ...
        do: ... and whether that has DO.
        sections: what to send.
        rcode: up to twelve bits.
        age_s: seconds since the TTLs were true.
        cap_ttl_s: no TTL is sent higher than this.
        authentic: whether the data is.

    Raises:
        ValueError: the qname has another length than that of the sections.
    """
    question = Question(b"", 0, RRClass.IN, message[HEADER_OCTETS:end])
    opt = Edns(0, 0, do, 0, 0) if edns else None
    query = ParsedQuery(peek_header(message), question, opt)
    return assemble(query, sections, rcode, age_s=age_s, cap_ttl_s=cap_ttl_s, ad=authentic)


def _nearest_ttl(seconds: int) -> int:
    return max(0, min(seconds, MAX_TTL_S))
