# SPDX-License-Identifier: Apache-2.0
"""The site as the fast path reads it, prepared while no client waits.

Finding the names with other rules than list entries takes as long as dozens of
answers. So it belongs to the site, which is loaded beside the active one, and not to
the moment at which that site becomes active for all clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from filterd.policy.model import Audience
from filterd.policy.plain_sets import SetReader, touched
from filterd.resolve import special_use
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.index import Index
    from filterd.policy.grade_changes import Dated
    from filterd.policy.model import Policy
    from filterd.policy.plain_sets import Touch

_REVERSE = tuple(map(names.from_text, ("in-addr.arpa", "ip6.arpa")))


class PlainView(NamedTuple):
    """One policy and one index, as the fast path reads them.

    Attributes:
        sets: the meaning of a claim set for a grade.
        touched: the names with any rule but a list entry, and their ancestors.
        named: the addresses of clients that a rule treats individually.
    """

    sets: SetReader
    touched: dict[bytes, Touch]
    named: frozenset[str]

    @classmethod
    def of(cls, policy: Policy, index: Index, changes: Iterable[Dated] = ()) -> Self:
        """Prepare the view of a policy and an index.

        Args:
            policy: a plain one.
            index: the compiled lists.
            changes: what is open or closed for a time; a client with changes of its own
                has times of change that other clients do not have.
        """
        leased = _REVERSE if policy.lease_zone is not None else ()
        clients = (rule.whom for rule in policy.rules if rule.audience is Audience.CLIENT)
        coming = (one.change.whom for one in changes if one.change.audience is Audience.CLIENT)
        servers = (server.address for zone in policy.delegated_zones for server in zone.servers)
        return cls(
            SetReader(policy, index),
            touched(policy, (*special_use.SUBTREES, *leased)),
            frozenset((*clients, *coming, *servers, *policy.clients)),
        )
