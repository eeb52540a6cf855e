# SPDX-License-Identifier: Apache-2.0
"""A group of servers that may be asked the same things, and how each has fared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer

_FAILURES_UNTIL_DOWN = 3
_DOWN_S = 10.0
_SMOOTHING = 0.2
_FIRST_HEDGE_S = 0.150


@dataclass(slots=True, eq=False)
class ServerHealth:
    """What is known of one server. ``srtt_s`` is its smoothed round-trip time."""

    server: UpstreamServer
    srtt_s: float = 0.0
    failures: int = 0
    down_until: float = 0.0
    edns: bool = True
    """Cleared when the server has answered FORMERR or NOTIMP to EDNS."""

    def answered(self, took_s: float) -> None:
        """Note an answer."""
        self.srtt_s += (took_s - self.srtt_s) * (_SMOOTHING if self.srtt_s else 1.0)
        self.failures, self.down_until = 0, 0.0

    def failed(self, now: float) -> None:
        """Note that no answer came in time."""
        self.failures += 1
        if self.failures >= _FAILURES_UNTIL_DOWN:
            self.down_until = now + _DOWN_S

    @property
    def hedge_after_s(self) -> float:
        """How long to wait for it before another server is asked as well."""
        return max(_FIRST_HEDGE_S, 2 * self.srtt_s)


class ServerGroup:
    """The servers in the operator's order."""

    def __init__(self, servers: tuple[UpstreamServer, ...]) -> None:
        self.members = tuple(ServerHealth(server) for server in servers)

    def in_order(self, now: float) -> list[ServerHealth]:
        """Return whom to ask first: as configured, those that seem down last."""
        return sorted(self.members, key=lambda member: member.down_until > now)
