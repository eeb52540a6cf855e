# SPDX-License-Identifier: Apache-2.0
"""The site's zones: local ones are complete, delegated ones go to their servers only."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.clients.leases import Lease
from filterd.clients.network_view import Surroundings
from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve.links.local import LEASE, LOCAL_ZONE, answer_locally
from filterd.resolve.site import Site
from filterd.resolve.zones import Endings, ZoneAnswer, Zones
from filterd.upstream import Route
from filterd.wire import Rcode, RRType
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.policies import a_policy, wire

if TYPE_CHECKING:
    from filterd.lists.index import Index

A, NS, CNAME, SOA, PTR, TXT, AAAA, ANY = 1, 2, 5, 6, 12, 16, 28, 255
NOERROR, NXDOMAIN, SERVFAIL = Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.SERVFAIL

SERVER = UpstreamServer("192.0.2.10")


def _record(owner: str, rtype: int, rdata: bytes) -> ZoneRecord:
    return ZoneRecord(wire(owner), rtype, 600, rdata)


def _alias(owner: str, target: str) -> ZoneRecord:
    return _record(owner, CNAME, wire(target))


PRINTER = _record("printer.school.lan", A, bytes((10, 0, 0, 9)))
PRINTER6 = _record("printer.school.lan", AAAA, bytes(16))
SECOND = _record("printer.school.lan", A, bytes((10, 0, 0, 10)))
DEEP = _record("a.b.c.school.lan", TXT, b"\x02hi")
COPIER = _alias("copier.school.lan", "printer.school.lan")
ABROAD = _alias("cloud.school.lan", "cloud.example")
NOWHERE = _alias("gone.school.lan", "absent.school.lan")
TO_AD = _alias("pc.school.lan", "pc.ad.school.lan")
TO_OTHER = _alias("far.school.lan", "near.other.lan")
NEAR = _record("near.other.lan", A, bytes((10, 0, 0, 11)))

ZONES = Zones(
    a_policy(
        local_zones=[
            LocalZone(
                wire("school.lan"),
                (PRINTER, PRINTER6, SECOND, DEEP, COPIER, ABROAD, NOWHERE, TO_AD, TO_OTHER),
            ),
            LocalZone(wire("other.lan"), (NEAR,)),
            LocalZone(wire("school.ad.example"), ()),
        ],
        delegated_zones=[
            DelegatedZone(wire("ad.school.lan"), (SERVER,)),
            DelegatedZone(wire("ad.example"), (SERVER,)),
            DelegatedZone(wire("168.192.in-addr.arpa"), (SERVER,)),
        ],
    )
)

ANSWERS = [
    # data
    ("printer.school.lan", A, NOERROR, (PRINTER, SECOND)),
    ("printer.school.lan", AAAA, NOERROR, (PRINTER6,)),
    # the name exists, the type does not
    ("printer.school.lan", TXT, NOERROR, ()),
    ("school.lan", A, NOERROR, ()),
    ("school.lan", SOA, NOERROR, ()),
    # empty non-terminals exist
    ("b.c.school.lan", A, NOERROR, ()),
    ("c.school.lan", TXT, NOERROR, ()),
    # the zone is complete
    ("absent.school.lan", A, NXDOMAIN, ()),
    ("x.printer.school.lan", A, NXDOMAIN, ()),
    ("x.a.b.c.school.lan", A, NXDOMAIN, ()),
    # aliases
    ("copier.school.lan", A, NOERROR, (COPIER, PRINTER, SECOND)),
    ("copier.school.lan", CNAME, NOERROR, (COPIER,)),
    ("copier.school.lan", TXT, NOERROR, (COPIER,)),
    ("gone.school.lan", A, NXDOMAIN, (NOWHERE,)),
    ("far.school.lan", A, NOERROR, (TO_OTHER, NEAR)),
    ("cloud.school.lan", A, NOERROR, (ABROAD,)),
    ("pc.school.lan", A, NOERROR, (TO_AD,)),
    # a local zone within a delegated one
    ("school.ad.example", A, NOERROR, ()),
    ("x.school.ad.example", A, NXDOMAIN, ()),
]


@pytest.mark.parametrize(("name", "qtype", "rcode", "records"), ANSWERS)
def test_answer_of_a_local_zone(
    name: str, qtype: int, rcode: int, records: tuple[ZoneRecord, ...]
) -> None:
    assert ZONES.answer(wire(name), qtype) == ZoneAnswer(rcode, records)
    assert ZONES.route_of(wire(name)) is None


@pytest.mark.parametrize(
    "name",
    ["ad.school.lan", "x.ad.school.lan", "ad.example", "x.ad.example", "1.168.192.in-addr.arpa"],
)
def test_a_delegated_zone_is_answered_by_its_servers_only(name: str) -> None:
    assert ZONES.route_of(wire(name)) == Route((SERVER,), whole=True)
    assert ZONES.answer(wire(name), A) is None


@pytest.mark.parametrize("name", [".", "lan", "example", "notschool.lan", "192.in-addr.arpa"])
def test_a_name_outside_all_zones_has_no_route(name: str) -> None:
    assert ZONES.route_of(wire(name)) is None
    assert ZONES.answer(wire(name), A) is None


def test_a_zone_that_is_local_and_delegated_is_not_lost_between_the_two() -> None:
    name = wire("school.lan")
    zones = Zones(
        a_policy(
            local_zones=[LocalZone(name, ())], delegated_zones=[DelegatedZone(name, (SERVER,))]
        )
    )
    assert (zones.answer(name, A) is None) is not (zones.route_of(name) is None)


def test_the_names_above_all_zones_are_known() -> None:
    expected = ["lan", "school.lan", "example", "ad.example"]
    expected += ["192.in-addr.arpa", "in-addr.arpa", "arpa"]
    assert ZONES.ancestors == frozenset(map(wire, expected))


def _chain(aliases: int) -> tuple[tuple[ZoneRecord, ...], ZoneAnswer | None]:
    """Answer for the head of a chain of aliases that ends at an address."""
    links = tuple(_alias(f"n{i}.z.lan", f"n{i + 1}.z.lan") for i in range(aliases))
    records = (*links, _record(f"n{aliases}.z.lan", A, bytes(4)))
    zones = Zones(a_policy(local_zones=[LocalZone(wire("z.lan"), records)]))
    return records, zones.answer(wire("n0.z.lan"), A)


def test_a_chain_of_eleven_records_is_followed() -> None:
    records, answer = _chain(10)
    assert answer == ZoneAnswer(NOERROR, records)


def test_a_longer_chain_is_not_followed() -> None:
    _, answer = _chain(11)
    assert answer == ZoneAnswer(SERVFAIL, ())


def test_a_chain_that_bites_its_tail_ends() -> None:
    records = (_alias("a.z.lan", "b.z.lan"), _alias("b.z.lan", "a.z.lan"))
    zones = Zones(a_policy(local_zones=[LocalZone(wire("z.lan"), records)]))
    assert zones.answer(wire("a.z.lan"), A) == ZoneAnswer(SERVFAIL, ())


def test_the_target_of_an_alias_may_be_written_in_capitals() -> None:
    records = (
        _record("a.z.lan", CNAME, wire("b.z.lan").upper()),
        _record("b.z.lan", A, bytes(4)),
    )
    zones = Zones(a_policy(local_zones=[LocalZone(wire("z.lan"), records)]))
    assert zones.answer(wire("a.z.lan"), A) == ZoneAnswer(NOERROR, records)


LABELS = st.sampled_from([b"a", b"b", b"com", b"\x03com", b"vn"])
NAMES = st.lists(LABELS, max_size=4).map(lambda parts: names.from_labels(tuple(parts)))


@pytest.mark.parametrize("qname", ["school.vn", "www.school.vn", "a.b.alt", "alt"])
def test_what_is_at_or_beneath_a_name_may_be_covered(qname: str) -> None:
    assert Endings([wire("school.vn"), wire("alt")]).may_cover(wire(qname))


@pytest.mark.parametrize("qname", ["vn", "school.com", "xschool.vn", "salt", "alt.example"])
def test_most_other_names_are_decided_at_a_look(qname: str) -> None:
    assert not Endings([wire("school.vn"), wire("alt")]).may_cover(wire(qname))


def test_where_many_names_end_alike_all_that_do_may_be_covered() -> None:
    many = Endings([wire(f"zone{number}.vn") for number in range(10, 50)])
    assert many.may_cover(wire("www.zone10.vn"))
    assert not many.may_cover(wire("www.zone10.com"))


def test_no_names_cover_nothing() -> None:
    assert not Endings([]).may_cover(wire("example.com"))
    assert not Endings([]).may_cover(names.ROOT)


def test_the_root_covers_everything() -> None:
    assert Endings([names.ROOT]).may_cover(wire("example.com"))


@given(st.lists(NAMES, max_size=20), NAMES)
def test_a_name_that_is_covered_is_never_denied(known: list[bytes], qname: bytes) -> None:
    if any(names.is_at_or_beneath(qname, name) for name in known):
        assert Endings(known).may_cover(qname)


MAC, OTHER = "02:00:5e:10:00:01", "02:00:5e:10:00:02"
ZONE = "lan.home.arpa"
NO: tuple[int, list[str]] = (Rcode.NXDOMAIN, [])
NOTHING: tuple[int, list[str]] = (Rcode.NOERROR, [])


def _lease(address: str, host: str, mac: str = MAC) -> Lease:
    return Lease(ip_address(address), mac, mac, host, None)


LEASES = (
    _lease("192.168.6.20", "pc"),
    _lease("fd00:6::20", "pc"),
    _lease("192.168.6.21", "may-in", OTHER),
    _lease("2001:db8:6::22", "global", OTHER),
    _lease("192.168.6.23", "", OTHER),
)
WRITTEN = LocalZone(
    wire(ZONE),
    (
        ZoneRecord(wire(f"may-in.{ZONE}"), RRType.A, 600, bytes((192, 168, 6, 9))),
        ZoneRecord(wire(f"alias.{ZONE}"), RRType.CNAME, 600, wire(f"pc.{ZONE}")),
        ZoneRecord(wire(f"dead.{ZONE}"), RRType.CNAME, 600, wire(f"gone.{ZONE}")),
    ),
)


class Leased:
    """A site whose devices have leases."""

    def __init__(
        self, index: Index, zone: str | None = ZONE, *, zones: tuple[LocalZone, ...] = ()
    ) -> None:
        self.clock = FakeClock()
        self.around = Surroundings(self.clock)
        self.around.take_leases(LEASES)
        delegated = DelegatedZone(wire("7.168.192.in-addr.arpa"), (UpstreamServer("192.0.2.8"),))
        policy = a_policy(local_zones=zones, delegated_zones=[delegated])
        policy = replace(policy, lease_zone=wire(zone) if zone else None)
        self.site = Site.of(policy, index, (), self.around)

    def ask(self, name: str, rtype: int = RRType.A) -> tuple[int, list[str]] | None:
        """Return the answer's code and its data as text."""
        answer = answer_locally(self.site, wire(name), rtype)
        if answer is None:
            return None
        assert all(0 < record.ttl_s <= 60 or record.ttl_s == 600 for record in answer.records)
        return answer.rcode, [_text(record) for record in answer.records]


