# SPDX-License-Identifier: Apache-2.0
"""From the facts of an answer to its message; ``tests/e2e`` looks at blocks as clients do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from filterd.policy.model import ZoneRecord
from filterd.policy.verdict import PASSED, Action, Match, Rule, Verdict
from filterd.resolve import cache_entry
from filterd.resolve.answer_reply import STALE_TTL_S, compose
from filterd.resolve.links import cache
from filterd.resolve.links import filter as filter_link
from filterd.resolve.query import Answer, Source
from filterd.upstream import UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import Ede, EdeCode, Rcode, parse_response
from filterd.wire.reply import BLOCK_TTL_S
from tests.support.chain import a_chain_query
from tests.support.policies import NOW, a_category, wire
from tests.support.serving import GRADE_11, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.resolve.query import Query
    from filterd.upstream import Resolution

NAME = "www.example.com"


def message_of(query: Query, answer: Answer) -> dns.message.Message:
    return dns.message.from_wire(compose(query, answer, NOW))


def codes(response: dns.message.Message) -> list[int]:
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


def a_resolution(ttl_s: int = 300) -> Resolution:
    response = a_response(a_query(NAME), f"{NAME} {ttl_s} A 198.18.0.1")
    question = UpstreamQuestion(wire(NAME), dns.rdatatype.A, do=False, cd=False)
    return resolution_of(parse_response(response), question)


REASONS = [
    (Match(Rule.ORDERED, True, b"\0", category="law-ordered"), EdeCode.BLOCKED),
    (Match(Rule.LOCAL, True, b"\0"), EdeCode.BLOCKED),
    (Match(Rule.LOCKED, True, b"\0", category="malware"), EdeCode.BLOCKED),
    (Match(Rule.LOCKED, True, b"\0", category="porn"), EdeCode.FILTERED),
    (Match(Rule.CATEGORY, True, b"\0", category="games"), EdeCode.FILTERED),
    (Match(Rule.CATEGORY, True, b"\0", category="unheard-of"), EdeCode.FILTERED),
    (None, EdeCode.BLOCKED),
]


@pytest.mark.parametrize(("match", "code"), REASONS)
def test_a_block_is_blocked_by_order_or_danger_and_else_filtered(
    index: Index, match: Match | None, code: EdeCode
) -> None:
    answer = Answer(Source.BLOCKED, Verdict(Action.NXDOMAIN, match))
    assert codes(message_of(a_chain_query(a_site(index)), answer)) == [code]


def test_a_question_that_was_judged_again_is_answered_for_its_last_client(index: Index) -> None:
    asked = a_chain_query(a_site(index))
    dangerous = {"worms": a_category("worms", locked=True, security=True)}
    readmitted = a_chain_query(a_site(index, categories=dangerous), address=GRADE_11)
    verdict = Verdict(Action.NXDOMAIN, Match(Rule.LOCKED, True, b"\0", category="worms"))
    before = Answer(Source.BLOCKED, verdict)
    after = before._replace(readmitted=readmitted)
    assert codes(message_of(asked, before)) == [EdeCode.FILTERED]
    assert codes(message_of(asked, after)) == [EdeCode.BLOCKED]


@pytest.mark.parametrize(
    ("ttl_s", "age_s", "valid_for_s", "sent"),
    [
        (300, 0, None, 300),
        (300, 120, None, 180),
        (9_000, 0, None, 600),
        (300, 0, 45, 45),
        (300, 0, 0.5, 1),
        (300, 0, -5, 1),
        (30, 10, 45, 20),
    ],
)
def test_a_ttl_is_cut_by_age_grade_and_edge(
    index: Index, ttl_s: int, age_s: int, valid_for_s: float | None, sent: int
) -> None:
    until = None if valid_for_s is None else NOW + valid_for_s
    answer = Answer(
        Source.CACHED,
        Verdict(Action.PASS, valid_until=until),
        resolution=a_resolution(ttl_s),
        age_s=age_s,
    )
    assert message_of(a_chain_query(a_site(index)), answer).answer[0].ttl == sent


@pytest.mark.parametrize(
    ("ttl_s", "valid_for_s", "sent"), [(300, None, 30), (5, None, 30), (300, 12, 12), (300, 0, 1)]
)
def test_a_stale_answer_is_kept_half_a_minute_unless_it_is_closed_before(
    index: Index, ttl_s: int, valid_for_s: float | None, sent: int
) -> None:
    until = None if valid_for_s is None else NOW + valid_for_s
    verdict = Verdict(Action.PASS, valid_until=until)
    answer = Answer(
        Source.STALE,
        verdict,
        resolution=a_resolution(ttl_s),
        age_s=400,
        edes=(Ede(EdeCode.STALE_ANSWER),),
    )
    response = message_of(a_chain_query(a_site(index)), answer)
    assert (response.answer[0].ttl, codes(response)) == (sent, [EdeCode.STALE_ANSWER])


@pytest.mark.parametrize(("source", "authentic"), [(Source.CACHED, True), (Source.STALE, False)])
def test_a_stale_answer_is_not_authentic(index: Index, source: Source, authentic: bool) -> None:
    resolution = a_resolution()._replace(authentic=True)
    answer = Answer(source, PASSED, resolution=resolution)
    response = message_of(a_chain_query(a_site(index), ad=True), answer)
    assert bool(response.flags & dns.flags.AD) is authentic


def test_an_upstreams_claim_of_authenticity_is_not_repeated(index: Index) -> None:
    answer = Answer(Source.FORWARDED, PASSED, resolution=a_resolution())
    response = message_of(a_chain_query(a_site(index), do=True, ad=True), answer)
    assert not response.flags & (dns.flags.AD | dns.flags.AA)


LOCAL = {
    "a record": (Answer(Source.LOCAL, records=(ZoneRecord(wire(NAME), 1, 60, bytes(4)),)), 0, 1, 0),
    "no such type": (Answer(Source.LOCAL), 0, 0, 1),
    "no such name": (Answer(Source.LOCAL, rcode=Rcode.NXDOMAIN), 3, 0, 1),
    "a zone's failure": (Answer(Source.LOCAL, rcode=Rcode.SERVFAIL), 2, 0, 0),
    "an alias to nowhere": (
        Answer(
            Source.LOCAL,
            rcode=Rcode.NXDOMAIN,
            records=(ZoneRecord(wire(NAME), 5, 60, wire("b.example.com")),),
        ),
        3,
        1,
        0,
    ),
    "a refusal": (Answer(Source.REFUSED), 5, 0, 0),
    "a failure": (Answer(Source.FAILED), 2, 0, 0),
}
"""Answers, and their code, answer records and authority records."""


@pytest.mark.parametrize(
    ("answer", "rcode", "answers", "authorities"), LOCAL.values(), ids=LOCAL.keys()
)
def test_what_is_answered_here(
    index: Index, answer: Answer, rcode: int, answers: int, authorities: int
) -> None:
    response = message_of(a_chain_query(a_site(index)), answer)
    assert response.rcode() == rcode
    assert (len(response.answer), len(response.authority)) == (answers, authorities)


@pytest.mark.parametrize("source", [Source.REFUSED, Source.FAILED])
def test_a_failure_states_its_reason(index: Index, source: Source) -> None:
    answer = Answer(source, edes=(Ede(EdeCode.NETWORK_ERROR),))
    assert codes(message_of(a_chain_query(a_site(index)), answer)) == [EdeCode.NETWORK_ERROR]


def test_that_a_twin_has_no_such_record_is_soon_forgotten(index: Index) -> None:
    answer = Answer(Source.REWRITTEN, edes=(Ede(EdeCode.FORGED_ANSWER),))
    response = message_of(a_chain_query(a_site(index), qtype="HTTPS"), answer)
    (soa,) = response.authority
    assert (response.rcode(), response.answer, soa.ttl) == (0, [], 10)
    assert codes(response) == [EdeCode.FORGED_ANSWER]


def test_answers_live_as_long_as_the_guides_say() -> None:
    assert (BLOCK_TTL_S, STALE_TTL_S) == (10, 30)
    assert (cache.STALE_FOR_S, cache.STALE_AFTER_S, cache.RECHECK_S) == (86_400, 1.8, 30)
    assert (cache_entry.FIRST_HOLD_S, cache_entry.LONGEST_HOLD_S) == (5, 60)
    assert (cache_entry.REFRESHED_FROM_HITS, cache_entry.REFRESHED_FROM_TTL_S) == (3, 10)
    assert (cache_entry.REFRESHED_IN_LAST, cache_entry.SILENT_FROM) == (0.1, 3)
    assert filter_link.ALIAS_TTL_S == 300


@pytest.mark.parametrize(
    ("valid_for_s", "sent"), [(None, 10), (100, 10), (10, 10), (5, 5), (1.5, 1), (0.5, 1), (-5, 1)]
)
@pytest.mark.parametrize("action", [Action.NXDOMAIN, Action.NODATA, Action.SINKHOLE])
def test_a_block_is_forgotten_soon_and_at_its_end(
    index: Index, valid_for_s: float | None, sent: int, action: Action
) -> None:
    until = None if valid_for_s is None else NOW + valid_for_s
    answer = Answer(Source.BLOCKED, Verdict(action, None, valid_until=until))
    response = message_of(a_chain_query(a_site(index)), answer)
    (rrset,) = response.answer or response.authority
    assert rrset.ttl == sent
    assert codes(response) == [EdeCode.BLOCKED]


def test_a_block_has_the_form_of_its_action(index: Index) -> None:
    query = a_chain_query(a_site(index))
    found = {
        action: message_of(query, Answer(Source.BLOCKED, Verdict(action, None)))
        for action in (Action.NXDOMAIN, Action.NODATA, Action.SINKHOLE)
    }
    assert {action: int(one.rcode()) for action, one in found.items()} == {
        Action.NXDOMAIN: 3,
        Action.NODATA: 0,
        Action.SINKHOLE: 0,
    }
    (rrset,) = found[Action.SINKHOLE].answer
    assert [one.to_text() for one in rrset] == [query.client.grade.sinkhole_ipv4]
    assert found[Action.NODATA].answer == []


@pytest.mark.parametrize(("source", "ttl_s"), [(Source.LOCAL, 600), (Source.REWRITTEN, 10)])
def test_that_there_is_no_such_type_holds_by_its_source(
    index: Index, source: Source, ttl_s: int
) -> None:
    response = message_of(a_chain_query(a_site(index)), Answer(source))
    assert [one.ttl for one in response.authority] == [ttl_s]


def test_a_record_of_a_zone_has_the_letters_of_the_question_and_its_reason(index: Index) -> None:
    answer = Answer(
        Source.REWRITTEN,
        records=(
            ZoneRecord(wire(NAME), 1, 60, bytes(4)),
            ZoneRecord(wire("b.test"), 1, 9, bytes(4)),
        ),
        edes=(Ede(EdeCode.FORGED_ANSWER),),
    )
    query = a_chain_query(a_site(index), "wWw.eXample.com")
    octets = compose(query, answer, NOW)
    assert octets.lower().count(wire(NAME)) == 1, "the owner points to the question"
    response = dns.message.from_wire(octets)
    assert [one.name.to_text() for one in response.answer] == ["wWw.eXample.com.", "b.test."]
    assert codes(response) == [EdeCode.FORGED_ANSWER]


@pytest.mark.parametrize("source", [Source.CACHED, Source.FORWARDED])
def test_what_an_upstream_answered_has_its_errors_and_needs_no_verdict(
    index: Index, source: Source
) -> None:
    resolution = a_resolution()._replace(edes=(Ede(EdeCode.STALE_ANSWER),))
    response = message_of(a_chain_query(a_site(index)), Answer(source, resolution=resolution))
    assert (response.answer[0].ttl, codes(response)) == (300, [EdeCode.STALE_ANSWER])
