# SPDX-License-Identifier: Apache-2.0
"""The targets of records: read exactly, or refused."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from filterd.base.errors import WireError
from filterd.wire import (
    KEY_ECH,
    ParsedResponse,
    Record,
    SvcbParts,
    address_of,
    covered_type,
    parse_response,
    signer_of,
    soa_minimum,
    svcb_parts,
    target_of,
    without_param,
)
from filterd.wire.name import from_text
from tests.support.wire import QUESTION, a_message, a_query, a_record, a_response

pytestmark = pytest.mark.usefixtures("both_twins")

TARGET = from_text("a.example.net")


def _first(message: bytes) -> tuple[ParsedResponse, Record]:
    response = parse_response(message)
    return response, response.records[0]


def _raw(rtype: int, rdata: bytes) -> tuple[ParsedResponse, Record]:
    return _first(a_message(QUESTION + a_record(rdata, rtype=rtype), flags=0x8180, ancount=1))


@pytest.mark.parametrize("rtype", ["CNAME", "DNAME", "PTR", "NS"])
def test_the_target_is_canonical(rtype: str) -> None:
    line = f"example.com 300 {rtype} A.Example.NET"
    assert target_of(*_first(a_response(a_query(), line))) == TARGET


@pytest.mark.parametrize("rtype", ["SVCB", "HTTPS"])
def test_services_have_a_target_too(rtype: str) -> None:
    line = f"example.com 300 {rtype} 0 A.Example.NET"
    assert target_of(*_first(a_response(a_query(), line))) == TARGET


def test_a_compressed_target_is_expanded() -> None:
    assert target_of(*_raw(5, b"\3www\xc0\x0c")) == from_text("www.example.com")


@pytest.mark.parametrize(
    "rdata",
    [b"", b"\1a", b"\1a\0\0", b"\xc0", b"\xc0\x0c\0", b"\x3f\0", b"\xc0\x29", b"\x80\0"],
)
def test_a_target_that_does_not_end_where_rdata_ends_is_refused(rdata: bytes) -> None:
    with pytest.raises(WireError):
        target_of(*_raw(5, rdata))


def test_a_target_does_not_read_on_in_the_next_record() -> None:
    record = a_record(b"\7example", rtype=5)
    message = a_message(QUESTION + record + a_record(owner=b"\0"), flags=0x8180, ancount=2)
    with pytest.raises(WireError):
        target_of(*_first(message))


@pytest.mark.parametrize(
    ("minimum", "seconds"), [(0, 0), (300, 300), (0x7FFFFFFF, 0x7FFFFFFF), (0x80000000, 0)]
)
def test_the_minimum_of_a_soa_is_its_last_number(minimum: int, seconds: int) -> None:
    rdata = b"\xc0\x0c\1h\xc0\x0c" + pack("!IIIII", 1, 2, 3, 4, minimum)
    assert soa_minimum(*_raw(6, rdata)) == seconds


@pytest.mark.parametrize("rdata", [b"", b"\0\0", b"\0\0" + bytes(19), b"\0\0" + bytes(21)])
def test_a_malformed_soa_is_refused(rdata: bytes) -> None:
    with pytest.raises(WireError):
        soa_minimum(*_raw(6, rdata))


@pytest.mark.parametrize(("rtype", "text"), [("A", "198.18.0.1"), ("AAAA", "2001:2::1")])
def test_addresses_are_packed(rtype: str, text: str) -> None:
    line = f"example.com 300 {rtype} {text}"
    assert address_of(*_first(a_response(a_query(), line))) == ip_address(text).packed


@pytest.mark.parametrize(("rtype", "size"), [(1, 0), (1, 3), (1, 5), (1, 16), (28, 4), (28, 15)])
def test_addresses_of_a_wrong_length_are_refused(rtype: int, size: int) -> None:
    with pytest.raises(WireError):
        address_of(*_raw(rtype, bytes(size)))


def test_a_record_of_another_type_is_no_address() -> None:
    with pytest.raises(WireError):
        address_of(*_raw(16, bytes(4)))


def test_a_service_is_read_whole() -> None:
    line = (
        "example.com 300 HTTPS 1 A.example.net alpn=h2 "
        "ipv4hint=198.18.0.1,198.18.0.2 ech=AAT+DQAA ipv6hint=2001:2::1"
    )
    assert svcb_parts(*_first(a_response(a_query(), line))) == SvcbParts(
        priority=1,
        target=TARGET,
        ipv4hints=(b"\xc6\x12\0\1", b"\xc6\x12\0\2"),
        ipv6hints=(ip_address("2001:2::1").packed,),
        ech=True,
    )


def test_a_service_without_parameters_leads_to_its_target_only() -> None:
    assert svcb_parts(*_raw(65, b"\0\0\0")) == SvcbParts(0, b"\0")


@pytest.mark.parametrize(
    "rdata",
    [
        b"",
        b"\0",
        b"\0\1",
        b"\0\1\1a",
        b"\0\1\xc0\x0c",
        b"\0\1\1a\xc0\x0c",
        b"\0\1\0\0",
        b"\0\1\0\0\1\0\1",
        b"\0\1\0\0\4\0\0",
        b"\0\1\0\0\4\0\3abc",
        b"\0\1\0\0\6\0\4abcd",
        b"\0\1\0\0\2\0\0\0\1\0\0",
        b"\0\1\0\0\1\0\0\0\1\0\0",
    ],
)
def test_malformed_services_are_refused(rdata: bytes) -> None:
    with pytest.raises(WireError):
        svcb_parts(*_raw(65, rdata))


def test_a_signature_names_the_type_that_it_signs() -> None:
    line = "example.com 300 RRSIG HTTPS 13 2 300 20300101000000 20200101000000 1 example.com aGk="
    assert covered_type(*_first(a_response(a_query(), line))) == 65
    with pytest.raises(WireError):
        covered_type(*_raw(46, b"\0"))
    assert signer_of(*_first(a_response(a_query(), line))) == from_text("example.com")
    for short in (b"\0" * 17, b"\0" * 18):
        with pytest.raises(WireError):
            signer_of(*_raw(46, short))


IN, HTTPS = dns.rdataclass.IN, dns.rdatatype.HTTPS

CASES = [
    ('1 . ech="AARhYmNk"', "1 ."),
    ("1 . alpn=h2", "1 . alpn=h2"),
    ('1 a.example. alpn=h2,h3 port=8443 ech="AARhYmNk" key65333=x',
     "1 a.example. alpn=h2,h3 port=8443 key65333=x"),
    ('1 . mandatory=ech ech="AARhYmNk"', "1 ."),
    ('1 . mandatory=alpn,ech alpn=h2 ech="AARhYmNk"', "1 . mandatory=alpn alpn=h2"),
    ("1 . mandatory=alpn alpn=h2 no-default-alpn", "1 . mandatory=alpn alpn=h2 no-default-alpn"),
    ("0 a.example.", "0 a.example."),
]  # fmt: skip


def _wire(text: str) -> bytes:
    octets = dns.rdata.from_text(IN, HTTPS, text).to_wire()
    assert octets is not None
    return octets


@pytest.mark.parametrize(("text", "left"), CASES)
def test_one_parameter_less(text: str, left: str) -> None:
    assert without_param(_wire(text), KEY_ECH) == _wire(left)


@pytest.mark.parametrize(
    "rdata",
    [
        b"",
        b"\0\1",
        b"\0\1\xc0\x0c",
        b"\0\1\0\0",
        b"\0\1\0\0\5\0\2\0",
        b"\0\1\0\0\0\0\0",
        b"\0\1\0\0\0\0\1\5",
        b"\0\1\x3fabc",
    ],
)
def test_what_is_no_service_binding_is_refused(rdata: bytes) -> None:
    with pytest.raises(WireError):
        without_param(rdata, KEY_ECH)
