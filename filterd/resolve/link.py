# SPDX-License-Identifier: Apache-2.0
"""The contract of a link of the chain, on one screen.

A *handler* turns a query into an answer. A *link* is a handler that is given
the rest of the chain as an argument and may call it or not; it has no wiring of
its own, so a test passes it a lambda.

A link that does not change the answer is no ``async def``: it returns the awaitable
of the rest of the chain, and is not involved any more when the answer comes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from filterd.resolve.query import Answer, Query

Handler = Callable[[Query], Awaitable[Answer]]


class Link(Protocol):
    """One step of the chain."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer ``query``, or return the answer of ``proceed(query)``, changed or not."""


async def answered(answer: Answer) -> Answer:
    """Return an awaitable of an answer, in a link that is no ``async def``."""
    return answer


def chain(links: Sequence[Link]) -> Handler:
    """Fold links, the outermost first, into one handler; the last must not proceed."""

    async def end(query: Query) -> Answer:
        raise AssertionError(f"no link answered {query.message.question}")

    handler: Handler = end
    for link in reversed(links):
        handler = _bind(link, handler)
    return handler


def _bind(link: Link, proceed: Handler) -> Handler:
    ask = link.__call__  # looked up once, not for every query

    def handler(query: Query) -> Awaitable[Answer]:
        return ask(query, proceed)

    return handler
