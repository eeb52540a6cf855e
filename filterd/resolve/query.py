# SPDX-License-Identifier: Apache-2.0
"""What goes down the chain and what comes back up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from filterd.policy.client import Client
from filterd.policy.verdict import Verdict
from filterd.resolve.site import Site
from filterd.wire import Ede, ParsedQuery, RebuiltSections


class Transport(StrEnum):
    """How the question came."""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a question came from and by which interface, as the kernel says.

    ``interface`` is an index, 0 where it is not known: a link-local address
    means something only together with it.
    """

    address: str
    port: int
    interface: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """One question on its way down the chain.

    ``site`` is the policy and index at which it was admitted; where a newer one
    is in force by the time an upstream has answered, the answer is judged again.
    """

    message: ParsedQuery
    client: Client
    site: Site
    transport: Transport = Transport.UDP

    @property
    def qname(self) -> bytes:
        """The canonical name asked for."""
        return self.message.question.qname

    @property
    def qtype(self) -> int:
        """The type asked for."""
        return self.message.question.qtype


class Source(StrEnum):
    """Who made the answer."""

    BLOCKED = "blocked"
    LOCAL = "local"
    CACHED = "cached"
    FORWARDED = "forwarded"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an upstream said, independent of who asked: the part that a cache may keep.

    ``targets`` are the CNAME and SVCB targets in it, which policy judges for
    each asker anew. ``ttl_s`` is how long all of it holds, 0 for not at all.
    ``edes`` are the upstream's own extended errors (RFC 8914).
    """

    rcode: int
    sections: RebuiltSections
    targets: tuple[bytes, ...] = ()
    ttl_s: int = 0
    authentic: bool = False
    edes: tuple[Ede, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A response and where it comes from.

    ``message`` is whole, for this asker, not yet cut to a size. ``resolution``
    is there when an upstream's words are in it.
    """

    message: bytes
    source: Source
    verdict: Verdict | None = None
    resolution: Resolution | None = None
