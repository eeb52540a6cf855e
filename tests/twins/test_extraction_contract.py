# SPDX-License-Identifier: Apache-2.0
"""Extraction natively where it is built; test_resolution tests the results."""

from __future__ import annotations

import pytest

from filterd.base.errors import BadCountError, UpstreamMalformedError
from filterd.base.native import live_only
from filterd.upstream import UpstreamQuestion, resolution
from filterd.wire import codec, parse_response
from tests.support.twins import MODULES
from tests.support.wire import a_message, a_query, a_record, a_response

extraction = MODULES["extraction"][-1]

WWW = b"\3www\7example\3com\0"
SIGNED = "www.example.com 300 RRSIG {} 13 3 300 20300101000000 20200101000000 1 example.com aGVs"
BEYOND = {
    "DNSSEC records are wanted": (1, True, ["www.example.com 60 A 198.18.0.1", SIGNED.format("A")]),
    "a DNAME is above": (
        1,
        False,
        [
            "example.com 60 DNAME example.net",
            "www.example.com 60 CNAME www.example.net",
            "www.example.net 60 A 198.18.0.1",
        ],
    ),
    "a service binding answers": (65, False, ["www.example.com 60 HTTPS 1 w.example.net alpn=h2"]),
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_is_not_ordinary_is_extracted_as_well(case: str) -> None:
    qtype, do, lines = BEYOND[case]
    message = a_response(a_query("www.example.com", qtype, do=do), *lines)
    question = UpstreamQuestion(WWW, qtype, do=do, cd=False)
    found = extraction.resolution_of(parse_response(message), question)
    assert found == resolution.resolution_of(parse_response(message), question)
    assert found.sections.ancount == len(lines)


@pytest.mark.parametrize("qname", [b"", b"\3www", b"\x80", b"\1a" * 128 + b"\0", b"\0\0"])
def test_a_qname_that_is_none_is_no_danger(qname: bytes) -> None:
    message = a_response(a_query("www.example.com"), "www.example.com 60 A 198.18.0.1")
    question = UpstreamQuestion(qname, 1, do=False, cd=False)
    assert extraction.resolution_of(parse_response(message), question).sections.ancount == 0


def test_what_does_not_parse_is_the_upstreams_fault() -> None:
    message = a_response(a_query("www.example.com"), "www.example.com 60 CNAME www.example.com")
    question = UpstreamQuestion(WWW, 1, do=False, cd=False)
    with pytest.raises(UpstreamMalformedError, match="does not parse"):
        extraction.resolution_of(parse_response(message), question)


def test_a_target_behind_its_rdata_is_an_error_where_the_name_ends() -> None:
    alias, behind = a_record(b"\2ab", owner=WWW, rtype=5), a_record(bytes(4), owner=b"\0")
    message = a_message(WWW + b"\0\1\0\1" + alias + behind, flags=0x8180, ancount=2)
    question = UpstreamQuestion(WWW, 1, do=False, cd=False)
    causes = []
    for extract in (extraction.resolution_of, resolution.resolution_of):
        with pytest.raises(UpstreamMalformedError) as raised:
            extract(parse_response(message), question)
        causes.append(raised.value.__cause__)
    native, plain = causes
    assert isinstance(native, BadCountError)
    assert isinstance(plain, BadCountError)
    assert native.offset == plain.offset == len(message) - len(behind) + 1


def test_the_twins_are_native_together() -> None:
    assert (live_only("filterd.upstream._pool") is not None) == codec.NATIVE
