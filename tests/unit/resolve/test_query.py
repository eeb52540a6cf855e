# SPDX-License-Identifier: Apache-2.0
"""What a query carries down the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists.pins import Pin
from filterd.policy.client import Client
from filterd.policy.model import DelegatedZone, Tls, UpstreamServer
from filterd.policy.verdict import PASSED
from filterd.resolve.query import Answer, Query, Source
from filterd.upstream import UpstreamQuestion
from filterd.wire import Ede, Question, RRType
from tests.support.chain import a_chain_query
from tests.support.policies import wire
from tests.support.serving import a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.resolve.site import Site

CONTROLLER = UpstreamServer("127.0.8.8")


@pytest.fixture
def site(index: Index) -> Site:
    return a_site(index, delegated_zones=[DelegatedZone(wire("ad.local"), (CONTROLLER,))])


def test_a_query_tells_name_and_type_as_they_are_decided_on(site: Site) -> None:
    query = a_chain_query(site, "WWW.Example.COM", "AAAA")
    assert (query.qname, query.qtype) == (wire("www.example.com"), RRType.AAAA)


def test_equal_questions_have_one_key_whatever_their_letter_case(site: Site) -> None:
    one, other = (a_chain_query(site, name) for name in ("EXAMPLE.com", "example.com"))
    assert one.upstream_key == other.upstream_key


@pytest.mark.parametrize(("do", "cd"), [(True, False), (False, True), (True, True)])
def test_dnssec_bits_make_another_question(site: Site, do: bool, cd: bool) -> None:
    question, _ = a_chain_query(site, "example.com", do=do, cd=cd).upstream_key
    assert question == UpstreamQuestion(wire("example.com"), RRType.A, do, cd)


def test_a_delegated_name_is_asked_of_the_servers_of_its_zone(site: Site) -> None:
    assert a_chain_query(site, "dc1.ad.local").upstream_key[1].servers == (CONTROLLER,)
    assert a_chain_query(site, "example.com").upstream_key[1] == site.route


def test_what_is_asked_in_clear_while_the_clock_is_unknown_has_another_key(index: Index) -> None:
    strict = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example")
    site = a_site(index, [strict], pins=[Pin(wire("time.example"), reason="time")])
    query = a_chain_query(site, "time.example")
    in_1970 = Query(query.message, query.peer, query.client, site, asked_at=0.0)
    assert in_1970.upstream_key[1].servers == (UpstreamServer("192.0.2.1"),)
    assert query.upstream_key[1] == site.route


def test_another_question_of_the_same_client_has_its_own_key(site: Site) -> None:
    query = a_chain_query(site, "example.com")
    asked = query.upstream_key
    twin = query.about(Question.of(wire("dc1.ad.local"), RRType.AAAA))
    assert (twin.qname, twin.qtype, twin.client) == (
        wire("dc1.ad.local"),
        RRType.AAAA,
        query.client,
    )
    assert twin.upstream_key[1].servers == (CONTROLLER,)
    assert query.upstream_key == asked


def test_a_readmitted_query_is_no_longer_rewritten(site: Site) -> None:
    query = a_chain_query(site, "example.com").rewritten(wire("safe.example"))
    other = Client(site.policy.grades["9"])
    again = query.readmitted(other, site)
    assert (again.client, again.rewritten_to, again.message) == (other, None, query.message)


def test_a_verdict_is_put_on_an_answer_and_changes_nothing_else() -> None:
    answer = Answer(Source.STALE, None, None, 7, 3, (), (Ede(1),), True, None)
    assert answer.judged(PASSED) == answer._replace(verdict=PASSED)


def test_when_upstreams_were_asked_first_is_handed_on(site: Site) -> None:
    first = a_chain_query(site, "example.com")
    again = first.since(1_000.0)
    assert again.rewritten(wire("safe.example")).began_at == 1_000.0
    assert again.readmitted(first.client, site).since(1_002.0).began_at == 1_000.0