def _text(record: ZoneRecord) -> str:
    if record.rtype in (RRType.A, RRType.AAAA):
        return str(ip_address(record.rdata))
    return names.to_text(record.rdata)


@pytest.mark.parametrize(
    ("name", "rtype", "answer"),
    [
        (f"pc.{ZONE}", RRType.A, (0, ["192.168.6.20"])),
        (f"pc.{ZONE}", RRType.AAAA, (0, ["fd00:6::20"])),
        (f"pc.{ZONE}", RRType.TXT, NOTHING),
        (f"global.{ZONE}", RRType.A, NOTHING),
        # the zone is complete
        (ZONE, RRType.A, NOTHING),
        (f"absent.{ZONE}", RRType.A, NO),
        (f"a.pc.{ZONE}", RRType.A, NO),
        (f"pc.a.{ZONE}", RRType.A, NO),
        (f"wpad.{ZONE}", RRType.A, NO),
        # and reverse
        ("20.6.168.192.in-addr.arpa", RRType.PTR, (0, [f"pc.{ZONE}"])),
        ("20.6.168.192.in-addr.arpa", RRType.A, NOTHING),
        (ip_address("fd00:6::20").reverse_pointer, RRType.PTR, (0, [f"pc.{ZONE}"])),
        (ip_address("2001:db8:6::22").reverse_pointer, RRType.PTR, (0, [f"global.{ZONE}"])),
        # only of addresses that are leased under a name
        ("99.6.168.192.in-addr.arpa", RRType.PTR, NO),
        ("23.6.168.192.in-addr.arpa", RRType.PTR, NO),
        (ip_address("fd00:6::21").reverse_pointer, RRType.PTR, NO),
        (ip_address("2606:4700::1").reverse_pointer, RRType.PTR, None),
        # nothing may say that they do not exist (RFC 8020)
        ("6.168.192.in-addr.arpa", RRType.PTR, NOTHING),
        ("168.192.in-addr.arpa", RRType.NS, NOTHING),
        ("5.168.192.in-addr.arpa", RRType.NS, NO),
        ("6.0.0.0.0.0.d.f.ip6.arpa", RRType.NS, NOTHING),
        ("7.0.0.0.0.0.d.f.ip6.arpa", RRType.NS, NO),
        ("0.0.0.0.0.d.f.ip6.arpa", RRType.NS, NOTHING),
        # these are no reverse names of addresses
        ("1.20.6.168.192.in-addr.arpa", RRType.PTR, NO),
        ("020.6.168.192.in-addr.arpa", RRType.PTR, NO),
        ("x.168.192.in-addr.arpa", RRType.PTR, NO),
        # and names elsewhere do not belong here
        ("pc.example.com", RRType.A, None),
        ("20.7.168.192.in-addr.arpa", RRType.PTR, None),
    ],
)
def test_what_is_leased_is_answered(
    index: Index, name: str, rtype: int, answer: tuple[int, list[str]] | None
) -> None:
    assert Leased(index).ask(name, rtype) == answer


