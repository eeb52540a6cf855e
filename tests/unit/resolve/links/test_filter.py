# SPDX-License-Identifier: Apache-2.0
"""Policy, on the way in and on the way out."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.model import Audience, Client, DelegatedZone, Network, UpstreamServer
from filterd.resolve.links.filter import ALIAS_TTL_S, Filter, Rewrite, behind_alias
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.site import Site
from filterd.upstream import Resolution, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import EdeCode, Question, RebuiltSections, assemble, parse_response
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.clock import FakeClock
from tests.support.policies import NOW, allow, block, wire
from tests.support.serving import GRADE_1, SiteHolder, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.lists.index import Index
    from filterd.policy.model import LocalRule
    from filterd.resolve.query import Handler


NOTHING = RebuiltSections(b"", 0, 0, 0, (), (), 21)


def leading_to(*targets: str) -> Handler:
    async def forward(_: Query) -> Answer:
        resolution = Resolution(0, NOTHING, tuple(map(wire, targets)), 300)
        return Answer(Source.FORWARDED, resolution=resolution)

    return forward


class Changing:
    """A filter whose site or clock moves while the rest of the chain thinks."""

    def __init__(self, site: Site, *, then: Site | None = None, seconds: float = 0) -> None:
        self.site, self.then, self.seconds = site, then or site, seconds
        self.sites, self.clock = SiteHolder(site), FakeClock()

    def answer(self, name: str, *targets: str) -> Answer:
        forward = leading_to(*targets)

        async def thinking(query: Query) -> Answer:
            self.sites.current = self.then
            self.clock.advance(self.seconds)
            return await forward(query)

        return answer_of(Filter(self.sites, self.clock), a_chain_query(self.site, name), thinking)


def test_a_blocked_name_goes_no_further(index: Index) -> None:
    site = a_site(index)
    answer = answer_of(Filter(SiteHolder(site), FakeClock()), a_chain_query(site, "porn.example"))
    assert (answer.source, answer.by_target) == (Source.BLOCKED, False)


def test_an_allowed_name_goes_on_and_carries_its_verdict(index: Index) -> None:
    site = a_site(index)
    answer = answer_of(Filter(SiteHolder(site), FakeClock()), a_chain_query(site))
    assert answer.source is FORWARDED.source
    assert answer.verdict is not None


@pytest.mark.parametrize("targets", [["porn.example"], ["a.example", "b.porn.example"]])
def test_a_blocked_target_blocks(index: Index, targets: list[str]) -> None:
    answer = Changing(a_site(index)).answer("www.example.com", *targets)
    assert (answer.source, answer.by_target) == (Source.BLOCKED, True)


def test_the_targets_of_a_delegated_zone_are_its_own(index: Index) -> None:
    zone = DelegatedZone(wire("school.example"), (UpstreamServer("192.0.2.8"),))
    site = a_site(index, delegated_zones=[zone])
    assert Changing(site).answer("dc.school.example", "porn.example").source == Source.FORWARDED


def test_the_earliest_edge_of_name_and_targets_bounds_the_answer(index: Index) -> None:
    rules = [allow("a.example", ends_at=NOW + 50), allow("b.example", ends_at=NOW + 20)]
    answer = Changing(a_site(index, rules=rules)).answer("www.a.example", "b.example")
    assert answer.verdict is not None
    assert answer.verdict.valid_until == NOW + 20


def test_a_new_site_judges_what_waited(index: Index) -> None:
    then = a_site(index, rules=[block("www.example.com")])
    answer = Changing(a_site(index), then=then).answer("www.example.com")
    assert answer.source == Source.BLOCKED
    assert answer.readmitted is not None
    assert answer.readmitted.site is then


def test_a_new_site_knows_the_client_anew(index: Index) -> None:
    then = a_site(index, networks=[Network("all", "staff", ("127.0.0.0/8",))])
    answer = Changing(a_site(index), then=then).answer("www.example.com")
    assert answer.readmitted is not None
    assert answer.readmitted.client.network == "all"


def test_a_new_site_judges_targets_too(index: Index) -> None:
    then = a_site(index, rules=[block("cdn.example")])
    assert Changing(a_site(index)).answer("www.example.com", "cdn.example").source is (
        Source.FORWARDED
    )
    answer = Changing(a_site(index), then=then).answer("www.example.com", "cdn.example")
    assert answer.source == Source.BLOCKED


def test_a_client_that_has_lost_permission_is_refused(index: Index) -> None:
    then = a_site(index, networks=[], allow_from=[])
    assert Changing(a_site(index), then=then).answer("www.example.com").source == Source.REFUSED


@pytest.mark.parametrize("delegated_before", [True, False])
def test_what_a_delegated_zone_s_server_said_is_asked_again_when_the_zone_comes_or_goes(
    index: Index, delegated_before: bool
) -> None:
    """It was not searched for targets."""
    zone = DelegatedZone(wire("example.com"), (UpstreamServer("192.0.2.8"),))
    sites = {True: a_site(index, delegated_zones=[zone]), False: a_site(index)}
    holder, routes = SiteHolder(sites[delegated_before]), []

    async def forward(query: Query) -> Answer:
        route = query.upstream_question.route
        routes.append(route.whole)
        holder.current = sites[not delegated_before]
        return await leading_to(*([] if route.whole else ["porn.example"]))(query)

    answer = answer_of(Filter(holder, FakeClock()), a_chain_query(holder.current), forward)
    assert routes == [delegated_before, not delegated_before]
    assert answer.source is (Source.BLOCKED if delegated_before else Source.FORWARDED)
    assert answer.readmitted is not None


@pytest.mark.parametrize(("seconds", "source"), [(9, Source.FORWARDED), (10, Source.BLOCKED)])
def test_a_verdict_that_ended_meanwhile_is_made_anew(
    index: Index, seconds: float, source: Source
) -> None:
    rules = [
        block("www.example.com"),
        allow("www.example.com", Audience.CLIENT, GRADE_1, ends_at=NOW + 10),
    ]
    site = a_site(index, rules=rules)
    assert Changing(site, seconds=seconds).answer("www.example.com").source == source


@pytest.mark.parametrize("seconds", [0, -20])
def test_a_clock_that_was_set_back_meanwhile_brings_back_a_block_that_had_ended(
    index: Index, seconds: float
) -> None:
    site = a_site(index, rules=[block("www.example.com", ends_at=NOW - 10)])
    expected = Source.BLOCKED if seconds else Source.FORWARDED
    assert Changing(site, seconds=seconds).answer("www.example.com").source == expected


SAFE = SafeSearchRewrite("safe_search", "on", wire("safe.example"), (wire("www.example.com"),))


def a_safe_site(index: Index) -> Site:
    site = a_site(index)
    grades = {name: replace(grade, safe_search="on") for name, grade in site.policy.grades.items()}
    policy = replace(site.policy, grades=grades, rewrites=(SAFE,))
    return Site.of(policy, index, site.route.servers)


@pytest.mark.parametrize(
    ("safe_before", "safe_after"), [(True, True), (True, False), (False, True)]
)
def test_a_twin_is_asked_for_and_a_new_site_asks_again(
    index: Index, safe_before: bool, safe_after: bool
) -> None:
    sites = {True: a_safe_site(index), False: a_site(index)}
    holder, asked = SiteHolder(sites[safe_before]), []

    async def forward(query: Query) -> Answer:
        asked.append(query.rewritten_to)
        holder.current = sites[safe_after]
        return FORWARDED

    answer = answer_of(Filter(holder, FakeClock()), a_chain_query(sites[safe_before]), forward)
    targets = {True: wire("safe.example"), False: None}
    expected = [targets[safe_before]]
    if safe_before is not safe_after:
        expected.append(targets[safe_after])
        assert answer.readmitted is not None
        assert answer.readmitted.site is sites[safe_after]
    assert asked == expected


def asked_elsewhere(
    index: Index, *, then: UpstreamServer, outcomes: Iterable[Source]
) -> tuple[Answer, list[Query]]:
    """Return what becomes of a question while whose upstreams are thought of others come."""
    holder, clock = SiteHolder(a_site(index, [OLD])), FakeClock()
    outcomes_left, asked = iter(outcomes), []

    async def forward(query: Query) -> Answer:
        asked.append(query)
        clock.advance(1.0)
        if len(asked) == 1:
            holder.current = a_site(index, [then])
        source = next(outcomes_left)
        resolution = Resolution(0, NOTHING, (), 300) if source is Source.FORWARDED else None
        return Answer(source, resolution=resolution)

    return answer_of(Filter(holder, clock), a_chain_query(holder.current), forward), asked


OLD, NEW = UpstreamServer("192.0.2.53"), UpstreamServer("192.0.2.54")


def test_where_upstreams_of_before_have_failed_those_of_now_have_the_rest_of_the_time(
    index: Index,
) -> None:
    answer, asked = asked_elsewhere(index, then=NEW, outcomes=[Source.FAILED, Source.FORWARDED])
    assert answer.source is Source.FORWARDED
    assert [one.upstream_question.route.servers for one in asked] == [(OLD,), (NEW,)]
    assert [one.began_at for one in asked] == [inf, FakeClock().monotonic()]


@pytest.mark.parametrize(
    ("then", "outcomes"),
    [
        (OLD, [Source.FAILED]),  # the same would be asked
        (NEW, [Source.FORWARDED]),  # they have answered
        (NEW, [Source.FAILED, Source.FAILED]),  # once is enough
    ],
)
def test_no_exchange_is_repeated_in_vain(
    index: Index, then: UpstreamServer, outcomes: list[Source]
) -> None:
    answer, asked = asked_elsewhere(index, then=then, outcomes=outcomes)
    assert answer.source is outcomes[-1]
    assert len(asked) == len(outcomes)


def test_a_question_about_a_grade_belongs_to_no_client(index: Index) -> None:
    """``filterd check`` at this machine needs no client."""
    site = a_site(index)
    about = a_chain_query(site).readmitted(Client(site.policy.grades["11"]), site)
    for then in (site, a_site(index, rules=[block("other.example")])):
        holder = SiteHolder(site)

        async def forward(_: Query, holder: SiteHolder = holder, then: Site = then) -> Answer:
            holder.current = then
            return await leading_to("social.example")(about)

        answer = answer_of(Filter(holder, FakeClock()), about, forward)
        assert answer.source is Source.FORWARDED
        if then is site:
            assert answer.readmitted is None
        else:
            assert answer.readmitted is not None
            assert answer.readmitted.client == Client(then.policy.grades["11"])


SEARCH, TWIN = "www.example.com", "safe.example.com"


def a_rewritten_query(index: Index, qtype: str) -> Query:
    return a_chain_query(a_site(index), SEARCH, qtype).rewritten(wire(TWIN))


async def answer_for_twin(query: Query) -> Answer:
    """Answer for the answer_for_twin from a cache, a hundred seconds old."""
    assert query.qname == wire(TWIN)
    assert query.rewritten_to is None
    response = a_response(a_query(TWIN), f"{TWIN} 300 A 198.18.0.1")
    resolution = resolution_of(parse_response(response), query.upstream_question)
    return Answer(Source.CACHED, resolution=resolution._replace(authentic=True), age_s=100)


def test_the_twin_s_addresses_stand_behind_an_alias(index: Index) -> None:
    query = a_rewritten_query(index, "A")
    answer = answer_of(Rewrite(), query, answer_for_twin)
    resolution = answer.resolution
    assert resolution is not None
    assert (answer.source, answer.age_s, resolution.authentic) == (Source.CACHED, 100, False)
    assert resolution.targets == (wire(TWIN),), "an alias leads to it, so policy judges it"
    assert [ede.code for ede in resolution.edes] == [EdeCode.FORGED_ANSWER]
    sent = assemble(query.message, resolution.sections, 0, age_s=answer.age_s)
    assert [rrset.to_text() for rrset in dns.message.from_wire(sent).answer] == [
        f"{SEARCH}. {ALIAS_TTL_S} IN CNAME {TWIN}.",
        f"{TWIN}. 200 IN A 198.18.0.1",
    ]


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
def test_a_service_binding_is_no_data(index: Index, qtype: str) -> None:
    answer = answer_of(Rewrite(), a_rewritten_query(index, qtype), answer_for_twin)
    assert answer.source is Source.REWRITTEN
    assert [ede.code for ede in answer.edes] == [EdeCode.FORGED_ANSWER]


def test_where_the_twin_cannot_be_had_nothing_is(index: Index) -> None:
    assert answer_of(Rewrite(), a_rewritten_query(index, "A")) is FORWARDED


def test_a_name_without_a_twin_is_resolved_itself(index: Index) -> None:
    async def itself(query: Query) -> Answer:
        assert query.qname == wire(SEARCH)
        return FORWARDED

    assert answer_of(Rewrite(), a_chain_query(a_site(index), SEARCH), itself) is FORWARDED


def test_a_verdict_holds_until_the_edge_of_its_client_or_of_its_rule(index: Index) -> None:
    rule = allow("dated.example", ends_at=NOW + 60)
    for edge, until in ((inf, NOW + 60), (NOW + 30, NOW + 30), (NOW + 90, NOW + 60)):
        site = a_site(index, rules=[rule])
        object.__setattr__(site, "moment", _Edge(edge))
        query = a_chain_query(site, "dated.example")
        answer = answer_of(Filter(SiteHolder(site), FakeClock(NOW)), query)
        assert answer.verdict is not None
        assert answer.verdict.valid_until == until
        other = answer_of(
            Filter(SiteHolder(site), FakeClock(NOW)), a_chain_query(site, "www.example.com")
        )
        assert other.verdict is not None
        assert other.verdict.valid_until == (None if edge == inf else edge)


class _Edge:
    """A moment whose clients all have one edge."""

    is_known = True

    def __init__(self, edge: float) -> None:
        self.until = edge

    def until_of(self, *_: object) -> float:
        return self.until


def test_a_client_that_has_become_another_in_the_same_site_is_judged_anew(index: Index) -> None:
    """The neighbour table has learned its MAC meanwhile, which is of a room."""
    rules = [block("www.example.com", Audience.NETWORK, "room")]
    site = a_site(index, rules=rules)
    query = a_chain_query(site)
    moved = replace(query.client, network="room")
    answer = answer_of(
        Filter(SiteHolder(site), FakeClock()),
        query,
        _while(site, lambda: object.__setattr__(site, "identifier", _Knows(moved))),
    )
    assert (answer.source, answer.readmitted is None) == (Source.BLOCKED, False)


class _Knows:
    """Identifies everybody as one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def identify(self, *_: object) -> Client:
        return self._client


