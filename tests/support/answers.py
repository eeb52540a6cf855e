# SPDX-License-Identifier: Apache-2.0
"""Read answers: the fields that tests check."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rdatatype
import dns.rrset


def addresses(response: dns.message.Message) -> list[str]:
    """Return its IPv4 addresses."""
    return [
        rdata.address
        for rrset in response.answer
        if rrset.rdtype == dns.rdatatype.A
        for rdata in rrset
    ]


def edes(response: dns.message.Message) -> list[int]:
    """Return the codes of its extended errors (RFC 8914)."""
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


def ttls(response: dns.message.Message) -> list[int]:
    """Return the TTLs of its answer and of what denies one."""
    return [rrset.ttl for rrset in (*response.answer, *response.authority)]


def an_answer(query: dns.message.Message, *records: str) -> dns.message.Message:
    """Return a response with records as a zone file writes them, or an unassigned address."""
    response = dns.message.make_response(query)
    name = query.question[0].name.to_text()
    for line in records or (f"{name} 300 IN A 198.18.0.66",):
        owner, ttl, rclass, rtype, data = line.split(None, 4)
        response.answer.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, data))
    return response
