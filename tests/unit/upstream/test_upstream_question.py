# SPDX-License-Identifier: Apache-2.0
"""Questions to upstreams; ``test_exchange`` tests matching answers."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.upstream_question import (
    OutgoingQuery,
    Route,
    UpstreamQuestion,
    compose,
    in_clear,
    new_id,
    parse_answer,
    randomise_case,
)
from tests.support.forgeries import FORGERIES, Forge
from tests.support.policies import wire
from tests.support.wire import a_query, a_response

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
QUERY = a_query("www.example.com", message_id=0x1234)
ANSWER = a_response(QUERY, "www.example.com 300 A 198.18.0.1")


@pytest.mark.parametrize("do", [True, False])
@pytest.mark.parametrize("cd", [True, False])
def test_do_and_cd_go_along_and_no_option_does(do: bool, cd: bool) -> None:
    question = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.AAAA, do=do, cd=cd)
    message = dns.message.from_wire(compose(question, 7))
    assert (message.id, message.flags & dns.flags.RD) == (7, dns.flags.RD)
    assert message.flags & dns.flags.AD  # else nobody says what was validated
    assert bool(message.ednsflags & dns.flags.DO) is do
    assert bool(message.flags & dns.flags.CD) is cd
    assert (message.payload, message.options) == (1232, ())


def test_edns_can_be_left_out() -> None:
    assert dns.message.from_wire(compose(QUESTION, 7, edns=False)).edns == -1


def test_the_answer_answers() -> None:
    assert parse_answer(ANSWER, QUESTION, 0x1234) is not None


IDS = (0, 1, 0x0100, 0x0101, 0x1234, 0xFFFF)


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_does_not(forge: Forge) -> None:
    for message_id in IDS:
        query = compose(QUESTION, message_id)
        answer = a_response(query, "www.example.com 300 A 198.18.0.66")
        assert parse_answer(answer, QUESTION, message_id) is not None
        assert parse_answer(forge(answer), QUESTION, message_id) is None


@pytest.mark.parametrize("edns", [True, False])
@pytest.mark.parametrize("do", [True, False])
def test_what_goes_by_udp_is_what_goes_by_tcp(edns: bool, do: bool) -> None:
    question = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.AAAA, do=do, cd=not do)
    assert OutgoingQuery(question, edns=edns).message(7) == compose(question, 7, edns=edns)


@pytest.mark.parametrize("name", ["www.example.com", "a" * 63 + ".example", "1.2.3", "."])
def test_letter_case_is_all_that_randomness_changes(name: str) -> None:
    numbers = RandomNumbers()
    made = {randomise_case(wire(name), numbers) for _ in range(100)}
    assert {one.lower() for one in made} == {wire(name)}
    letters = sum(octet.isalpha() for octet in name)
    assert len(made) >= min(40, 2**letters / 2)


def test_each_letter_is_as_often_large_as_small() -> None:
    numbers = RandomNumbers()
    name = wire("a" * 40)
    large = [0] * 40
    for _ in range(2_000):
        for at, octet in enumerate(randomise_case(name, numbers)[1:-1]):
            large[at] += octet == ord("A")
    assert all(780 < count < 1_220 for count in large)  # ten standard errors


def test_where_case_is_random_only_the_same_case_answers() -> None:
    asked = OutgoingQuery(QUESTION, edns=True, numbers=RandomNumbers())
    answer = a_response(asked.message(7), "www.example.com 300 A 198.18.0.1")
    assert asked.answered_by(answer) is not None
    other = answer[:13] + bytes((answer[13] ^ 0x20,)) + answer[14:]
    assert asked.answered_by(other) is None
    assert asked.differs_in_case(other)
    wrong = answer[:13] + bytes((answer[13] ^ 1,)) + answer[14:]
    assert not asked.differs_in_case(wrong)
    assert OutgoingQuery(QUESTION, edns=True).answered_by(other) is not None


def test_letter_case_does_not_make_types_equal() -> None:
    question = UpstreamQuestion(wire("www.example.com"), 0x4161, do=False, cd=False)
    asked = OutgoingQuery(question, edns=True)
    answer = bytearray(a_response(a_query("www.example.com", 0x4161, message_id=7)))
    assert asked.answered_by(bytes(answer)) is not None
    answer[answer.index(b"\x41\x61")] = 0x61
    assert asked.answered_by(bytes(answer)) is None


@given(st.binary(max_size=80), st.integers(0, len(ANSWER)))
def test_no_octets_raise(octets: bytes, at: int) -> None:
    parse_answer(ANSWER[:at] + octets + ANSWER[at + len(octets) :], QUESTION, 0x1234)
    parse_answer(octets, QUESTION, 0x1234)
    asked = OutgoingQuery(QUESTION, edns=True, numbers=RandomNumbers())
    asked.answered_by(octets)
    assert isinstance(asked.differs_in_case(octets), bool)


def test_ids_fill_their_range() -> None:
    ids = {new_id() for _ in range(2_000)}
    assert len(ids) > 1_900
    assert max(ids) > 60_000
    assert min(ids) < 5_000


SERVERS = (UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2"))


def test_equal_routes_share_a_cache() -> None:
    again = (UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2"))
    assert Route(SERVERS) == Route(again)
    route = Route(SERVERS)
    assert Route(again) is route


def test_other_servers_another_order_or_another_trust_is_another_route() -> None:
    others = [Route(SERVERS[:1]), Route(SERVERS[::-1]), Route(SERVERS, whole=True), SERVERS]
    assert all(Route(SERVERS) != other for other in others)


def test_in_clear_a_server_has_its_usual_port_and_is_not_trusted() -> None:
    server = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example", trusted=True)
    assert in_clear(server) == UpstreamServer("192.0.2.1", 53)


def test_a_server_that_is_never_asked_by_tls_is_the_same_in_clear() -> None:
    server = UpstreamServer("192.0.2.1", 5353, trusted=True, randomise_case=True)
    assert in_clear(server) is server
