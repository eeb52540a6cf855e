# SPDX-License-Identifier: Apache-2.0
"""What of a site can be read without thinking: for the fast path, made while nobody waits.

To find the names of which anybody but a list speaks takes as long as dozens of
answers. So it belongs to the site, which is loaded beside the one in force, and
not to the moment at which everybody begins to be answered by it.
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
    """One policy and one index, as who does not think reads them.

    Attributes:
        sets: what a claim set means to a grade.
        touched: the names of which anything but a list speaks, and those above.
        named: the addresses of clients that are somebody of their own to some rule.
    """

    sets: SetReader
    touched: dict[bytes, Touch]
    named: frozenset[str]

    @classmethod
    def of(cls, policy: Policy, index: Index, changes: Iterable[Dated] = ()) -> Self:
        """Read a policy and an index.

        Args:
            policy: a plain one.
            index: the compiled lists.
            changes: what is open or closed for a time; who has some of his own to
                come has edges that nobody else has.
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
