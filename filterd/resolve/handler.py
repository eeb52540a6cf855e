# SPDX-License-Identifier: Apache-2.0
"""The contract of the chain, on one screen.

A *handler* turns a query into an answer. A *link* is a handler that is given
the rest of the chain as an argument and may ask it or not; it has no wiring of
its own, so a test hands it a lambda.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from filterd.resolve.query import Answer, Query

Handler = Callable[[Query], Awaitable[Answer]]


class Link(Protocol):
    """One step of the chain."""

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """Answer ``query``, or return what ``proceed(query)`` answers, changed or not."""


def chain(links: Sequence[Link]) -> Handler:
    """Fold links, the outermost first, into one handler. The last must not proceed."""

    async def end(query: Query) -> Answer:
        raise AssertionError(f"no link answered {query.message.question}")

    handler: Handler = end
    for link in reversed(links):
        handler = _bind(link, handler)
    return handler


def _bind(link: Link, proceed: Handler) -> Handler:
    def handler(query: Query) -> Awaitable[Answer]:
        return link(query, proceed)

    return handler
