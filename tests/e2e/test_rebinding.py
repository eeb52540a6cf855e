# SPDX-License-Identifier: Apache-2.0
"""No public name leads into the school's network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve.links.redaction import Rebinding
from filterd.resolve.site import Site
from tests.support.policies import wire
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from filterd.lists.index import Index


PRIVATE = {
    "A": [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.168.1.1",
        "224.0.0.251",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
    ],
    "AAAA": [
        "::",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:192.168.1.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "2002:a00:1::1",
        "2001:0:808:808::3f57:fefe",
        "2001:0:a00:1::f7f7:f7f7",
        "fec0::1",
        "ff02::fb",
        "2001:db8::1",
        "3fff::1",
        "64:ff9b::192.0.2.1",
    ],
    "HTTPS": [
        "1 . ipv4hint=10.0.0.1",
        "1 . alpn=h2 ipv4hint=198.18.0.1,127.0.0.1",
        "1 . ipv6hint=fd00::1",
        "1 . ipv6hint=::ffff:10.0.0.1",
        "1 . ipv4hint=255.255.255.255",
        "1 . ipv6hint=2002:c0a8:101::1",
        "1 . ipv6hint=2001:2::1,fec0::1",
        "1 . ipv4hint=198.18.0.1,203.0.113.1",
    ],
    "SVCB": ["1 . ipv4hint=192.168.1.1 ipv6hint=2001:2::1"],
}
CASES = [(rtype, data) for rtype, several in PRIVATE.items() for data in several]

PUBLIC = [
    ("A", "198.18.0.1"),
    ("AAAA", "2001:2::1"),
    ("AAAA", "64:ff9b::198.18.0.1"),
    ("AAAA", "2002:808:808::1"),
    ("AAAA", "2001:0:808:808::f7f7:f7f7"),
    ("AAAA", "::ffff:0:198.18.0.1"),
    ("HTTPS", "1 . ipv4hint=198.18.0.1 ipv6hint=2001:2::1"),
    ("TXT", '"10.0.0.1"'),
]


def a_site_that_lets(index: Index, upstream: FakeUpstream, *names: str) -> Site:
    site = a_site(index, [upstream])
    policy = replace(site.policy, private_answers=tuple(map(wire, names)))
    return Site.of(policy, index, site.route.servers)


def codes(response: dns.message.Message) -> list[int]:
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


@pytest.mark.parametrize(("rtype", "data"), CASES)
def test_a_private_answer_is_no_data_cold_and_warm(
    serving: Serving, upstream: FakeUpstream, rtype: str, data: str
) -> None:
    upstream.add(f"evil.example.com. 300 IN {rtype} {data}")
    for _ in range(2):
        response = serving.ask("evil.example.com", rtype)
        assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
        (soa,) = response.authority
        assert (soa.rdtype, soa.ttl) == (dns.rdatatype.SOA, 10)
        assert codes(response) == [15]
        assert not response.flags & (dns.flags.AA | dns.flags.AD)
    assert len(upstream.asked) == 1


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the safeguard away before a chain is built: its links are looked up once."""
    monkeypatch.setattr(Rebinding, "__call__", lambda _, query, proceed: proceed(query))


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize(("rtype", "data"), CASES)
def test_control_without_the_safeguard_it_would_reach_the_client(
    serving: Serving, upstream: FakeUpstream, rtype: str, data: str
) -> None:
    upstream.add(f"evil.example.com. 300 IN {rtype} {data}")
    assert len(serving.ask("evil.example.com", rtype).answer) == 1


@pytest.mark.parametrize(("rtype", "data"), PUBLIC)
def test_an_answer_of_the_internet_passes(
    serving: Serving, upstream: FakeUpstream, rtype: str, data: str
) -> None:
    upstream.add(f"good.example.com. 300 IN {rtype} {data}")
    response = serving.ask("good.example.com", rtype)
    assert (len(response.answer), codes(response)) == (1, [])


def test_of_a_mixed_answer_the_public_addresses_are_left(
    serving: Serving, upstream: FakeUpstream
) -> None:
    for address in ("198.18.0.1", "10.0.0.1", "198.18.0.2"):
        upstream.add(f"mixed.example.com. 300 IN A {address}")
    for _ in range(2):
        response = serving.ask("mixed.example.com")
        found = sorted(rdata.to_text() for rrset in response.answer for rdata in rrset)
        assert found == ["198.18.0.1", "198.18.0.2"]
        assert codes(response) == [15]


