# SPDX-License-Identifier: Apache-2.0
"""Answers that still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdatatype
import pytest

from filterd.policy.model import UpstreamServer
from filterd.resolve.links.cache import Cache
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.store import ResolutionStore
from filterd.upstream import UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import parse_response
from tests.support.chain import a_chain_query, answer_of, proceed
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import GRADE_11, STAFF, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.upstream import Resolution

NAME = "www.example.com"


def a_resolution(ttl_s: int = 300) -> Resolution:
    response = a_response(a_query(NAME), f"{NAME} {ttl_s} A 192.0.2.1")
    question = UpstreamQuestion(wire(NAME), dns.rdatatype.A, do=False, cd=False)
    return resolution_of(parse_response(response), question)


async def forward(_: Query) -> Answer:
    return Answer(Source.FORWARDED, resolution=a_resolution())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> Cache:
    return Cache(ResolutionStore(), clock)


def test_an_answer_is_given_again_with_its_age(
    index: Index, cache: Cache, clock: FakeClock
) -> None:
    query = a_chain_query(a_site(index))
    assert answer_of(cache, query, forward).source == Source.FORWARDED
    clock.advance(42.7)
    again = answer_of(cache, query, proceed)
    assert (again.source, again.age_s) == (Source.CACHED, 42)


def test_it_holds_until_its_end(index: Index, cache: Cache, clock: FakeClock) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock.advance(299)
    assert answer_of(cache, query, forward).source == Source.CACHED
    clock.advance(1)
    assert answer_of(cache, query, forward).source == Source.FORWARDED


@pytest.mark.parametrize("address", [GRADE_11, STAFF])
def test_other_clients_share_it(index: Index, cache: Cache, address: str) -> None:
    site = a_site(index)
    answer_of(cache, a_chain_query(site), forward)
    other = a_chain_query(site, address=address, edns=False, ad=True)
    assert answer_of(cache, other, proceed).source == Source.CACHED


@pytest.mark.parametrize("flags", [{"do": True}, {"cd": True}, {"qtype": "AAAA"}])
def test_what_an_upstream_sees_otherwise_is_kept_apart(
    index: Index, cache: Cache, flags: dict[str, bool]
) -> None:
    site = a_site(index)
    answer_of(cache, a_chain_query(site), forward)
    other = a_chain_query(site, **flags)  # type: ignore[arg-type]  # one of them is a text
    assert answer_of(cache, other, forward).source == Source.FORWARDED


def test_what_other_upstreams_said_is_kept_apart(index: Index, cache: Cache) -> None:
    answer_of(cache, a_chain_query(a_site(index)), forward)
    elsewhere = a_site(index, [UpstreamServer("192.0.2.9")])
    assert answer_of(cache, a_chain_query(elsewhere), forward).source == Source.FORWARDED


def test_a_failure_is_not_kept(index: Index, cache: Cache) -> None:
    query = a_chain_query(a_site(index))
    assert answer_of(cache, query, proceed).source == Source.FAILED
    assert answer_of(cache, query, forward).source == Source.FORWARDED


def test_a_clock_of_day_that_jumps_changes_nothing(
    index: Index, cache: Cache, clock: FakeClock
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock._wall -= 86_400 * 365
    assert answer_of(cache, query, proceed).age_s == 0