def test_what_the_site_wrote_goes_first(index: Index) -> None:
    leased = Leased(index, zones=(WRITTEN,))
    assert leased.ask(f"may-in.{ZONE}") == (0, ["192.168.6.9"])
    assert leased.ask(f"may-in.{ZONE}", RRType.AAAA) == NOTHING
    assert leased.ask(f"pc.{ZONE}") == (0, ["192.168.6.20"])
    assert leased.ask(f"absent.{ZONE}") == NO


def test_an_address_does_not_lead_back_to_a_name_that_the_site_gave_to_another(
    index: Index,
) -> None:
    reverse = "21.6.168.192.in-addr.arpa"
    assert Leased(index).ask(reverse, RRType.PTR) == (0, [f"may-in.{ZONE}"])
    beside = Leased(index, zones=(WRITTEN,))
    assert beside.ask(reverse, RRType.PTR) == NO
    assert beside.ask("20.6.168.192.in-addr.arpa", RRType.PTR) == (0, [f"pc.{ZONE}"])


def test_a_record_of_the_site_may_be_an_alias_of_a_device(index: Index) -> None:
    leased = Leased(index, zones=(WRITTEN,))
    assert leased.ask(f"alias.{ZONE}") == (0, [f"pc.{ZONE}", "192.168.6.20"])
    assert leased.ask(f"dead.{ZONE}") == (Rcode.NXDOMAIN, [f"gone.{ZONE}"])


