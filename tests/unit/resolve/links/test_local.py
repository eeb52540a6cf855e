# SPDX-License-Identifier: Apache-2.0
"""Names that never leave the school."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve.links.local import Local
from filterd.resolve.query import Source
from filterd.wire import Rcode, RRType
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.policies import wire
from tests.support.serving import GRADE_1, a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.resolve.site import Site

ZONE = LocalZone(
    wire("truong.home.arpa"),
    (
        ZoneRecord(wire("may-in.truong.home.arpa"), RRType.A, 600, bytes((192, 168, 10, 20))),
        ZoneRecord(wire("in.truong.home.arpa"), RRType.CNAME, 600, wire("may-in.truong.home.arpa")),
    ),
)
CONTROLLER = "127.0.8.8"
DOMAIN = DelegatedZone(wire("ad.local"), (UpstreamServer(CONTROLLER),))

ANSWERED = [
    ("may-in.truong.home.arpa", "A", Rcode.NOERROR, 1),
    ("in.truong.home.arpa", "A", Rcode.NOERROR, 2),
    ("may-in.truong.home.arpa", "AAAA", Rcode.NOERROR, 0),
    ("khong-co.truong.home.arpa", "A", Rcode.NXDOMAIN, 0),
    ("localhost", "A", Rcode.NOERROR, 1),
    ("a.localhost", "AAAA", Rcode.NOERROR, 1),
    ("localhost", "TXT", Rcode.NOERROR, 0),
    ("x.onion", "A", Rcode.NXDOMAIN, 0),
    ("may-in", "A", Rcode.NXDOMAIN, 0),
    ("use-application-dns.net", "A", Rcode.NXDOMAIN, 0),
    ("_dns.resolver.arpa", "SVCB", Rcode.NOERROR, 0),
    ("1.1.168.192.in-addr.arpa", "PTR", Rcode.NXDOMAIN, 0),
]


@pytest.fixture
def site(index: Index) -> Site:
    return a_site(index, local_zones=[ZONE], delegated_zones=[DOMAIN])


@pytest.mark.parametrize("rd", [True, False])
@pytest.mark.parametrize(("name", "qtype", "rcode", "records"), ANSWERED)
def test_what_the_site_knows_is_answered_here(
    site: Site, name: str, qtype: str, rcode: Rcode, records: int, rd: bool
) -> None:
    answer = answer_of(Local(), a_chain_query(site, name, qtype, rd=rd))
    assert (answer.source, answer.rcode, len(answer.records)) == (Source.LOCAL, rcode, records)


@pytest.mark.parametrize("name", ["www.example.com", "ipv4only.arpa", "dc.ad.local"])
def test_what_has_to_be_asked_goes_on_only_with_recursion_desired(site: Site, name: str) -> None:
    assert answer_of(Local(), a_chain_query(site, name)) is FORWARDED
    assert answer_of(Local(), a_chain_query(site, name, rd=False)).source == Source.REFUSED


@pytest.mark.parametrize(
    ("address", "source"), [(CONTROLLER, Source.REFUSED), (GRADE_1, FORWARDED.source)]
)
def test_a_zones_own_server_is_not_asked_what_it_asks(
    site: Site, address: str, source: Source
) -> None:
    answer = answer_of(Local(), a_chain_query(site, "dc.ad.local", address=address))
    assert answer.source == source


def test_a_zones_server_may_ask_for_other_names(site: Site) -> None:
    assert answer_of(Local(), a_chain_query(site, address=CONTROLLER)) is FORWARDED
