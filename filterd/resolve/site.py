# SPDX-License-Identifier: Apache-2.0
"""Everything that a reload replaces, in one immutable bundle.

A query reads ``SiteHolder.current`` once and carries it. A reload makes a new
bundle beside the old one and then moves one reference, so no query ever sees
half of each, and none waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from filterd.identity import Identifier
from filterd.lists.index import Index
from filterd.policy.engine import Engine
from filterd.policy.model import Policy
from filterd.resolve.zones import Zones


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One policy and one index, and what follows from them."""

    policy: Policy
    index: Index
    engine: Engine
    identifier: Identifier
    zones: Zones

    @classmethod
    def of(cls, policy: Policy, index: Index) -> Site:
        """Join a policy and an index."""
        return cls(
            policy, index, Engine(policy, index), Identifier(policy), Zones(policy)
        )


class SiteHolder:
    """The one mutable reference: which site is in force."""

    def __init__(self, site: Site) -> None:
        self.current = site