def test_leases_fill_a_reverse_zone_of_the_site(index: Index) -> None:
    record = ZoneRecord(wire("1.6.168.192.in-addr.arpa"), RRType.PTR, 600, wire(f"gw.{ZONE}"))
    leased = Leased(index, zones=(LocalZone(wire("6.168.192.in-addr.arpa"), (record,)),))
    assert leased.ask("1.6.168.192.in-addr.arpa", RRType.PTR) == (0, [f"gw.{ZONE}"])
    assert leased.ask("20.6.168.192.in-addr.arpa", RRType.PTR) == (0, [f"pc.{ZONE}"])
    assert leased.ask("99.6.168.192.in-addr.arpa", RRType.PTR) == NO


def test_names_end_with_what_was_learned(index: Index) -> None:
    leased = Leased(index)
    leased.clock.advance(60)
    assert leased.ask(f"pc.{ZONE}") == NO
    assert leased.ask("20.6.168.192.in-addr.arpa", RRType.PTR) == NO


def test_without_a_zone_no_device_has_a_name(index: Index) -> None:
    leased = Leased(index, None)
    assert leased.ask("pc.lan.home.arpa") == NO
    assert leased.ask("20.6.168.192.in-addr.arpa", RRType.PTR) == NO
    assert leased.ask("6.168.192.in-addr.arpa", RRType.NS) == NO


