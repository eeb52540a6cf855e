# SPDX-License-Identifier: Apache-2.0
"""Answers that fit: whole RRsets, OPT kept, and always a message that parses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.wire import fit, parse_query, parse_response, peek_header, size_limit
from tests.support.cost_bombs import RESPONSES
from tests.support.dns_messages import MESSAGES, contents
from tests.support.wire import OPT, QUESTION, a_message, a_query, a_record, a_response

RESPONSE = 0x8180
BIG = a_record(bytes(200), rtype=16)


@pytest.mark.parametrize(
    ("udp_size", "limit"),
    [(0, 512), (511, 512), (512, 512), (1000, 1000), (1232, 1232), (4096, 1232)],
)
def test_over_udp_the_limit_is_the_lesser_of_both_sides(udp_size: int, limit: int) -> None:
    assert size_limit(parse_query(a_query(udp_size=udp_size)), "udp") == limit


def test_without_edns_the_limit_is_512() -> None:
    assert size_limit(parse_query(a_query(edns=False)), "udp") == 512


def test_over_tcp_the_limit_is_what_the_prefix_can_say() -> None:
    assert size_limit(parse_query(a_query(edns=False)), "tcp") == 65535


def test_what_fits_is_left_alone() -> None:
    message = a_response(a_query(), "example.com 300 A 192.0.2.1")
    assert fit(message, len(message)) is message


def test_the_additional_section_goes_first_and_sets_no_flag() -> None:
    message = a_message(QUESTION + a_record() + BIG * 3 + OPT, flags=RESPONSE, ancount=1, arcount=4)
    cut = parse_response(fit(message, 512))
    assert [record.section for record in cut.records] == [0]
    assert (cut.header.tc, cut.edns is not None) == (False, True)


@pytest.mark.parametrize("section", ["ancount", "nscount"])
def test_losing_answer_or_authority_sets_tc(section: str) -> None:
    counts = {section: 3}
    cut = parse_response(fit(a_message(QUESTION + BIG * 3, flags=RESPONSE, **counts), 512))
    assert (cut.header.tc, cut.records) == (True, ())


def test_an_rrset_is_never_split() -> None:
    body = QUESTION + a_record() * 2 + BIG * 3
    cut = parse_response(fit(a_message(body, flags=RESPONSE, ancount=5), 512))
    assert [record.rtype for record in cut.records] == [1, 1]


def test_an_rrset_that_is_scattered_goes_whole() -> None:
    body = QUESTION + a_record() + a_record(rtype=99) + BIG * 2 + a_record(rtype=99)
    cut = parse_response(fit(a_message(body, flags=RESPONSE, ancount=5), 450))
    assert [record.rtype for record in cut.records] == [1]


def test_opt_stays_with_what_it_says() -> None:
    opt = OPT[:-2] + b"\0\6\0\x0f\0\2\0\x11"
    message = a_message(QUESTION + BIG * 3 + opt, flags=RESPONSE, ancount=3, arcount=1)
    edns = parse_response(fit(message, 512)).edns
    assert edns is not None
    assert edns.options == ((15, b"\0\x11"),)


def test_options_that_leave_no_room_go() -> None:
    opt = OPT[:-2] + b"\2\4\0\x0f\2\0" + bytes(512)
    message = a_message(QUESTION + opt, flags=RESPONSE, arcount=1)
    cut = parse_response(fit(message, 512))
    assert cut.edns is not None
    assert cut.edns.options == ()


def test_records_behind_opt_go_too() -> None:
    body = QUESTION + a_record() + OPT + BIG * 3
    cut = parse_response(fit(a_message(body, flags=RESPONSE, ancount=1, arcount=4), 512))
    assert [record.section for record in cut.records] == [0]
    assert cut.edns is not None


@pytest.mark.parametrize("name", RESPONSES)
def test_what_cannot_be_walked_is_cut_to_something_that_parses(name: str) -> None:
    cut = fit(RESPONSES[name], 512)
    assert len(cut) <= 512
    parse_response(cut)


def test_octets_without_a_question_become_a_header() -> None:
    cut = fit(a_message(bytes(600), flags=RESPONSE, ancount=9), 512)
    assert (peek_header(cut).tc, len(cut)) == (True, 12 + 5)


@given(MESSAGES, st.integers(300, 600))
def test_what_is_left_is_a_part_of_what_was(message: bytes, limit: int) -> None:
    cut = fit(message, limit)
    assert len(cut) <= max(limit, 300)
    before, after = contents(message), contents(cut)
    assert after == before[: len(after)]
    lost = {record[0] for record in before[len(after) :]}
    assert peek_header(cut).tc is bool(lost & {0, 1})
