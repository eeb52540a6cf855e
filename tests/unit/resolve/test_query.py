# SPDX-License-Identifier: Apache-2.0
"""What a query carries down the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.lists.rules import Pin
from filterd.policy.model import Client, DelegatedZone, Tls, UpstreamServer
from filterd.policy.verdict import PASSED, Action, Match, Rule, Verdict
from filterd.querylog import Counts
from filterd.resolve.query import (
    Answer,
    Link,
    Peer,
    Query,
    Source,
    answered,
    counted_as,
    leaves_all_alone,
    tally,
)
from filterd.upstream import UpstreamQuestion
from filterd.wire import Ede, Question, RRType, parse_query
from tests.support.chain import a_chain_query, without_waiting
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.lists.index import Index
    from filterd.resolve.query import Handler
    from filterd.resolve.site import Site


CONTROLLER = UpstreamServer("127.0.8.8")


@pytest.fixture
def site(index: Index) -> Site:
    return a_site(index, delegated_zones=[DelegatedZone(wire("ad.local"), (CONTROLLER,))])


def test_a_query_has_name_and_type_as_they_are_decided_on(site: Site) -> None:
    query = a_chain_query(site, "WWW.Example.COM", "AAAA")
    assert (query.qname, query.qtype) == (wire("www.example.com"), RRType.AAAA)


def test_equal_questions_have_one_key_whatever_their_letter_case(site: Site) -> None:
    one, other = (a_chain_query(site, name) for name in ("EXAMPLE.com", "example.com"))
    assert one.upstream_question == other.upstream_question


@pytest.mark.parametrize(("do", "cd"), [(True, False), (False, True), (True, True)])
def test_dnssec_bits_make_another_question(site: Site, do: bool, cd: bool) -> None:
    question = a_chain_query(site, "example.com", do=do, cd=cd).upstream_question
    assert question == UpstreamQuestion(wire("example.com"), RRType.A, do, cd, site.route)


def test_a_delegated_name_is_asked_of_the_servers_of_its_zone(site: Site) -> None:
    assert a_chain_query(site, "dc1.ad.local").upstream_question.route.servers == (CONTROLLER,)
    assert a_chain_query(site, "example.com").upstream_question.route == site.route


def test_what_is_asked_in_clear_while_the_clock_is_unknown_has_another_key(index: Index) -> None:
    strict = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example")
    site = a_site(index, [strict], pins=[Pin(wire("time.example"), reason="time")])
    query = a_chain_query(site, "time.example")
    in_1970 = Query(query.message, query.peer, query.client, site, asked_at=0.0)
    assert in_1970.upstream_question.route.servers == (UpstreamServer("192.0.2.1"),)
    assert query.upstream_question.route == site.route


def test_another_question_of_the_same_client_has_its_own_key(site: Site) -> None:
    query = a_chain_query(site, "example.com")
    asked = query.upstream_question
    twin = query.about(Question.of(wire("dc1.ad.local"), RRType.AAAA))
    assert (twin.qname, twin.qtype, twin.client) == (
        wire("dc1.ad.local"),
        RRType.AAAA,
        query.client,
    )
    assert twin.upstream_question.route.servers == (CONTROLLER,)
    assert query.upstream_question == asked


def test_a_readmitted_query_is_no_longer_rewritten(site: Site) -> None:
    query = a_chain_query(site, "example.com").rewritten(wire("safe.example"))
    other = Client(site.policy.grades["9"])
    again = query.readmitted(other, site)
    assert (again.client, again.rewritten_to, again.message) == (other, None, query.message)


def test_a_verdict_is_put_on_an_answer_and_changes_nothing_else() -> None:
    answer = Answer(Source.STALE, None, None, 7, 3, (), (Ede(1),), True, None)
    assert answer.judged(PASSED) == answer._replace(verdict=PASSED)


def test_when_upstreams_were_asked_first_is_handed_on(site: Site) -> None:
    first = a_chain_query(site, "example.com")
    again = first.since(1_000.0)
    assert again.rewritten(wire("safe.example")).began_at == 1_000.0
    assert again.readmitted(first.client, site).since(1_002.0).began_at == 1_000.0


BLOCKED = Verdict(Action.NXDOMAIN, Match(Rule.CATEGORY, True, b"\0", category="games"))
OPEN = Verdict(Action.PASS, Match(Rule.OPEN, False, b"\0", category="games"))


@pytest.fixture(scope="module")
def query(index: Index) -> Query:
    site = a_site(index)
    return Query(
        parse_query(a_query("a.example")), Peer("127.0.6.1"), Client(site.policy.grades["6"]), site
    )


@pytest.mark.parametrize(
    ("answer", "category", "action"),
    [
        (Answer(Source.BLOCKED, BLOCKED), "games", "blocked"),
        (Answer(Source.CACHED, OPEN), "games", "pass"),
        (Answer(Source.FORWARDED, PASSED), "", "pass"),
        (Answer(Source.STALE, PASSED), "", "pass"),
        (Answer(Source.CACHED, Verdict(Action.REWRITE)), "", "rewritten"),
        (Answer(Source.REWRITTEN, Verdict(Action.REWRITE)), "", "rewritten"),
        (Answer(Source.FAILED, Verdict(Action.REWRITE)), "", "failed"),
        (Answer(Source.LOCAL), "", "local"),
        (Answer(Source.REFUSED), "", "refused"),
    ],
)
def test_an_answer_is_counted_by_what_the_client_got(
    query: Query, answer: Answer, category: str, action: str
) -> None:
    counts = Counts(FakeClock())
    tally(counts, query, answer)
    (row,) = counts.take().rows
    assert (row.grade, row.category, row.action, row.n) == ("6", category, action, 1)


def test_it_counts_for_the_grade_as_which_it_was_judged(query: Query) -> None:
    counts = Counts(FakeClock())
    again = query.readmitted(Client(query.site.policy.grades["9"]), query.site)
    tally(counts, query, Answer(Source.FORWARDED, PASSED, readmitted=again))
    assert counts.take().rows[0].grade == "9"


def test_every_source_has_its_action(query: Query) -> None:
    counts = Counts(FakeClock())
    for source in Source:
        tally(counts, query, Answer(source, PASSED))
    assert sum(row.n for row in counts.take().rows) == len(Source)


class Silent(Link):
    """Does not state what it leaves alone."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        return proceed(query)


