# SPDX-License-Identifier: Apache-2.0
"""Link: no keys for Encrypted Client Hello where policy forbids it (dns.md §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve.link import Link
from filterd.upstream.redaction import without_ech

if TYPE_CHECKING:
    from filterd.resolve.link import Handler
    from filterd.resolve.query import Answer, Query
    from filterd.upstream import Resolution, UpstreamQuestion


class Ech(Link):
    """A link that removes the keys for some grades; cached answers keep them."""

    def leaves_alone(self, _: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether the answer offers no key."""
        return not resolution.ech

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """Return any answer, cached or not, without the keys."""
        answer = await proceed(query)
        resolution = answer.resolution
        query = answer.readmitted or query
        if resolution is None or not resolution.ech or not query.client.grade.strip_ech:
            return answer
        return answer._replace(resolution=without_ech(resolution, query.message.question))
