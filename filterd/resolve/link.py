# SPDX-License-Identifier: Apache-2.0
"""The contract of a link of the chain, and of an observer, on one screen.

A *handler* turns a query into an answer. A *link* is a handler that is given
the rest of the chain as an argument and may call it or not; it has no wiring of
its own, so a test passes it a lambda.

A link that does not change the answer is no ``async def``: it returns the awaitable
of the rest of the chain, and is not involved any more when the answer comes.

Most answers are sent by the fast path, not by the chain. So each link declares what
it would leave unchanged (``leaves_alone``) and whose answers it must be given
(``must_see``); ``pipeline`` folds both, and the fast path asks the result.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from filterd.resolve.query import Answer, Query

if TYPE_CHECKING:
    from filterd.policy.model import Client
    from filterd.upstream import Resolution, UpstreamQuestion

Handler = Callable[[Query], Awaitable[Answer]]


def leaves_all_alone(_: UpstreamQuestion, __: Resolution, /) -> bool:
    """Return True: the ``leaves_alone`` of a link that changes no upstream's answer."""
    return True


class Link(Protocol):
    """One step of the chain."""

    @abstractmethod
    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer ``query``, or return the answer of ``proceed(query)``, changed or not."""

    @abstractmethod
    def leaves_alone(self, question: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether the link would pass on an upstream's answer unchanged.

        Asked once, when the answer comes. The result is kept with it, so it must hold
        for every client, every site and all time; where it depends on them, it is False
        and the chain serves the answer.
        """

    def must_see(self, _: Client, /) -> bool:
        """Return whether all answers to a client must pass through the link.

        For a link that changes nothing and records something. Asked when the fast path
        learns a client; it then answers none of its questions.
        """
        return False


class AnswerObserver(Protocol):
    """A receiver of the chain's answers that is no link; see ``Resolver.observers``."""

    def must_see(self, client: Client, /) -> bool:
        """Return whether it needs all answers to a client, as ``Link.must_see`` does."""

    def saw(self, query: Query, answer: Answer) -> None:
        """Take an answer; must not change it."""


async def answered(answer: Answer) -> Answer:
    """Return an awaitable of an answer, in a link that is no ``async def``."""
    return answer