def test_the_names_above_the_zone_exist(index: Index) -> None:
    assert Leased(index, "lan.school.internal").ask("school.internal") == NOTHING
    assert Leased(index, "lan.school.internal").ask("internal") == NOTHING
    assert Leased(index, None).ask("school.internal") == NO


def test_any_is_answered_for_all_names_alike(index: Index) -> None:
    assert Leased(index).ask(f"pc.{ZONE}", RRType.ANY) is None


@pytest.mark.parametrize(("host", "reason"), [("pc", LEASE), ("absent", LOCAL_ZONE)])
def test_people_see_where_it_comes_from(index: Index, host: str, reason: str) -> None:
    answer = answer_locally(Leased(index).site, wire(f"{host}.{ZONE}"), RRType.A)
    assert answer is not None
    assert answer.reason == reason


def test_a_label_that_no_host_name_is_does_not_exist(index: Index) -> None:
    odd = b"\x02\xff\x00" + wire(ZONE)
    answer = answer_locally(Leased(index).site, odd, RRType.A)
    assert answer is not None
    assert answer.rcode == Rcode.NXDOMAIN


def test_a_name_too_long_for_the_zone_has_no_reverse_name(index: Index) -> None:
    long_zone = ".".join(["x" * 60] * 4) + ".arpa"
    assert Leased(index, long_zone).ask("20.6.168.192.in-addr.arpa", RRType.PTR) is not None
    assert len(wire(long_zone)) + 3 <= 255
    leased = Leased(index, long_zone)
    leased.around.take_leases((_lease("192.168.6.20", "a" * 63),))
    assert leased.ask("20.6.168.192.in-addr.arpa", RRType.PTR) == NO


def test_data_beside_an_alias_is_answered_without_it() -> None:
    data = _record("copier.school.lan", TXT, b"\x02hi")
    zones = Zones(a_policy(local_zones=[LocalZone(wire("school.lan"), (PRINTER, COPIER, data))]))
    assert zones.answer(wire("copier.school.lan"), TXT) == ZoneAnswer(NOERROR, (data,))


def test_only_delegated_zones_have_routes() -> None:
    assert ZONES.routes == [Route((SERVER,), whole=True)] * 3
