# SPDX-License-Identifier: Apache-2.0
"""What is asked upstream; ``test_exchange`` holds what answers it and what does not."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.upstream.question import UpstreamQuestion, compose, new_id, parse_answer
from tests.support.policies import wire
from tests.support.wire import a_query, a_response

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
QUERY = a_query("www.example.com", message_id=0x1234)
ANSWER = a_response(QUERY, "www.example.com 300 A 192.0.2.1")


@pytest.mark.parametrize("do", [True, False])
@pytest.mark.parametrize("cd", [True, False])
def test_do_and_cd_go_along_and_no_option_does(do: bool, cd: bool) -> None:
    question = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.AAAA, do=do, cd=cd)
    message = dns.message.from_wire(compose(question, 7))
    assert (message.id, message.flags & dns.flags.RD) == (7, dns.flags.RD)
    assert bool(message.ednsflags & dns.flags.DO) is do
    assert bool(message.flags & dns.flags.CD) is cd
    assert (message.payload, message.options) == (1232, ())


def test_edns_can_be_left_out() -> None:
    assert dns.message.from_wire(compose(QUESTION, 7, edns=False)).edns == -1


def test_the_answer_answers() -> None:
    assert parse_answer(ANSWER, QUESTION, 0x1234) is not None


@given(st.binary(max_size=80), st.integers(0, len(ANSWER)))
def test_no_octets_raise(octets: bytes, at: int) -> None:
    parse_answer(ANSWER[:at] + octets + ANSWER[at + len(octets) :], QUESTION, 0x1234)
    parse_answer(octets, QUESTION, 0x1234)


def test_ids_fill_their_range() -> None:
    ids = {new_id() for _ in range(2_000)}
    assert len(ids) > 1_900
    assert max(ids) > 60_000
    assert min(ids) < 5_000
