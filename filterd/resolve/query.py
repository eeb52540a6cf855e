# SPDX-License-Identifier: Apache-2.0
"""What goes down the chain and what comes back up: facts, composed only at the end."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.upstream import UpstreamQuestion
from filterd.wire import Ede, ParsedQuery, Rcode

if TYPE_CHECKING:
    from filterd.policy.client import Client
    from filterd.policy.model import ZoneRecord
    from filterd.policy.verdict import Verdict
    from filterd.resolve.site import Site
    from filterd.upstream import Resolution, Route


class Peer(NamedTuple):
    """Where a question came from and by which interface, as the kernel says.

    ``interface`` is an index, 0 where it is not known: a link-local address
    means something only together with it.
    """

    address: str
    interface: int = 0


class Query(NamedTuple):
    """One question on its way down the chain.

    ``site`` is the policy and index at which it was admitted; where a newer one
    is in force by the time an upstream has answered, the answer is judged again.
    ``asked_at`` is Unix time, as far as the machine knows it. ``rewritten_to``
    is the name that answers in the place of the qname, where policy says so.
    """

    message: ParsedQuery
    peer: Peer
    client: Client
    site: Site
    asked_at: float = inf
    rewritten_to: bytes | None = None

    @property
    def qname(self) -> bytes:
        """The canonical name asked for."""
        return self.message.question.qname

    @property
    def qtype(self) -> int:
        """The type asked for."""
        return self.message.question.qtype

    @property
    def do(self) -> bool:
        """Whether the asker wants DNSSEC records."""
        return self.message.edns is not None and self.message.edns.do

    @property
    def upstream_key(self) -> tuple[UpstreamQuestion, Route]:
        """What an upstream is asked, and which are: all that its answer depends on."""
        question = UpstreamQuestion(self.qname, self.qtype, self.do, self.message.header.cd)
        return question, self.site.route_of(self.qname, self.asked_at)


class Source(StrEnum):
    """Who made the answer."""

    BLOCKED = "blocked"
    LOCAL = "local"
    REWRITTEN = "rewritten"
    CACHED = "cached"
    STALE = "stale"
    FORWARDED = "forwarded"
    REFUSED = "refused"
    FAILED = "failed"


class Answer(NamedTuple):
    """What the chain found: facts about the answer, not yet a message.

    Of the rest, ``source`` says which are set: BLOCKED a blocking ``verdict``;
    LOCAL ``rcode`` and ``records``; REWRITTEN, where no record is left of the
    name, the ``edes``; CACHED and FORWARDED a ``resolution`` that
    is ``age_s`` seconds old; STALE one that has expired; STALE, REFUSED and
    FAILED the ``edes`` that say why. ``overloaded``: it FAILED because too much
    is being asked, which says nothing of the name.
    ``readmitted`` is the question as it was judged in the end, where the site
    changed while it waited: the client may have another grade by then.
    """

    source: Source
    verdict: Verdict | None = None
    rcode: int = Rcode.NOERROR
    records: tuple[ZoneRecord, ...] = ()
    resolution: Resolution | None = None
    age_s: int = 0
    edes: tuple[Ede, ...] = ()
    overloaded: bool = False
    readmitted: Query | None = None
