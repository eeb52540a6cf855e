# SPDX-License-Identifier: Apache-2.0
"""Questions for ANY (RFC 8482)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from filterd.resolve.links.any_type import AnyType
from filterd.resolve.query import Source
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.serving import a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index


def test_any_gets_one_hinfo(index: Index) -> None:
    answer = answer_of(AnyType(), a_chain_query(a_site(index), qtype="ANY"))
    (record,) = answer.records
    rdata = dns.rdata.from_wire(
        dns.rdataclass.IN, dns.rdatatype.HINFO, record.rdata, 0, len(record.rdata)
    )
    assert (answer.source, rdata.to_text()) == (Source.LOCAL, '"RFC8482" ""')


def test_other_types_go_on(index: Index) -> None:
    assert answer_of(AnyType(), a_chain_query(a_site(index))) is FORWARDED
