# SPDX-License-Identifier: Apache-2.0
"""What the site answers itself, for the chain and for people alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve.local_data import LOCAL_ZONE, answer_locally
from filterd.resolve.site import Site
from filterd.resolve.special_use import SpecialReason
from filterd.wire import Rcode, RRType
from tests.support.policies import wire
from tests.support.serving import a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index

PRINTER = ZoneRecord(wire("may-in.truong.home.arpa"), RRType.A, 600, bytes((192, 168, 10, 20)))
ZONE = LocalZone(wire("truong.home.arpa"), (PRINTER,))
DOMAIN = DelegatedZone(wire("ad.local"), (UpstreamServer("127.0.8.8"),))

NOTHING, NO = Rcode.NOERROR, Rcode.NXDOMAIN


@pytest.fixture
def site(index: Index) -> Site:
    return a_site(index, local_zones=[ZONE], delegated_zones=[DOMAIN])


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
    site: Site, name: str, qtype: int, reason: str, rcode: Rcode, records: int
) -> None:
    answer = answer_locally(site, wire(name), qtype)
    assert answer is not None
    assert (answer.reason, answer.rcode, len(answer.records)) == (reason, rcode, records)


def test_a_local_zone_denies_nothing_that_lies_beneath_its_names(index: Index) -> None:
    """RFC 8020: an NXDOMAIN would deny the zone that the site delegates, or that of leases."""
    inner = DelegatedZone(wire("ad.noi-bo.truong.home.arpa"), DOMAIN.servers)
    site = a_site(index, local_zones=[ZONE], delegated_zones=[inner])
    leased = replace(site.policy, lease_zone=wire("lan.tang-1.truong.home.arpa"))
    site = Site.of(leased, index, site.route.servers)
    for name, rcode in [("noi-bo", NOTHING), ("tang-1", NOTHING), ("tang-2", NO)]:
        answer = answer_locally(site, wire(f"{name}.truong.home.arpa"), RRType.A)
        assert answer is not None
        assert (answer.rcode, answer.records) == (rcode, ())


@pytest.mark.parametrize(
    ("name", "qtype"),
    [
        ("www.example.com", RRType.A),
        ("dc1.ad.local", RRType.A),  # delegated: its own servers know
        ("may-in.truong.home.arpa", RRType.ANY),  # answered for all names alike, further down
    ],
)
def test_what_the_site_does_not_know_is_passed_on(site: Site, name: str, qtype: int) -> None:
    assert answer_locally(site, wire(name), qtype) is None
