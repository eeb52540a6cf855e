# SPDX-License-Identifier: Apache-2.0
"""The site's own zones: each once, complete, and free of contradictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import ConfigErrors
from filterd.config.compile import compile_policy
from filterd.config.local_zones import RecordError, parse_record
from filterd.config.site_reader import load_site
from filterd.lists.rules import Pin
from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from tests.support.policies import wire
from tests.support.site import CATALOG, SCHOOL, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

LAN = b"\x03lan\0"


def test_a_local_zone_has_its_records(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "local_zones:\n  - {name: lan, records: ['a A 10.0.0.1']}\n")
    record = ZoneRecord(b"\x01a\x03lan\0", 1, 300, b"\x0a\0\0\x01")
    assert policy.local_zones == (LocalZone(LAN, (record,)),)


def test_a_local_zone_may_be_empty(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "local_zones:\n  - {name: lan}\n")
    assert policy.local_zones == (LocalZone(LAN, ()),)


def test_a_delegated_zone_has_its_servers(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "delegated_zones:\n  - {name: lan, servers: ['10.0.0.1:54']}\n")
    assert policy.delegated_zones == (DelegatedZone(LAN, (UpstreamServer("10.0.0.1", 54),)),)


def test_a_zone_may_be_delegated_within_a_local_one(tmp_path: Path) -> None:
    text = "local_zones: [{name: lan}]\ndelegated_zones: [{name: ad.lan, servers: [10.0.0.1]}]\n"
    assert a_policy(tmp_path, text).delegated_zones


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "local_zones:\n  - name: lan\n  - name: LAN.\n",
            "4:5: the zone 'lan' occurs twice (merge both)",
        ),
        (
            "local_zones: [{name: lan}]\ndelegated_zones: [{name: lan, servers: ['::1']}]\n",
            "3:20: the zone 'lan' occurs twice (merge both)",
        ),
        (
            "local_zones:\n  - name: lan\n  - name: a.lan\n",
            "4:5: the zone 'a.lan' lies within another local zone (put its records there)",
        ),
        (
            "local_zones:\n  - name: lan\n    records:\n      - a A 10.0.0.1\n      - a CNAME b\n",
            "6:9: 'a CNAME b': a name with a CNAME can have no other record",
        ),
        (
            "local_zones:\n  - name: lan\n    records:\n      - a CNAME www.example.com.\n",
            "5:9: 'a CNAME www.example.com.': a CNAME must lead to a name in a local zone",
        ),
        (
            "local_zones:\n  - name: lan\n    records:\n      - b CNAME a\n      - b A 10.0.0.1\n",
            "6:9: 'b A 10.0.0.1': a name with a CNAME can have no other record",
        ),
        (
            "local_zones:\n  - {name: lan, records: [a A x]}\n",
            "3:27: 'a A x': this is not data of type A (such as: printer A 192.168.1.20)",
        ),
    ],
)
def test_contradictions_are_reported_at_their_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"site.yaml:{problem}")


MORE = "delegated_zones: [{name: ad.truong.edu.vn, servers: [10.0.0.1]}]\n"


def _site(zone: str) -> str:
    files = "[{file: /var/lib/misc/dnsmasq.leases, format: dnsmasq}]"
    return f"{MORE}leases: {{files: {files}, zone: {zone}}}\n"


@pytest.mark.parametrize(
    "zone",
    [
        "lan",
        "home.arpa",
        "lan.home.arpa",
        "school.internal",
        "internal",
        "school.lan",
        "lan.truong.edu.vn",
        "lan.xn--trng-k5a.vn",
        "lan.example.com",
    ],
)
def test_a_zone_of_the_schools_own_will_do(tmp_path: Path, zone: str) -> None:
    assert a_policy(tmp_path, _site(zone)).lease_zone == wire(zone)


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("com", "is a public suffix"),
        ("vn", "is a public suffix"),
        ("edu.vn", "is a public suffix"),
        ("blogspot.com", "is a public suffix"),
        ("in-addr.arpa", "is a public suffix"),
        ("truong.edu.vn", "is a domain of the Internet"),
        ("example.com", "is a domain of the Internet"),
        ("ad.truong.edu.vn", "is inside a delegated zone"),
        ("lan.ad.truong.edu.vn", "is inside a delegated zone"),
    ],
)
def test_a_zone_of_others_is_refused(tmp_path: Path, zone: str, reason: str) -> None:
    (problem,) = problems(tmp_path, _site(zone))
    assert problem.startswith("site.yaml:3:")
    assert f"the zone '{zone}' {reason}" in problem
    assert "such as lan.home.arpa" in problem


@pytest.mark.parametrize(
    ("zone", "is_refused"),
    [
        ("pinned.thi.example", True),
        ("thi.example", True),
        ("lan.subtree.example", True),
        ("lan.pinned.thi.example", False),  # the pin is of that one name
        ("other.example", False),
    ],
)
def test_no_device_may_have_a_pinned_name(tmp_path: Path, zone: str, is_refused: bool) -> None:
    pins = (Pin(wire("pinned.thi.example")), Pin(wire("subtree.example"), subtree=True))
    (tmp_path / "site.yaml").write_text(SCHOOL + _site(zone), encoding="utf-8")
    text = ""
    try:
        compile_policy(load_site(tmp_path), replace(CATALOG, pins=pins))
    except ConfigErrors as error:
        text = str(error)
    assert ("contains a pinned name" in text) is is_refused


def test_without_leases_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert a_policy(tmp_path, MORE).lease_zone is None


ZONE = b"\x06school\x03lan\0"


@pytest.mark.parametrize(
    ("line", "owner", "ttl_s", "text"),
    [
        ("printer A 192.168.1.20", b"\x07printer" + ZONE, 300, "A 192.168.1.20"),
        ("@ AAAA fd00::1", ZONE, 300, "AAAA fd00::1"),
        ("Printer 60 A 192.168.1.20", b"\x07printer" + ZONE, 60, "A 192.168.1.20"),
        ("a 60 in a 192.168.1.20", b"\x01a" + ZONE, 60, "A 192.168.1.20"),
        ("a.school.lan. IN A 192.168.1.20", b"\x01a" + ZONE, 300, "A 192.168.1.20"),
        ("www CNAME @", b"\x03www" + ZONE, 300, "CNAME school.lan."),
        ("www CNAME web.example.", b"\x03www" + ZONE, 300, "CNAME web.example."),
        ("@ NS ns1", ZONE, 300, "NS ns1.school.lan."),
        ("5 PTR host", b"\x015" + ZONE, 300, "PTR host.school.lan."),
        ("@ MX 10 mail", ZONE, 300, "MX 10 mail.school.lan."),
        (
            "_ldap._tcp SRV 0 5 389 dc1",
            b"\x05_ldap\x04_tcp" + ZONE,
            300,
            "SRV 0 5 389 dc1.school.lan.",
        ),
        ('@ TXT "two words" one', ZONE, 300, 'TXT "two words" "one"'),
        (r'@ TXT "a \"quote\""', ZONE, 300, r'TXT "a \"quote\""'),
        (r"a\.b A 192.168.1.20", b"\x03a.b" + ZONE, 300, "A 192.168.1.20"),
        (
            "_ipp._tcp PTR Máy\\ in._ipp._tcp",
            b"\x04_ipp\x04_tcp" + ZONE,
            300,
            r"PTR M\195\161y\032in._ipp._tcp.school.lan.",
        ),
        (
            "_ipp._tcp PTR HP\\.1._ipp._tcp.School.lan.",
            b"\x04_ipp\x04_tcp" + ZONE,
            300,
            r"PTR HP\.1._ipp._tcp.school.lan.",
        ),
        (
            "Ma\u0301y\\032in._ipp._tcp SRV 0 0 631 Printer",
            b"\x07m\xc3\xa1y in\x04_ipp\x04_tcp" + ZONE,
            300,
            "SRV 0 0 631 printer.school.lan.",
        ),
    ],
)
def test_records_agree_with_another_implementation(
    line: str, owner: bytes, ttl_s: int, text: str
) -> None:
    record = parse_record(line, ZONE)
    rtype, _, data = text.partition(" ")
    expected = dns.rdata.from_text(dns.rdataclass.IN, rtype, data)
    assert record == ZoneRecord(owner, expected.rdtype, ttl_s, expected.to_wire() or b"")


def test_vietnamese_owners_become_a_labels() -> None:
    assert parse_record("máy-in A 192.168.1.20", ZONE).owner.startswith(b"\x0dxn--my-in-xqa")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "empty"),
        ("printer", "the type and the data are missing"),
        ("printer 300 IN", "the type and the data are missing"),
        ("printer A", "not data of type A"),
        ("printer A 1.2.3", "not data of type A"),
        ("printer A 1.2.3.4 5.6.7.8", "not data of type A"),
        ("printer A 999.1.1.1", "not data of type A"),
        ("printer AAAA 1.2.3.4", "not data of type AAAA"),
        ("printer AAA ::1", "did you mean 'AAAA'?"),
        ("@ SOA a b 1 2 3 4 5", "not a type that a local zone can have"),
        ("$ORIGIN x.", "directives"),
        ("other.lan. A 1.2.3.4", "not in this zone"),
        ("evilschool.lan. A 1.2.3.4", "not in this zone"),
        ("@ MX mail", "not data of type MX"),
        ("@ MX 65536 mail", "not a number from 0 to 65535"),
        ("@ MX -1 mail", "not a number from 0 to 65535"),
        ("@ SRV 0 0 1_0 x", "not a number from 0 to 65535"),
        ("www CNAME a..b", "not a name"),
        ("máy..in._ipp._tcp A 1.2.3.4", "not a name"),
        ("á" * 32 + "._ipp._tcp A 1.2.3.4", "not a name"),
        ("_máy._ipp._tcp A 1.2.3.4", "not a name"),
        ('@ TXT "open', "quotes"),
        ('@ TXT "a"b', "quotes"),
        ("@ TXT", "not data of type TXT"),
        ("@ TXT " + "x" * 256, "more than 255"),
        ("@ TXT a\nb A 1.2.3.4", "line breaks"),
        ("x" * 64 + " A 1.2.3.4", "not a name"),
    ],
)
def test_what_is_no_record_is_refused(line: str, complaint: str) -> None:
    with pytest.raises(RecordError, match=complaint):
        parse_record(line, ZONE)


@given(st.text(max_size=60) | st.from_regex(r"[a-z@]+ (A|MX|SRV|TXT|CNAME) [ -~\u00e0]{0,40}"))
def test_any_text_is_a_record_or_refused(line: str) -> None:
    try:
        record = parse_record(line, ZONE)
    except RecordError:
        return
    assert record.owner.endswith(ZONE)
