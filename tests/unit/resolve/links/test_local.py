# SPDX-License-Identifier: Apache-2.0
"""Names that never leave the school."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING
from unittest import mock

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve import special_use
from filterd.resolve.links.local import (
    LOCAL_ZONE,
    NOT_SUPPORTED,
    Admission,
    AnyType,
    Local,
    answer_locally,
)
from filterd.resolve.query import Answer, Source
from filterd.resolve.site import Site
from filterd.resolve.special_use import SpecialReason
from filterd.wire import EdeCode, Rcode, RRType
from filterd.wire import name as names
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.policies import wire
from tests.support.serving import GRADE_1, a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index


REFUSED_TYPE = Answer(Source.REFUSED, edes=(NOT_SUPPORTED,))


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR", "OPT", "TKEY", "TSIG", "MAILB", "MAILA"])
def test_transfers_and_meta_types_are_refused(index: Index, qtype: str) -> None:
    assert answer_of(Admission(), a_chain_query(a_site(index), qtype=qtype)) == REFUSED_TYPE


@pytest.mark.parametrize("qclass", ["CH", "HS", "ANY", "NONE", "CLASS65535"])
def test_other_classes_are_refused(index: Index, qclass: str) -> None:
    assert answer_of(Admission(), a_chain_query(a_site(index), qclass=qclass)) == REFUSED_TYPE


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
    refused = answer_of(Local(), a_chain_query(site, name, rd=False))
    assert (refused.source, [ede.code for ede in refused.edes]) == (
        Source.REFUSED,
        [EdeCode.NOT_AUTHORITATIVE],
    )


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


PRINTER = ZoneRecord(wire("may-in.truong.home.arpa"), RRType.A, 600, bytes((192, 168, 10, 20)))
HOME = LocalZone(wire("truong.home.arpa"), (PRINTER,))
DIRECTORY = DelegatedZone(wire("ad.local"), (UpstreamServer("127.0.8.8"),))

NOTHING, NO = Rcode.NOERROR, Rcode.NXDOMAIN


@pytest.fixture
def home_site(index: Index) -> Site:
    return a_site(index, local_zones=[HOME], delegated_zones=[DIRECTORY])


@pytest.mark.parametrize(
    ("name", "qtype", "reason", "rcode", "records"),
    [
        ("may-in.truong.home.arpa", RRType.A, LOCAL_ZONE, NOTHING, 1),
        ("may-in.truong.home.arpa", RRType.AAAA, LOCAL_ZONE, NOTHING, 0),
        ("khong-co.truong.home.arpa", RRType.ANY, LOCAL_ZONE, NO, 0),
        ("localhost", RRType.A, SpecialReason.LOCALHOST, NOTHING, 1),
        ("localhost", RRType.TXT, SpecialReason.LOCALHOST, NOTHING, 0),
        ("may-in", RRType.A, SpecialReason.SINGLE_LABEL, NO, 0),
        ("mask.icloud.com", RRType.HTTPS, SpecialReason.CANARY, NO, 0),
        ("_dns.resolver.arpa", RRType.SVCB, SpecialReason.ENCRYPTED_DNS_DISCOVERY, NOTHING, 0),
    ],
)
def test_the_site_answers_what_it_knows(
    home_site: Site, name: str, qtype: int, reason: str, rcode: Rcode, records: int
) -> None:
    answer = answer_locally(home_site, wire(name), qtype)
    assert answer is not None
    assert (answer.reason, answer.rcode, len(answer.records)) == (reason, rcode, records)


def test_a_local_zone_denies_nothing_that_lies_beneath_its_names(index: Index) -> None:
    """RFC 8020: an NXDOMAIN would deny the zone that the site delegates, or that of leases."""
    inner = DelegatedZone(wire("ad.noi-bo.truong.home.arpa"), DIRECTORY.servers)
    site = a_site(index, local_zones=[HOME], delegated_zones=[inner])
    leased = replace(site.policy, lease_zone=wire("lan.tang-1.truong.home.arpa"))
    site = Site.of(leased, index, site.route.servers)
    for name, rcode in [("noi-bo", NOTHING), ("tang-1", NOTHING), ("tang-2", NO)]:
        answer = answer_locally(site, wire(f"{name}.truong.home.arpa"), RRType.A)
        assert answer is not None
        assert (answer.rcode, answer.records) == (rcode, ())


SPECIAL = (*special_use.SUBTREES, HOME.name, DIRECTORY.name, wire("lan.example"), names.ROOT)
ENDS = st.sampled_from(sorted({*SPECIAL, *(name[name[0] + 1 :] or names.ROOT for name in SPECIAL)}))
LABELS = st.sampled_from([b"wpad", b"isatap", b"_dns", b"www", b"local", b"10", b"\x05local"])


@given(ENDS, st.lists(LABELS, max_size=3), st.sampled_from([RRType.A, RRType.DS, RRType.ANY]))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_a_look_at_a_name_s_end_spares_work_and_changes_no_answer(
    home_site: Site, index: Index, end: bytes, labels: list[bytes], qtype: int
) -> None:
    qname = names.from_labels((*labels, *names.labels(end)))
    leased = replace(home_site.policy, top_level=(wire("com"),), lease_zone=wire("lan.example"))
    knowing = Site.of(leased, index, home_site.route.servers)
    seen = answer_locally(knowing, qname, qtype)
    with mock.patch.object(Site, "may_know", return_value=True):
        assert answer_locally(knowing, qname, qtype) == seen


@pytest.mark.parametrize(
    ("name", "qtype"),
    [
        ("www.example.com", RRType.A),
        ("dc1.ad.local", RRType.A),  # delegated: its own servers know
        ("may-in.truong.home.arpa", RRType.ANY),  # answered for all names alike, further down
    ],
)
def test_what_the_site_does_not_know_is_passed_on(home_site: Site, name: str, qtype: int) -> None:
    assert answer_locally(home_site, wire(name), qtype) is None


def test_each_server_of_a_delegated_zone_is_not_asked_what_it_asks(index: Index) -> None:
    servers = (UpstreamServer("127.0.8.7"), UpstreamServer(CONTROLLER))
    site = a_site(index, delegated_zones=[DelegatedZone(wire("ad.local"), servers)])
    for server in servers:
        query = a_chain_query(site, "dc.ad.local", address=server.address)
        assert answer_of(Local(), query).source is Source.REFUSED


def test_the_loopback_has_its_address_of_either_kind(site: Site) -> None:
    for qtype, address in (("A", "127.0.0.1"), ("AAAA", "::1")):
        (record,) = answer_of(Local(), a_chain_query(site, "localhost", qtype)).records
        assert str(ip_address(record.rdata)) == address
