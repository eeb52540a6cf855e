# SPDX-License-Identifier: Apache-2.0
"""Zones of the school, local and delegated, through real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.policy.model import DelegatedZone, UpstreamServer
from filterd.resolve import special_use
from filterd.resolve.links import local
from filterd.resolve.site import Site
from filterd.resolve.zones import Zones
from tests.e2e.nsd import nsd
from tests.support import needs
from tests.support import site as site_files
from tests.support.policies import wire
from tests.support.serving import GRADE_1, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index

DOMAIN = "ad.truong.edu.vn"
ACTIVE_DIRECTORY = {
    DOMAIN: """\
$ORIGIN ad.truong.edu.vn.
$TTL 600
@ IN SOA dc1 hostmaster 7 900 600 86400 60
@ NS dc1
@ NS dc2
@ A 192.168.10.2
dc1 A 192.168.10.2
dc1 AAAA fd00::2
dc2 A 192.168.10.3
pc17 A 192.168.20.17
tracker CNAME tracker.example.
_ldap._tcp SRV 0 100 389 dc1
_ldap._tcp SRV 0 100 389 dc2
_kerberos._udp SRV 0 100 88 dc1
_gc._tcp SRV 0 100 3268 dc1
_ldap._tcp.hanoi._sites SRV 0 100 389 dc1
_ldap._tcp.dc._msdcs SRV 0 100 389 dc1
_ldap._tcp.pdc._msdcs SRV 0 100 389 dc1
gc._msdcs A 192.168.10.2
0d2e3f6c-4c3e-4d0a-9a53-2c41c2f0b001._msdcs CNAME dc1
DomainDnsZones A 192.168.10.2
""",
    "10.168.192.in-addr.arpa": """\
$ORIGIN 10.168.192.in-addr.arpa.
$TTL 600
@ IN SOA dc1.ad.truong.edu.vn. hostmaster.ad.truong.edu.vn. 7 900 600 86400 60
@ NS dc1.ad.truong.edu.vn.
2 PTR dc1.ad.truong.edu.vn.
""",
    "phong-may.local": """\
