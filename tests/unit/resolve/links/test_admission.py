# SPDX-License-Identifier: Apache-2.0
"""What may be asked at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.resolve.links.admission import NOT_SUPPORTED, Admission
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
