# SPDX-License-Identifier: Apache-2.0
"""Names that no log, view, export or alert may have. Pure.

A name is confidential if an entry of a confidential category covers it, whichever category
decided, or if it is of a help line for children (a pin for the reason ``HELP``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.errors import IndexFormatError
from filterd.lists.rules import ALWAYS_CONFIDENTIAL, Claim, Effect
from filterd.policy.list_claims import reaches
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.policy.model import Policy

HELP = "help"
"""The reason of the pins that are help lines (blocklists/pins.yaml)."""


class ConfidentialNames:
    """The confidential names of one policy and one index; it memorises claim sets.

    ``categories``: the ids of the confidential categories.
    """

    def __init__(self, policy: Policy, index: Index) -> None:
        marked = (category.id for category in policy.categories.values() if category.confidential)
        self.categories = ALWAYS_CONFIDENTIAL.union(marked)
        self._index = index
        lists = enumerate(index.lists)
        self._lists = frozenset(n for n, one in lists if one.category in self.categories)
        self._claims: dict[int, tuple[Claim, ...]] = {}
        pins = [pin for pin in policy.pins if pin.reason == HELP]
        self._help = frozenset(pin.name for pin in pins)
        self._help_subtrees = frozenset(pin.name for pin in pins if pin.subtree)

    def __contains__(self, qname: bytes) -> bool:
        """Return whether a name is confidential, for a question of any type.

        Raises:
            IndexFormatError: the index is damaged where it had to be read.
        """
        if qname in self._help or not self._help_subtrees.isdisjoint(names.suffixes(qname)):
            return True
        if not self._lists:
            return False
        labels = names.count_labels(qname)
        return any(
            reaches(claim, qname, at_self=hit.labels == labels)
            for hit in self._index.lookup(qname)
            for claim in self._claims_of(hit.set_id)
        )

    def hides(self, qname: bytes, category: str = "") -> bool:
        """Return whether no view may have a name, of the category that decided.

        It errs towards yes: where the index cannot be read. Never raises.
        """
        try:
            return category in self.categories or qname in self
        except IndexFormatError:
            return True

    def _claims_of(self, set_id: int) -> tuple[Claim, ...]:
        found = self._claims.get(set_id)
        if found is None:
            claims = (self._index.claims[claim_id] for claim_id in self._index.sets[set_id])
            found = self._claims[set_id] = tuple(
                claim
                for number, claim in claims
                if number in self._lists and claim.effect is Effect.BLOCK
            )
        return found
