# SPDX-License-Identifier: Apache-2.0
"""The safe host answers, and the reply shows that it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.resolve.links.rewrite import ALIAS_TTL_S, Rewrite
from filterd.resolve.query import Answer, Query, Source
from filterd.upstream.resolution import resolution_of
from filterd.wire import EdeCode, assemble, parse_response
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.policies import wire
from tests.support.serving import a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from filterd.lists.index import Index

NAME, TWIN = "www.example.com", "safe.example.com"


def a_rewritten_query(index: Index, qtype: str) -> Query:
    return a_chain_query(a_site(index), NAME, qtype).rewritten(wire(TWIN))


async def twin(query: Query) -> Answer:
    """Answer for the twin from a cache, a hundred seconds old."""
    assert query.qname == wire(TWIN)
    assert query.rewritten_to is None
    response = a_response(a_query(TWIN), f"{TWIN} 300 A 192.0.2.1")
    resolution = resolution_of(parse_response(response), query.upstream_question)
    return Answer(Source.CACHED, resolution=resolution._replace(authentic=True), age_s=100)


def test_the_twin_s_addresses_stand_behind_an_alias(index: Index) -> None:
    query = a_rewritten_query(index, "A")
    answer = answer_of(Rewrite(), query, twin)
    resolution = answer.resolution
    assert resolution is not None
    assert (answer.source, answer.age_s, resolution.authentic) == (Source.CACHED, 100, False)
    assert resolution.targets == (wire(TWIN),), "an alias leads to it, so policy judges it"
    assert [ede.code for ede in resolution.edes] == [EdeCode.FORGED_ANSWER]
    sent = assemble(query.message, resolution.sections, 0, age_s=answer.age_s)
    assert [rrset.to_text() for rrset in dns.message.from_wire(sent).answer] == [
        f"{NAME}. {ALIAS_TTL_S} IN CNAME {TWIN}.",
        f"{TWIN}. 200 IN A 192.0.2.1",
    ]


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
def test_a_service_binding_is_no_data(index: Index, qtype: str) -> None:
    answer = answer_of(Rewrite(), a_rewritten_query(index, qtype), twin)
    assert answer.source is Source.REWRITTEN
    assert [ede.code for ede in answer.edes] == [EdeCode.FORGED_ANSWER]


def test_where_the_twin_cannot_be_had_nothing_is(index: Index) -> None:
    assert answer_of(Rewrite(), a_rewritten_query(index, "A")) is FORWARDED


def test_who_has_no_twin_is_asked_for(index: Index) -> None:
    async def itself(query: Query) -> Answer:
        assert query.qname == wire(NAME)
        return FORWARDED

    assert answer_of(Rewrite(), a_chain_query(a_site(index), NAME), itself) is FORWARDED