def test_a_link_that_does_not_say_what_it_leaves_alone_cannot_be_made() -> None:
    made: Any = Silent
    with pytest.raises(TypeError, match="leaves_alone"):
        made()


def test_control_one_that_claims_to_leave_all_alone_must_see_nothing(
    index: Index,
) -> None:
    class Saying(Silent):
        leaves_alone = staticmethod(leaves_all_alone)

    assert not Saying().must_see(a_chain_query(a_site(index)).client)


def test_an_answer_is_given_without_waiting() -> None:
    answer = Answer(Source.FAILED)
    assert without_waiting(answered(answer)) is answer


def test_a_link_that_changes_no_answer_leaves_all_alone(query: Query) -> None:
    unused: Any = None
    assert leaves_all_alone(query.upstream_question, unused)


@pytest.mark.parametrize(
    ("source", "match", "blocker"),
    [
        (Source.BLOCKED, Match(Rule.LOCAL, True, b"\0", local_id="site.yaml:1"), "site.yaml:1"),
        (Source.BLOCKED, Match(Rule.CATEGORY, True, b"\0", list_id="games"), "games"),
        (Source.CACHED, Match(Rule.LOCAL, False, b"\0", local_id="site.yaml:1"), ""),
    ],
)
def test_a_block_is_counted_for_the_list_or_the_rule_that_made_it(
    query: Query, source: Source, match: Match, blocker: str
) -> None:
    action = Action.NXDOMAIN if source is Source.BLOCKED else Action.PASS
    answer = Answer(source, Verdict(action, match))
    assert counted_as(query.client, answer)[3] == blocker


def test_an_answer_is_counted_with_all_that_reports_need(index: Index) -> None:
    site = a_site(index)
    blocked = Verdict(
        Action.NXDOMAIN, Match(Rule.CATEGORY, True, b"\0", category="games", list_id="g")
    )
    for network, class_id in (("lab", "6A"), (None, "")):
        grade = replace(site.policy.grades["6"], class_id=class_id)
        client = Client(grade, network, "127.0.6.1")
        asked = Query(parse_query(a_query("a.example")), Peer("127.0.6.1"), client, site)
        counts = Counts(FakeClock())
        for _ in range(2):
            tally(counts, asked, Answer(Source.BLOCKED, blocked))
        (row,) = counts.take().rows
        assert (row.network, row.blocker, row.class_id) == (network or "", "g", class_id)
        assert (row.n, row.devices) == (2, 1)


def test_an_answer_that_nobody_judged_is_counted_by_its_source(query: Query) -> None:
    assert counted_as(query.client, Answer(Source.CACHED)) == ("6", "", "pass", "")
    assert counted_as(query.client, Answer(Source.BLOCKED)) == ("6", "", "blocked", "")


def test_the_question_for_upstreams_is_made_once(site: Site) -> None:
    query = a_chain_query(site, "example.com")
    assert query.upstream_question is query.upstream_question


def test_the_origin_of_an_answer_is_a_word_of_the_log() -> None:
    assert [one.value for one in Source] == [
        *("blocked", "local", "rewritten", "cached", "stale", "forwarded", "refused", "failed"),
    ]
    plain = Answer(Source.FAILED)
    assert (plain.age_s, plain.overloaded, plain.by_target) == (0, False, False)
    assert Peer("192.0.2.1").interface == 0
