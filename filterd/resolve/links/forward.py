# SPDX-License-Identifier: Apache-2.0
"""Link, the last: forwarding to upstreams."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from filterd.errors import UpstreamError, UpstreamOverloadError, UpstreamTimeoutError
from filterd.resolve.link import Link
from filterd.resolve.query import Answer, Query, Source
from filterd.upstream import CONCLUSIVE, DEADLINE_S
from filterd.wire import Ede, EdeCode

if TYPE_CHECKING:
    from filterd.resolve.link import Handler
    from filterd.upstream import Forwarder, Resolution, UpstreamQuestion

NO_ANSWER = Ede(EdeCode.NO_REACHABLE_AUTHORITY)
NETWORK_ERROR = Ede(EdeCode.NETWORK_ERROR)


class Forward(Link):
    """A link that asks a delegated zone's own servers, else the upstreams."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder

    def leaves_alone(self, _: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether it is an answer without extended errors.

        ``answer_reply`` composes one with extended errors.
        """
        return resolution.rcode in CONCLUSIVE and not resolution.edes

    async def __call__(self, query: Query, proceed: Handler) -> Answer:  # noqa: ARG002 -- a link
        """Answer every query that reaches it; never proceed."""
        try:
            resolution = await self._resolution(query)
        except UpstreamTimeoutError:
            return Answer(Source.FAILED, edes=(NO_ANSWER,), overloaded=_had_less_time(query))
        except UpstreamOverloadError:
            return Answer(Source.FAILED, edes=(NETWORK_ERROR,), overloaded=True)
        except UpstreamError:
            return Answer(Source.FAILED, edes=(NETWORK_ERROR,))
        if resolution.rcode not in CONCLUSIVE:
            return Answer(Source.FAILED, edes=resolution.edes or (NO_ANSWER,))
        return Answer(Source.FORWARDED, None, resolution)

    async def _resolution(self, query: Query) -> Resolution:
        """Return the upstreams' resolution, fetched before or now; raise their error."""
        question, fetched = query.upstream_question, query.fetched
        if fetched is None or fetched.question != question:
            deadline = query.began_at + DEADLINE_S
            return await self._forwarder.resolve(question, query.peer.address, deadline)
        if isinstance(fetched.outcome, UpstreamError):
            raise type(fetched.outcome)(
                *fetched.outcome.args
            )  # the object is shared with other waiters
        return fetched.outcome


def _had_less_time(query: Query) -> bool:
    """Return whether other servers were asked first, so that silence proves nothing."""
    fetched = query.fetched
    is_fetched = fetched is not None and fetched.question == query.upstream_question
    return query.began_at != inf and not is_fetched
