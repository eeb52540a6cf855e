# SPDX-License-Identifier: Apache-2.0
"""Queries, and the rest of a chain, for tests of links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.resolve.pipeline import Chain
from filterd.resolve.query import Answer, Fetched, Link, Peer, Query, Source, leaves_all_alone
from filterd.wire import parse_query
from tests.support.serving import GRADE_1
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.base.errors import UpstreamError
    from filterd.resolve.query import Handler
    from filterd.resolve.site import Site
    from filterd.upstream import Resolution, UpstreamQuestion

FORWARDED = Answer(Source.FAILED)
"""What the rest of the chain answers; a link that gives it has proceeded."""


def a_chain_query(
    site: Site,
    name: str = "www.example.com",
    qtype: str = "A",
    *,
    address: str = GRADE_1,
    **flags: Any,
) -> Query:
    """Return a query of this client as it goes down the chain."""
    client = site.identifier.identify(address)
    assert client is not None
    return Query(parse_query(a_query(name, qtype, **flags)), Peer(address), client, site)


def already_answered(
    query: Query,
    outcome: Resolution | UpstreamError,
    *,
    key: UpstreamQuestion | None = None,
    began_at: float = 0,
) -> Query:
    """Return a query to which upstreams have said this; ``key``: to another question."""
    fetched = Fetched(key or query.upstream_question, outcome, began_at)
    return Query(query.message, query.peer, query.client, query.site, fetched=fetched)


async def proceed(_: Query) -> Answer:
    """Answer as the rest of the chain."""
    return FORWARDED


class Last(Link):
    """A link that answers by a handler."""

    leaves_alone = staticmethod(leaves_all_alone)

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:  # noqa: ARG002
        """Never proceed."""
        return self._handler(query)


def chain_of(handler: Handler) -> Chain:
    """Return a chain of one link."""
    return Chain([Last(handler)])


def answer_of(link: Link, query: Query, then: Handler = proceed) -> Answer:
    """Return what a link answers that does not wait."""
    return without_waiting(link(query, then))


def without_waiting(work: Awaitable[Answer]) -> Answer:
    """Run what never waits; fail if it does."""
    try:
        work.__await__().send(None)
    except StopIteration as finished:
        answer: Answer = finished.value
        return answer
    raise AssertionError("it waits")