$ORIGIN phong-may.local.
$TTL 600
@ IN SOA srv hostmaster 1 900 600 86400 60
@ NS srv
srv A 192.168.40.2
wpad A 192.168.40.2
_dns SVCB 1 srv
""",
}


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpstreamServer]:
    """Serve the zones of an Active Directory by a real authoritative server."""
    with nsd(tmp_path_factory.mktemp("nsd"), ACTIVE_DIRECTORY) as port:
        yield UpstreamServer("127.0.0.1", port)


def delegated(index: Index, upstream: FakeUpstream, *servers: UpstreamServer) -> Site:
    zones = [DelegatedZone(wire(name), servers) for name in ACTIVE_DIRECTORY]
    return a_site(index, [upstream], delegated_zones=zones)


@pytest.fixture
def school(index: Index, upstream: FakeUpstream, controller: UpstreamServer) -> Iterator[Serving]:
    with Serving(delegated(index, upstream, controller)) as running:
        yield running


def texts(section: list[dns.rrset.RRset]) -> list[str]:
    return sorted(f"{rrset.name} {rdata}".lower() for rrset in section for rdata in rrset)


RELAYED = [
    (DOMAIN, "SOA"),
    (DOMAIN, "NS"),
    (DOMAIN, "A"),
    (f"pc17.{DOMAIN}", "A"),
    (f"_ldap._tcp.{DOMAIN}", "SRV"),
    (f"_kerberos._udp.{DOMAIN}", "SRV"),
    (f"_ldap._tcp.Hanoi._sites.{DOMAIN}", "SRV"),
    (f"_ldap._tcp.dc._msdcs.{DOMAIN}", "SRV"),
    (f"gc._msdcs.{DOMAIN}", "A"),
    (f"0d2e3f6c-4c3e-4d0a-9a53-2c41c2f0b001._msdcs.{DOMAIN}", "A"),
    (f"domaindnszones.{DOMAIN}", "A"),
    (f"unknown.{DOMAIN}", "A"),
    (f"pc17.{DOMAIN}", "AAAA"),
    ("2.10.168.192.in-addr.arpa", "PTR"),
    ("3.10.168.192.in-addr.arpa", "PTR"),
    ("srv.phong-may.local", "A"),
    ("wpad.phong-may.local", "A"),
    ("_dns.phong-may.local", "SVCB"),
    ("nobody.phong-may.local", "A"),
]


@pytest.mark.parametrize(("name", "rtype"), RELAYED)
def test_a_delegated_zone_is_relayed_whole(
    school: Serving, upstream: FakeUpstream, controller: UpstreamServer, name: str, rtype: str
) -> None:
    with school.stub(GRADE_1) as stub:
        query = dns.message.make_query(name, rtype)
        stub._server = ("127.0.0.1", controller.port)
        itself = dns.message.from_wire(stub.ask(query.to_wire()))
    for _ in ("cold", "warm"):
        through = school.ask(name, rtype)
        assert through.rcode() == itself.rcode()
        assert texts(through.answer) == texts(itself.answer)
        assert texts(through.authority) == texts(itself.authority)
        assert texts(through.additional) == texts(itself.additional)
    assert upstream.asked == []


def test_the_addresses_of_servers_come_along(school: Serving) -> None:
    response = school.ask(f"_ldap._tcp.{DOMAIN}", "SRV")
    assert f"dc1.{DOMAIN}. 192.168.10.2" in texts(response.additional)
    assert len(texts(response.authority)) == 2


def test_control_without_delegation_less_of_it_would_be_had(
    index: Index, controller: UpstreamServer
) -> None:
    with Serving(a_site(index, [controller])) as serving:
        assert serving.ask(f"pc17.{DOMAIN}").answer == []
        assert serving.ask("srv.phong-may.local").answer == []
        assert serving.ask(f"tracker.{DOMAIN}").answer == []
        services = serving.ask(f"_ldap._tcp.{DOMAIN}", "SRV")
    assert (services.authority, services.additional) == ([], [])


def test_an_alias_of_the_school_s_own_zone_is_its_own_affair(
    school: Serving, upstream: FakeUpstream
) -> None:
    assert texts(school.ask(f"tracker.{DOMAIN}").answer)
    assert upstream.asked == []


def test_no_other_server_is_asked_when_the_zone_s_server_is_silent(
    index: Index, upstream: FakeUpstream
) -> None:
    upstream.add(f"dc1.{DOMAIN}. 300 IN A 198.18.0.66")
    with FakeUpstream() as silent:
        silent.add(f"dc1.{DOMAIN}. 60 IN A 192.168.10.2")
        server = UpstreamServer("127.0.0.1", silent.port)
        with Serving(delegated(index, upstream, server)) as serving:
            assert serving.ask(f"dc1.{DOMAIN}").answer
            silent.silent.set()
            serving.clock.advance(61)
            names = [f"dc1.{DOMAIN}", "2.10.168.192.in-addr.arpa", "srv.phong-may.local"]
            stubs = [serving.stub() for _ in names]
            for stub, name in zip(stubs, names, strict=True):
                stub.send(dns.message.make_query(name, "A").to_wire())
            for stub in stubs:
                with stub:
                    response = dns.message.from_wire(stub.receive())
                    assert (response.rcode(), response.answer) == (dns.rcode.SERVFAIL, [])
    assert upstream.asked == []


def asked_by_the_zone_itself(
    index: Index, upstream: FakeUpstream
) -> tuple[list[dns.rcode.Rcode], int]:
    """Ask for a name of a zone from its own server's address and from another."""
    with FakeUpstream() as server:
        zone = DelegatedZone(wire(DOMAIN), (UpstreamServer("127.0.0.1", server.port),))
        server.add(f"dc1.{DOMAIN}. 60 IN A 192.168.10.2")
        with Serving(a_site(index, [upstream], delegated_zones=[zone])) as serving:
            own = serving.ask(f"dc1.{DOMAIN}", source="127.0.0.1")
            asked = len(server.asked)
            other = serving.ask(f"dc1.{DOMAIN}", source=GRADE_1)
    return [own.rcode(), other.rcode()], asked


def test_a_zone_s_own_server_is_not_asked_what_it_asks(
    index: Index, upstream: FakeUpstream
) -> None:
    assert asked_by_the_zone_itself(index, upstream) == (
        [dns.rcode.REFUSED, dns.rcode.NOERROR],
        0,
    )
    assert upstream.asked == []