@pytest.mark.parametrize("source", [GRADE_1, GRADE_11, STAFF])
def test_no_answer_leads_to_a_private_address(
    serving: Serving, upstream: FakeUpstream, source: str
) -> None:
    upstream.add("evil.example.com. 300 IN A 192.168.1.1")
    assert serving.ask("evil.example.com", source=source).answer == []


def test_a_long_chain_does_not_hide_it(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.add(
        "evil.example.com. 300 IN CNAME n0.example.net.",
        *(f"n{n}.example.net. 300 IN CNAME n{n + 1}.example.net." for n in range(8)),
        "n8.example.net. 300 IN A 127.0.0.1",
    )
    for _ in range(2):
        assert serving.ask("evil.example.com").answer == []


def test_the_client_without_opt_gets_no_extended_error(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("evil.example.com. 300 IN A 10.0.0.1")
    response = serving.ask("evil.example.com", edns=False)
    assert (response.answer, response.edns) == ([], -1)


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("nas.school.example.com", True),
        ("school.example.com", True),
        ("NAS.School.example.com", True),
        ("preschool.example.com", False),
        ("example.com", False),
    ],
)
def test_names_that_the_site_lets_lead_home(
    index: Index, upstream: FakeUpstream, name: str, passes: bool
) -> None:
    upstream.add(f"{name}. 300 IN A 192.168.1.1")
    with Serving(a_site_that_lets(index, upstream, "school.example.com")) as serving:
        assert bool(serving.ask(name).answer) is passes


def test_a_strange_name_does_not_borrow_that_right(index: Index, upstream: FakeUpstream) -> None:
    upstream.add(
        "evil.example.org. 300 IN CNAME nas.school.example.com.",
        "nas.school.example.com. 300 IN A 192.168.1.1",
    )
    with Serving(a_site_that_lets(index, upstream, "school.example.com")) as serving:
        assert serving.ask("nas.school.example.com").answer
        assert serving.ask("evil.example.org").answer == []


def test_the_right_ends_with_the_site_that_gave_it(index: Index, upstream: FakeUpstream) -> None:
    upstream.add("nas.school.example.com. 300 IN A 192.168.1.1")
    with Serving(a_site_that_lets(index, upstream, "school.example.com")) as serving:
        assert serving.ask("nas.school.example.com").answer
        serving.sites.current = a_site(index, [upstream])
        assert serving.ask("nas.school.example.com").answer == []
    assert len(upstream.asked) == 1


def test_zones_of_the_school_lead_home_by_nature(index: Index, upstream: FakeUpstream) -> None:
    printer = ZoneRecord(wire("printer.school.lan"), 1, 300, bytes((192, 168, 1, 20)))
    with FakeUpstream() as controller:
        controller.add("dc.ad.example.com. 300 IN A 192.168.1.2")
        server = UpstreamServer("127.0.0.1", controller.port)
        site = a_site(
            index,
            [upstream],
            local_zones=[LocalZone(wire("school.lan"), (printer,))],
            delegated_zones=[DelegatedZone(wire("ad.example.com"), (server,))],
        )
        with Serving(site) as serving:
            assert serving.ask("printer.school.lan").answer
            assert serving.ask("dc.ad.example.com").answer


@pytest.mark.parametrize(("rtype", "sinkhole"), [("A", "0.0.0.0"), ("AAAA", "::")])
def test_a_sinkhole_of_the_upstream_is_a_block_and_harms_no_other_name(
    serving: Serving, upstream: FakeUpstream, rtype: str, sinkhole: str
) -> None:
    serving.ask("www.example.com", rtype)
    upstream.add(f"bad.example.com. 300 IN {rtype} {sinkhole}")
    for number in range(20):
        upstream.add(f"bad{number}.example.com. 300 IN {rtype} {sinkhole}")
        assert serving.ask(f"bad{number}.example.com", rtype).answer == []
    asked = len(upstream.asked)
    assert serving.ask("www.example.com", rtype).answer
    assert len(upstream.asked) == asked, "what others were told is kept"


