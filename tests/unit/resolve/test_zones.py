# SPDX-License-Identifier: Apache-2.0
"""The site's zones: local ones are complete, delegated ones go to their servers only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.resolve.zones import Endings, ZoneAnswer, Zones
from filterd.upstream import Route
from filterd.wire import Rcode
from filterd.wire import name as names
from tests.support.policies import a_policy, wire

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
def test_a_name_outside_all_zones_is_nobody_s(name: str) -> None:
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
def test_most_other_names_are_told_at_a_look(qname: str) -> None:
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
