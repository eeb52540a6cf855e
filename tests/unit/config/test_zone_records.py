# SPDX-License-Identifier: Apache-2.0
"""Lines of local zones: valid records, and false ones."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.config.zone_records import RecordError, parse_record
from filterd.policy.model import ZoneRecord

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
