# SPDX-License-Identifier: Apache-2.0
"""Admission of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from filterd.resolve.links.admission import NOT_SUPPORTED, Admission, AnyType
from filterd.resolve.query import Answer, Source
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.serving import a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index

REFUSED = Answer(Source.REFUSED, edes=(NOT_SUPPORTED,))


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR", "OPT", "TKEY", "TSIG", "MAILB", "MAILA"])
def test_transfers_and_meta_types_are_refused(index: Index, qtype: str) -> None:
    assert answer_of(Admission(), a_chain_query(a_site(index), qtype=qtype)) == REFUSED


@pytest.mark.parametrize("qclass", ["CH", "HS", "ANY", "NONE", "CLASS65535"])
def test_other_classes_are_refused(index: Index, qclass: str) -> None:
    assert answer_of(Admission(), a_chain_query(a_site(index), qclass=qclass)) == REFUSED


@pytest.mark.parametrize("qtype", ["A", "AAAA", "HTTPS", "ANY", "NULL", "TYPE65280", "DS"])
def test_all_other_types_may_be_asked(index: Index, qtype: str) -> None:
    assert answer_of(Admission(), a_chain_query(a_site(index), qtype=qtype)) is FORWARDED


def test_any_gets_one_hinfo(index: Index) -> None:
    answer = answer_of(AnyType(), a_chain_query(a_site(index), qtype="ANY"))
    (record,) = answer.records
    rdata = dns.rdata.from_wire(
        dns.rdataclass.IN, dns.rdatatype.HINFO, record.rdata, 0, len(record.rdata)
    )
    assert (answer.source, rdata.to_text()) == (Source.LOCAL, '"RFC8482" ""')


def test_other_types_go_on(index: Index) -> None:
    assert answer_of(AnyType(), a_chain_query(a_site(index))) is FORWARDED
