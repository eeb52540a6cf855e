# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Sending what was kept, in C: the same octets as ``rebuild.assemble``, which explains them.

Memory safety. A reply is made as long as its parts are, and each part is copied
once; TTLs must lie within the body. The question of ``assembled_for`` is read
within the octets that its caller vouches for.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset

from filterd.wire._octets cimport put_four, put_two, two_octets

from filterd.wire import rebuild as reference
from filterd.wire.compose import reply_edns
from filterd.wire.edns import UDP_SIZE as _UDP_SIZE

cdef enum:
    QR = 0x8000
    RD = 0x0100
    RA = 0x0080
    AD = 0x0020
    CD = 0x0010
    DO = 0x8000
    OPCODE_MASK = 0x7800
    RCODE_MASK = 0x000F
    SERVFAIL = 2
    OPT = 41
    OPT_OCTETS = 11
    HEADER_OCTETS = 12

cdef uint32_t udp_size = _UDP_SIZE
cdef int64_t max_ttl_s = reference.MAX_TTL_S

cdef struct Asked:
    # What of a query its reply depends on.
    uint32_t message_id
    uint32_t flags
    bint edns
    bint do
    const uint8_t* question
    int64_t question_octets

cdef struct Ageing:
    # What becomes of TTLs: lower by ``age_s`` within the bounds, or all ``fixed_s`` unless it is -1.
    int64_t age_s
    int64_t floor_s
    int64_t cap_s
    int64_t fixed_s


def assemble(
    query,
    sections,
    int rcode,
    *,
    int64_t age_s=0,
    int64_t floor_ttl_s=0,
    cap_ttl_s=None,
    set_ttl_s=None,
    bint ad=False,
    edes=(),
):
    """Return a whole reply from kept sections; see ``filterd.wire.rebuild.assemble``."""
    cdef bytes question
    cdef Asked asked
    cdef Ageing ageing
    header, (_, _, _, question), edns, _ = query
    asked.message_id, asked.flags = header[0], header[1]
    asked.edns, asked.do = edns is not None, edns is not None and edns[2]
    asked.question = <const uint8_t*>PyBytes_AS_STRING(question)
    asked.question_octets = PyBytes_GET_SIZE(question)
    ageing = Ageing(age_s, floor_ttl_s, ttl_of(cap_ttl_s, max_ttl_s), ttl_of(set_ttl_s, -1))
    return reply_of(
        &asked, sections, rcode, ad, &ageing, reply_edns(query, rcode, edes) if edes else None
    )


def assemble_for(
    bytes message not None,
    uint32_t end,
    bint edns,
    bint do,
    sections,
    int rcode,
    *,
    int64_t age_s=0,
    cap_ttl_s=None,
    bint authentic=False,
):
    """Return a whole reply to an ordinary query; see ``filterd.wire.rebuild.assemble_for``."""
    if end > PyBytes_GET_SIZE(message):
        raise ValueError("a question behind the end of its message")
    return assembled_for(
        <const uint8_t*>PyBytes_AS_STRING(message),
        end,
        edns,
        do,
        sections,
        rcode,
        age_s,
        ttl_of(cap_ttl_s, max_ttl_s),
        authentic,
    )


cdef bytes assembled_for(
    const uint8_t* query,
    uint32_t end,
    bint edns,
    bint do,
    object sections,
    int rcode,
    int64_t age_s,
    int64_t cap_ttl_s,
    bint authentic,
):
    """Return a whole reply to an ordinary query of which the first ``end`` octets are there."""
    cdef Asked asked
    cdef Ageing ageing
    if end < HEADER_OCTETS:
        raise ValueError("a question within the header")
    asked = Asked(
        two_octets(query),
        two_octets(query + 2),
        edns,
        edns and do,
        query + HEADER_OCTETS,
        end - HEADER_OCTETS,
    )
    ageing = Ageing(age_s, 0, max(0, min(cap_ttl_s, max_ttl_s)), -1)
    return reply_of(&asked, sections, rcode, authentic, &ageing, None)


cdef int64_t ttl_of(object seconds, int64_t otherwise) except -2:
    """Return the TTL that is nearest to a number of any size."""
    return otherwise if seconds is None else max(0, min(seconds, max_ttl_s))


cdef bytes reply_of(
    const Asked* asked, object sections, int rcode, bint ad, const Ageing* ageing, bytes edns
):
    """Put a reply together; ``edns`` is its OPT record if that has options."""
    cdef bytes body, reply
    cdef tuple offsets, ttls
    cdef Py_ssize_t size, octets = 0
    cdef uint8_t* at
    body, ancount, nscount, arcount, offsets, ttls, question_octets = sections
    if asked.question_octets != question_octets:
        raise ValueError("sections rebuilt for another qname")
    size = PyBytes_GET_SIZE(body)
    if asked.edns:
        octets = OPT_OCTETS if edns is None else PyBytes_GET_SIZE(edns)
    reply = PyBytes_FromStringAndSize(NULL, HEADER_OCTETS + asked.question_octets + size + octets)
    at = <uint8_t*>PyBytes_AS_STRING(reply)
    put_two(at, asked.message_id)
    put_two(at + 2, reply_flags(asked, rcode, ad))
    put_two(at + 4, 1)
    put_two(at + 6, ancount)
    put_two(at + 8, nscount)
    put_two(at + 10, arcount + asked.edns)
    at += HEADER_OCTETS
    memcpy(at, asked.question, asked.question_octets)
    at += asked.question_octets
    memcpy(at, PyBytes_AS_STRING(body), size)
    put_ttls(at, size, offsets, ttls, ageing)
    if asked.edns and edns is None:
        put_opt(at + size, asked.do, rcode)
    elif asked.edns:
        memcpy(at + size, PyBytes_AS_STRING(edns), octets)
    return reply


cdef int put_ttls(
    uint8_t* body, Py_ssize_t size, tuple offsets, tuple ttls, const Ageing* ageing
) except -1:
    """Write what is sent as TTLs over those that came."""
    cdef Py_ssize_t number, offset
    cdef int64_t ttl
    if len(offsets) != len(ttls):
        raise ValueError("as many TTLs as places for them")
    for number in range(len(offsets)):
        offset, ttl = offsets[number], ttls[number]
        if offset < 0 or offset > size - 4:
            raise ValueError("a TTL outside the body")
        ttl = min(max(ttl - ageing.age_s, ageing.floor_s, 0), ageing.cap_s)
        put_four(body + offset, <uint32_t>(ttl if ageing.fixed_s < 0 else ageing.fixed_s))
    return 0


cdef void put_opt(uint8_t* opt, bint do, int rcode) noexcept nogil:
    """Write OPT without options, as ``compose.reply_edns`` makes it."""
    memset(opt, 0, OPT_OCTETS)
    opt[2] = OPT
    put_two(opt + 3, udp_size)
    opt[5] = <uint8_t>(rcode >> 4)
    put_two(opt + 7, DO if do else 0)


cdef uint32_t reply_flags(const Asked* asked, int rcode, bint ad) noexcept nogil:
    """Return the flags of a reply and the lower bits of its code; see ``compose.reply_header``."""
    if rcode > RCODE_MASK and not asked.edns:
        rcode = SERVFAIL
    if not (asked.flags & AD or asked.do):
        ad = False
    return (
        QR
        | RA
        | (AD if ad else 0)
        | asked.flags & (OPCODE_MASK | RD | CD)
        | <uint32_t>rcode & RCODE_MASK
    )
