# SPDX-License-Identifier: Apache-2.0
"""OPT: read with all its lies in mind, and made anew."""

from __future__ import annotations

from struct import pack

import dns.edns
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import BadEdnsError
from filterd.wire import parse_query
from filterd.wire.cursor import Budget, Cursor
from filterd.wire.edns import (
    MAX_OPTIONS,
    MAX_TEXT_OCTETS,
    Ede,
    EdeCode,
    Edns,
    compose_ede,
    compose_edns,
    edes_of,
    parse_edns,
    parse_plain_edns,
)
from filterd.wire.section import ADDITIONAL, read_record
from tests.support.wire import QUESTION, a_message, a_query


def _edns(opt: bytes) -> Edns:
    edns = parse_query(a_message(QUESTION + opt, arcount=1)).edns
    assert edns is not None
    return edns


def _opt(  # one OPT record, every field to be chosen
    *,
    owner: bytes = b"\0",
    size: int = 1232,
    rcode: int = 0,
    version: int = 0,
    flags: int = 0,
    rdata: bytes = b"",
) -> bytes:
    return owner + pack("!HHBBHH", 41, size, rcode, version, flags, len(rdata)) + rdata


def test_every_field_is_read() -> None:
    opt = _opt(size=4096, rcode=0xAB, flags=0x8001, rdata=b"\0\x0a\0\2hi")
    assert _edns(opt) == Edns(4096, 0, True, 0xAB, 0x8001, ((10, b"hi"),))


def test_options_keep_their_order_and_repetitions() -> None:
    rdata = b"\0\3\0\0" + b"\0\x0a\0\1x" + b"\0\3\0\0"
    assert _edns(_opt(rdata=rdata)).options == ((3, b""), (10, b"x"), (3, b""))


def test_an_extended_rcode_with_its_top_bit_set_is_no_ttl() -> None:
    assert _edns(_opt(rcode=0xFF)).extended_rcode == 0xFF


def test_options_of_another_version_are_not_read() -> None:
    edns = _edns(_opt(version=1, rdata=b"not options"))
    assert (edns.version, edns.options) == (1, ())


@pytest.mark.parametrize("rdata", [b"\0", b"\0\3\0", b"\0\3\0\1", b"\0\3\0\0\0"])
def test_options_that_do_not_fill_rdata_are_refused(rdata: bytes) -> None:
    with pytest.raises(BadEdnsError):
        _edns(_opt(rdata=rdata))


@pytest.mark.parametrize("owner", [b"\1a\0", b"\xc0\x0c", b"\xc0\x18"])
def test_an_owner_other_than_the_root_is_refused(owner: bytes) -> None:
    with pytest.raises(BadEdnsError):
        _edns(_opt(owner=owner))


def test_as_many_options_as_are_taken_and_one_more() -> None:
    option = b"\xfd\xe9\0\0"
    assert len(_edns(_opt(rdata=option * MAX_OPTIONS)).options) == MAX_OPTIONS
    with pytest.raises(BadEdnsError):
        _edns(_opt(rdata=option * (MAX_OPTIONS + 1)))


@given(
    do=st.booleans(),
    rcode=st.integers(0, 255),
    options=st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40)), max_size=5),
)
def test_what_is_composed_is_read_again(
    *, do: bool, rcode: int, options: list[tuple[int, bytes]]
) -> None:
    edns = _edns(compose_edns(do=do, extended_rcode=rcode, options=options))
    expected = Edns(1232, 0, do, rcode, 0x8000 if do else 0, tuple(options))
    assert edns == expected


def test_another_library_reads_what_is_composed() -> None:
    message = dns.message.from_wire(a_query(edns=False)[:11] + b"\1" + QUESTION + compose_edns())
    assert (message.edns, message.payload, message.options) == (0, 1232, ())


def test_what_another_library_composes_is_read() -> None:
    cookie = dns.edns.GenericOption("COOKIE", b"12345678")
    edns = parse_query(a_query(do=True, udp_size=4096, options=[cookie])).edns
    assert edns == Edns(4096, 0, True, 0, 0x8000, ((10, b"12345678"),))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
def test_the_short_way_reads_what_the_long_way_reads(udp_size: int, ttl: int) -> None:
    message = a_message(QUESTION + b"\0" + pack("!HHIH", 41, udp_size, ttl, 0), arcount=1)
    offset = len(message) - 11
    record = read_record(Cursor(message, offset), ADDITIONAL, Budget())
    assert parse_plain_edns(message, offset) == parse_edns(message, record)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\0\x29",
        b"\0" + pack("!HHIH", 41, 1232, 0, 0) + b"\0",
        b"\0" + pack("!HHIH", 250, 1232, 0, 0),
        b"\0" + pack("!HHIH", 41, 1232, 0, 1),
        b"\x01" + pack("!HHIH", 41, 1232, 0, 0),
    ],
    ids=["nothing", "cut", "more behind it", "another type", "RDATA announced", "another owner"],
)
def test_the_short_way_leaves_everything_else_to_the_long_way(octets: bytes) -> None:
    assert parse_plain_edns(a_message(octets), 12) is None


def _edns_ede(*options: tuple[int, bytes]) -> Edns:
    return Edns(udp_size=1232, version=0, do=False, extended_rcode=0, flags=0, options=options)


def test_code_and_text_are_composed() -> None:
    assert compose_ede(Ede(EdeCode.FILTERED, "học")) == (15, b"\0\x11h\xe1\xbb\x8dc")


def test_what_is_composed_is_read_again_ede() -> None:
    edes = (Ede(EdeCode.BLOCKED), Ede(4711, "Bị chặn"))
    assert edes_of(_edns_ede(*map(compose_ede, edes))) == edes


def test_long_text_is_cut_between_characters() -> None:
    _, data = compose_ede(Ede(0, "ệ" * 500))
    assert len(data) - 2 <= MAX_TEXT_OCTETS
    assert set(data[2:].decode()) == {"ệ"}


def test_text_that_is_no_unicode_can_still_be_sent() -> None:
    assert compose_ede(Ede(0, "\ud800")) == (15, b"\0\0?")


def test_other_options_are_passed_over() -> None:
    assert edes_of(_edns_ede((10, b"\0"), (15, b"\0\3"), (12, b""))) == (Ede(EdeCode.STALE_ANSWER),)


def test_without_edns_there_is_no_extended_error() -> None:
    assert edes_of(None) == ()


def test_a_final_nul_is_no_text() -> None:
    assert edes_of(_edns_ede((15, b"\0\x0fwhy\0"))) == (Ede(15, "why"),)


def test_text_that_is_no_utf8_is_read_all_the_same() -> None:
    assert edes_of(_edns_ede((15, b"\0\x0f\xff"))) == (Ede(15, "\ufffd"),)


@pytest.mark.parametrize("data", [b"", b"\0"])
def test_an_extended_error_without_code_is_refused(data: bytes) -> None:
    with pytest.raises(BadEdnsError):
        edes_of(_edns_ede((15, data)))


@pytest.mark.parametrize("code", [c for c in EdeCode if c <= 24])
def test_codes_are_those_of_another_library(code: EdeCode) -> None:
    words = dns.edns.EDECode(int(code)).name.replace("_", "")
    assert words == code.name.replace("_", "")