def _while(_: Site, change: Callable[[], None]) -> Handler:
    async def forward(query: Query) -> Answer:
        change()
        return await leading_to()(query)

    return forward


def test_what_is_behind_an_alias_is_neither_authentic_nor_plain() -> None:
    asked, target = (Question.of(wire(name), 1) for name in ("www.example.com", "safe.example"))
    response = parse_response(a_response(a_query("safe.example"), "safe.example 60 A 198.18.0.1"))
    upstream = UpstreamQuestion(wire("safe.example"), 1, do=False, cd=False)
    resolution = resolution_of(response, upstream)._replace(authentic=True, plain=True)
    found = behind_alias(resolution, target, asked, 300)
    assert (found.authentic, found.plain) == (False, False)
    assert found.targets[0] == wire("safe.example")


def test_a_grade_that_the_new_site_does_not_have_is_asked_for_in_vain(index: Index) -> None:
    site = a_site(index)
    about = a_chain_query(site).readmitted(Client(site.policy.grades["11"]), site)
    grades = {key: grade for key, grade in site.policy.grades.items() if key != "11"}
    kept = tuple(network for network in site.policy.networks if network.grade != "11")
    policy = replace(site.policy, grades=grades, networks=kept)
    holder, then = SiteHolder(site), Site.of(policy, index, site.route.servers)

    def change() -> None:
        holder.current = then

    answer = answer_of(Filter(holder, FakeClock()), about, _while(site, change))
    assert answer.source is Source.REFUSED


