# SPDX-License-Identifier: Apache-2.0
"""The order of the chain, told by what each position keeps from those below."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from filterd.resolve import pipeline
from filterd.resolve.background_tasks import Background
from filterd.resolve.cache_store import ResolutionStore
from filterd.resolve.query import Source
from filterd.resolve.site import SiteHolder
from filterd.upstream import Forwarder, Resolution, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import name as names
from filterd.wire import parse_response
from tests.support.chain import a_chain_query
from tests.support.clock import FakeClock
from tests.support.policies import a_pin, wire
from tests.support.serving import a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.lists.index import Index
    from filterd.upstream import Route


class NotingForwarder(Forwarder):
    """Answers everything with one address and notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.asked: list[bytes] = []

    async def resolve(
        self,
        question: UpstreamQuestion,
        route: Route,  # noqa: ARG002 -- as the real one has it
        asker: Hashable = None,  # noqa: ARG002 -- likewise
        deadline: float = inf,  # noqa: ARG002 -- likewise
    ) -> Resolution:
        self.asked.append(question.qname)
        name = names.to_text(question.qname)
        response = a_response(a_query(name), f"{name} 300 A 192.0.2.1")
        return resolution_of(parse_response(response), question)


ORDER = [
    # name, type, flags, who answers, what is asked upstream
    ("porn.example", "AXFR", {}, Source.REFUSED, 0),  # admission before the filter
    ("localhost", "A", {}, Source.LOCAL, 0),  # local before the filter
    ("porn.example", "A", {"rd": False}, Source.REFUSED, 0),  # nothing is told without RD
    ("porn.example", "A", {}, Source.BLOCKED, 0),  # filter before cache and upstream
    ("porn.example", "ANY", {}, Source.BLOCKED, 0),  # filter before ANY
    ("www.example.com", "ANY", {}, Source.LOCAL, 0),  # ANY before cache and upstream
    ("www.example.com", "A", {}, Source.FORWARDED, 1),
]


@pytest.mark.parametrize(("name", "qtype", "flags", "source", "asked"), ORDER)
def test_each_link_stands_where_it_must(
    index: Index, name: str, qtype: str, flags: dict[str, Any], source: Source, asked: int
) -> None:
    site, forwarder, store = a_site(index), NotingForwarder(), ResolutionStore()
    handler = pipeline.build(SiteHolder(site), store, forwarder, FakeClock(), Background())

    async def ask() -> Source:
        return (await handler(a_chain_query(site, name, qtype, **flags))).source

    assert asyncio.run(ask()) == source
    assert (len(forwarder.asked), len(store)) == (asked, asked)


def test_a_cached_answer_is_judged_like_a_fresh_one(index: Index) -> None:
    site, forwarder, store = a_site(index), NotingForwarder(), ResolutionStore()
    sites = SiteHolder(site)
    handler = pipeline.build(sites, store, forwarder, FakeClock(), Background())

    async def ask() -> list[Source]:
        opened = a_site(index, pins=[a_pin("porn.example")])
        sites.current = opened
        first = await handler(a_chain_query(opened, "porn.example"))
        second = await handler(a_chain_query(opened, "porn.example"))
        sites.current = site
        third = await handler(a_chain_query(site, "porn.example"))
        return [first.source, second.source, third.source]

    assert asyncio.run(ask()) == [Source.FORWARDED, Source.CACHED, Source.BLOCKED]
    assert forwarder.asked == [wire("porn.example")]
