# SPDX-License-Identifier: Apache-2.0
"""Link: no public name leads into the school's network (dns.md §11, DNS rebinding)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.verdict import Action, Verdict
from filterd.resolve.home_names import leads_home
from filterd.resolve.query import Answer, Query, Source
from filterd.upstream.redaction import without_private
from filterd.wire import Ede, EdeCode
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.resolve.link import Handler

_BLOCKED = Ede(EdeCode.BLOCKED)


class Rebinding:
    """Takes private addresses out of answers, unless the site lets the name have some.

    An alias into the school's own names leaves nothing of an answer: what they mean is
    looked up here. The name that was asked for decides, wherever its aliases lead: it is the
    name by which a browser tells pages of one origin from another's.
    """

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """See what would be sent, cached or not; may return less of it, or a block."""
        answer = await proceed(query)
        resolution = answer.resolution
        query = answer.readmitted or query
        if resolution is None or not (resolution.private or resolution.targets):
            return answer
        led_home = any(leads_home(query.site, query.qname, one) for one in resolution.targets)
        if not (resolution.private or led_home) or _may_lead_home(query):
            return answer
        left = None if led_home else without_private(resolution, query.message.question)
        if left is None:
            until = answer.verdict.valid_until if answer.verdict else None
            verdict = Verdict(Action.NODATA, valid_until=until)
            return answer._replace(
                source=Source.BLOCKED, verdict=verdict, resolution=None, by_target=True
            )
        return answer._replace(resolution=left._replace(edes=(*left.edes, _BLOCKED)))


def _may_lead_home(query: Query) -> bool:
    allowed = query.site.policy.private_answers
    return any(names.is_at_or_beneath(query.qname, name) for name in allowed)