@pytest.mark.parametrize("rules", [[], [allow("www.example.com", ends_at=NOW + 50)]])
def test_an_answer_while_nothing_changes_is_judged_once(
    index: Index, rules: list[LocalRule]
) -> None:
    answer = Changing(a_site(index, rules=rules)).answer("www.example.com")
    assert (answer.source, answer.readmitted) == (Source.FORWARDED, None)


def test_a_client_that_is_found_anew_and_is_the_same_is_judged_once(index: Index) -> None:
    site = a_site(index)
    query = a_chain_query(site)
    same = replace(query.client)
    assert same is not query.client
    answer = answer_of(
        Filter(SiteHolder(site), FakeClock()),
        query,
        _while(site, lambda: object.__setattr__(site, "identifier", _Knows(same))),
    )
    assert (answer.source, answer.readmitted) == (Source.FORWARDED, None)


def test_a_site_that_changes_twice_judges_by_the_last(index: Index) -> None:
    zone = DelegatedZone(wire("example.com"), (UpstreamServer("192.0.2.8"),))
    left = [a_site(index), a_site(index, delegated_zones=[zone]), a_site(index)]
    last, holder = left[-1], SiteHolder(left.pop(0))

    async def forward(query: Query) -> Answer:
        if left:
            holder.current = left.pop(0)
        return await leading_to()(query)

    answer = answer_of(Filter(holder, FakeClock()), a_chain_query(holder.current), forward)
    assert answer.readmitted is not None
    assert answer.readmitted.site is last


@pytest.mark.parametrize(
    ("of_name", "of_targets", "until"),
    [
        (20, {"b.example": 50}, 20),
        (None, {"b.example": 50}, 50),
        (None, {"b.example": 50, "c.example": 30}, 30),
        (None, {"b.example": 30, "c.example": 50}, 30),
    ],
)
def test_whichever_end_comes_first_bounds_the_answer(
    index: Index, of_name: int | None, of_targets: dict[str, int], until: int
) -> None:
    rules = [allow(name, ends_at=NOW + ends) for name, ends in of_targets.items()]
    if of_name is not None:
        rules.append(allow("www.a.example", ends_at=NOW + of_name))
    answer = Changing(a_site(index, rules=rules)).answer("www.a.example", *of_targets)
    assert answer.verdict is not None
    assert answer.verdict.valid_until == NOW + until
