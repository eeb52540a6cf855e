# SPDX-License-Identifier: Apache-2.0
"""Link: the safe-search twin of a search engine answers in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve.link import Link, answered, leaves_all_alone
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import Ede, EdeCode, Question, RRType, read_back, rebuild_behind_alias

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.resolve.link import Handler
    from filterd.upstream import Resolution

ALIAS_TTL_S = 300
"""The TTL of an alias; a short one saves keeping the alias apart."""

_FORGED = Ede(EdeCode.FORGED_ANSWER)
_ADDRESS_TYPES = (RRType.A, RRType.AAAA)
_OF_DNSSEC = (RRType.RRSIG, RRType.NSEC, RRType.NSEC3)


class Rewrite(Link):
    """A link that asks for the twin and answers by an alias from the qname.

    Service bindings get no data: they would lead back to the name's own
    addresses, and a key for Encrypted Client Hello would hide the visit.
    """

    leaves_alone = staticmethod(leaves_all_alone)
    """The names that it rewrites are in ``PlainView.touched``, as those of ``Local`` are."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer allowed questions; their verdicts name the ones to rewrite."""
        target = query.rewritten_to
        if target is None:
            return proceed(query)
        if query.qtype not in _ADDRESS_TYPES:
            return answered(Answer(Source.REWRITTEN, edes=(_FORGED,)))
        return self._ask(query, Question.of(target, query.qtype), proceed)

    async def _ask(self, query: Query, asked: Question, proceed: Handler) -> Answer:
        answer = await proceed(query.about(asked))
        if answer.resolution is None:
            return answer
        ttl_s = answer.age_s + ALIAS_TTL_S
        changed = behind_alias(answer.resolution, asked, query.message.question, ttl_s)
        changed = changed._replace(edes=(*changed.edes, _FORGED))
        return answer._replace(resolution=changed)


def behind_alias(
    resolution: Resolution, target: Question, question: Question, ttl_s: int
) -> Resolution:
    """Return a resolution as the answer for an alias of its name.

    Args:
        resolution: the cached one, for the target.
        target: the question that it answers.
        question: the one that was asked.
        ttl_s: of the alias.
    """
    response = read_back(resolution.sections, target)
    kept = [record for record in response.records if record.rtype not in _OF_DNSSEC]
    sections = rebuild_behind_alias(response, kept, question, ttl_s)
    targets = (target.qname, *resolution.targets)
    return resolution._replace(sections=sections, targets=targets, authentic=False, plain=False)