def test_control_without_the_safeguard_it_would_be_asked(
    index: Index, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_is_from_the_zones_server", lambda _: False)
    assert asked_by_the_zone_itself(index, upstream)[1] == 1


PRINTERS = r"""
local_zones:
  - name: truong.home.arpa
    records:
      - '@ A 192.168.10.1'
      - 'may-in A 192.168.30.20'
      - 'may-in AAAA fd00::20'
      - 'in-mau CNAME may-in'
      - 'b._dns-sd._udp PTR @'
      - 'lb._dns-sd._udp PTR @'
      - '_services._dns-sd._udp PTR _ipp._tcp'
      - '_ipp._tcp PTR Máy\ in._ipp._tcp'
      - 'Máy\ in._ipp._tcp SRV 0 0 631 may-in'
      - 'Máy\032in._ipp._tcp TXT "txtvers=1" "rp=ipp/print" "note=phòng thư viện"'
  - name: 30.168.192.in-addr.arpa
    records:
      - '20 PTR may-in.truong.home.arpa.'
      - 'b._dns-sd._udp.0 PTR truong.home.arpa.'
"""

PRINTER = r"M\195\161y\032in._ipp._tcp.truong.home.arpa"
PUBLISHED = [
    ("truong.home.arpa", "A", ["192.168.10.1"]),
    ("may-in.truong.home.arpa", "A", ["192.168.30.20"]),
    ("may-in.truong.home.arpa", "AAAA", ["fd00::20"]),
    ("MAY-IN.truong.home.arpa", "A", ["192.168.30.20"]),
    ("in-mau.truong.home.arpa", "A", ["may-in.truong.home.arpa.", "192.168.30.20"]),
    ("b._dns-sd._udp.truong.home.arpa", "PTR", ["truong.home.arpa."]),
    ("lb._dns-sd._udp.truong.home.arpa", "PTR", ["truong.home.arpa."]),
    ("_services._dns-sd._udp.truong.home.arpa", "PTR", ["_ipp._tcp.truong.home.arpa."]),
    ("_ipp._tcp.truong.home.arpa", "PTR", [f"{PRINTER}."]),
    (PRINTER, "SRV", ["0 0 631 may-in.truong.home.arpa."]),
    (
        PRINTER,
        "TXT",
        [r'"txtvers=1" "rp=ipp/print" "note=ph\195\178ng th\198\176 vi\225\187\135n"'],
    ),
    ("20.30.168.192.in-addr.arpa", "PTR", ["may-in.truong.home.arpa."]),
    ("b._dns-sd._udp.0.30.168.192.in-addr.arpa", "PTR", ["truong.home.arpa."]),
]

MISSING = [
    ("khong-co.truong.home.arpa", "A", dns.rcode.NXDOMAIN),
    ("x.may-in.truong.home.arpa", "A", dns.rcode.NXDOMAIN),
    ("wpad.truong.home.arpa", "A", dns.rcode.NXDOMAIN),
    ("may-in.truong.home.arpa", "HTTPS", dns.rcode.NOERROR),
    ("_tcp.truong.home.arpa", "A", dns.rcode.NOERROR),
    ("_udp.truong.home.arpa", "PTR", dns.rcode.NOERROR),
    ("truong.home.arpa", "SOA", dns.rcode.NOERROR),
    ("home.arpa", "A", dns.rcode.NOERROR),
    ("21.30.168.192.in-addr.arpa", "PTR", dns.rcode.NXDOMAIN),
    ("168.192.in-addr.arpa", "SOA", dns.rcode.NOERROR),
    ("1.31.168.192.in-addr.arpa", "PTR", dns.rcode.NXDOMAIN),
]


@pytest.fixture(scope="module")
def printers(index: Index, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a school that publishes a printer in its file."""
    policy = site_files.a_policy(tmp_path_factory.mktemp("site"), PRINTERS)
    with FakeUpstream() as upstream:
        site = Site.of(policy, index, (UpstreamServer("127.0.0.1", upstream.port),))
        with Serving(site) as running:
            yield running
        assert upstream.asked == []


@pytest.mark.parametrize(
    "source", ["127.0.6.1", "127.0.100.1", pytest.param("::1", marks=needs.IPV6)]
)
@pytest.mark.parametrize(("name", "rtype", "expected"), PUBLISHED)
def test_a_printer_is_found_from_every_network(
    printers: Serving, name: str, rtype: str, expected: list[str], source: str
) -> None:
    server = "::1" if ":" in source else "127.0.0.1"
    response = printers.ask(name, rtype, source=source, server=server)
    assert [rdata.to_text() for rrset in response.answer for rdata in rrset] == expected
    assert not response.flags & dns.flags.AD


@pytest.mark.parametrize(("name", "rtype", "rcode"), MISSING)
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_a_local_zone_is_complete(
    printers: Serving, name: str, rtype: str, rcode: dns.rcode.Rcode, by: str
) -> None:
    response = printers.ask(name, rtype, by=by)
    assert (response.rcode(), response.answer) == (rcode, [])


def test_control_without_the_safeguard_an_unknown_name_would_leave(
    index: Index, upstream: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Zones, "answer", lambda *_: None)
    monkeypatch.setattr(special_use, "judge", lambda *_: None)
    policy = site_files.a_policy(tmp_path, PRINTERS)
    site = Site.of(policy, index, (UpstreamServer("127.0.0.1", upstream.port),))
    with Serving(site) as serving:
        serving.ask("khong-co.truong.home.arpa")
    assert upstream.asked == ["khong-co.truong.home.arpa A"]
