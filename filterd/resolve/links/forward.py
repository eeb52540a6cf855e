# SPDX-License-Identifier: Apache-2.0
"""Link, the last: ask the upstreams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import UpstreamError, UpstreamOverloadError, UpstreamTimeoutError
from filterd.resolve.query import Answer, Query, Source
from filterd.upstream import CONCLUSIVE
from filterd.wire import Ede, EdeCode

if TYPE_CHECKING:
    from filterd.resolve.handler import Handler
    from filterd.upstream import Forwarder

NO_ANSWER = Ede(EdeCode.NO_REACHABLE_AUTHORITY)
NETWORK_ERROR = Ede(EdeCode.NETWORK_ERROR)


class Forward:
    """Asks the zone's own servers where the site delegates it, else the upstreams."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder

    async def __call__(self, query: Query, proceed: Handler) -> Answer:  # noqa: ARG002 -- a link
        """See what nothing above could answer. Never proceeds."""
        question, route = query.upstream_key
        try:
            resolution = await self._forwarder.resolve(question, route, query.peer.address)
        except UpstreamTimeoutError:
            return Answer(Source.FAILED, edes=(NO_ANSWER,))
        except UpstreamOverloadError:
            return Answer(Source.FAILED, edes=(NETWORK_ERROR,), overloaded=True)
        except UpstreamError:
            return Answer(Source.FAILED, edes=(NETWORK_ERROR,))
        if resolution.rcode not in CONCLUSIVE:
            return Answer(Source.FAILED, edes=resolution.edes or (NO_ANSWER,))
        return Answer(Source.FORWARDED, None, resolution)
