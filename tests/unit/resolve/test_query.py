# SPDX-License-Identifier: Apache-2.0
"""What a query carries down the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists.guards import Pin
from filterd.policy.model import DelegatedZone, Tls, UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.wire import RRType
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
    assert query._replace(asked_at=0.0).upstream_key[1].servers == (UpstreamServer("192.0.2.1"),)
    assert query.upstream_key[1] == site.route