def test_the_address_of_a_name_for_nat64_passes(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.add("ipv4only.arpa. 300 IN A 192.0.0.170", "ipv4only.arpa. 300 IN A 192.0.0.171")
    assert len(serving.ask("ipv4only.arpa").answer[0]) == 2


HOME = [
    ("CNAME", "printer.school.lan."),
    ("CNAME", "none.school.lan."),
    ("CNAME", "dc.ad.thpt.edu.vn."),
    ("CNAME", "laptop.leased.lan."),
    ("CNAME", "localhost."),
    ("CNAME", "www.localhost."),
    ("CNAME", "printer.local."),
    ("CNAME", "nas.home.arpa."),
    ("CNAME", "nas.internal."),
    ("CNAME", "printer."),
    ("CNAME", "1.1.168.192.in-addr.arpa."),
    ("HTTPS", "0 printer.school.lan."),
    ("HTTPS", "1 localhost. alpn=h2"),
    ("SVCB", "1 dc.ad.thpt.edu.vn."),
]
"""What leads into the school, by an alias of a public name."""


def a_school(index: Index, upstream: FakeUpstream, *names: str) -> Site:
    """Return a site with zones of all kinds; ``names`` may lead home."""
    printer = ZoneRecord(wire("printer.school.lan"), 1, 300, bytes((192, 168, 1, 20)))
    web = ZoneRecord(wire("web.lan.thpt.edu.vn"), 1, 300, bytes((192, 168, 1, 80)))
    site = a_site(
        index,
        [upstream],
        local_zones=[
            LocalZone(wire("school.lan"), (printer,)),
            LocalZone(wire("lan.thpt.edu.vn"), (web,)),
        ],
        delegated_zones=[DelegatedZone(wire("ad.thpt.edu.vn"), (UpstreamServer("127.0.0.1", 9),))],
    )
    policy = replace(
        site.policy, lease_zone=wire("leased.lan"), private_answers=tuple(map(wire, names))
    )
    return Site.of(policy, index, site.route.servers)


def leading(rtype: str, data: str) -> list[str]:
    """Return an upstream's answer for an alias, with the address at its end."""
    ends = [f"{data} 300 IN A 198.18.0.9"] if rtype == "CNAME" else []
    return [f"evil.example.com. 300 IN {rtype} {data}", *ends]


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("rtype", "data"), HOME)
def test_no_alias_of_a_public_name_leads_into_the_school(
    index: Index, upstream: FakeUpstream, rtype: str, data: str, fast: bool
) -> None:
    qtype = "A" if rtype == "CNAME" else rtype
    upstream.records[f"evil.example.com {qtype}"] = leading(rtype, data)
    with Serving(a_school(index, upstream), fast=fast) as serving:
        for _ in range(3):
            response = serving.ask("evil.example.com", qtype)
            assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
            assert codes(response) == [15]


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("rtype", "data"), HOME)
def test_control_without_the_safeguard_the_alias_would_reach_the_client(
    index: Index, upstream: FakeUpstream, rtype: str, data: str, fast: bool
) -> None:
    qtype = "A" if rtype == "CNAME" else rtype
    upstream.records[f"evil.example.com {qtype}"] = leading(rtype, data)
    with Serving(a_school(index, upstream), fast=fast) as serving:
        assert serving.ask("evil.example.com", qtype).answer


@pytest.mark.parametrize(
    ("qname", "target", "passes"),
    [
        ("www.thpt.edu.vn", "web.lan.thpt.edu.vn", True),
        ("thpt.edu.vn", "web.lan.thpt.edu.vn", True),
        ("login.thpt.edu.vn", "dc.ad.thpt.edu.vn", True),
        ("evil.edu.vn", "web.lan.thpt.edu.vn", False),  # anyone may register there
        ("evil.vn", "web.lan.thpt.edu.vn", False),
        ("evil.lan", "printer.school.lan", False),
        ("thpt.edu.vn.evil.com", "web.lan.thpt.edu.vn", False),
        ("www.thpt.edu.vn", "printer.school.lan", False),
        ("www.thpt.edu.vn", "localhost", False),
        ("nas.thpt.edu.vn", "printer.school.lan", True),  # the site lets it
        ("www.evil.com", "com.", True),  # unassigned, but of no network either
    ],
)
def test_names_of_the_school_s_own_domain_go_on_in_split_horizon(
    index: Index, upstream: FakeUpstream, qname: str, target: str, passes: bool
) -> None:
    target = target.removesuffix(".")
    upstream.records[f"{qname} A"] = [
        f"{qname}. 300 IN CNAME {target}.",
        f"{target}. 300 IN A 198.18.0.9",
    ]
    site = a_school(index, upstream, "nas.thpt.edu.vn")
    policy = replace(site.policy, top_level=(wire("com"), wire("vn"), wire("lan")))
    with Serving(Site.of(policy, index, site.route.servers)) as serving:
        assert bool(serving.ask(qname).answer) is passes
