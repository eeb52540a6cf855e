# SPDX-License-Identifier: Apache-2.0
"""A first look at a name: can it be at or beneath any of those that something is known of?

Nearly all names that are asked are the Internet's, and for them it takes one
look at their last octets to say so. Errs towards yes; whoever hears that walks
the name label by label and knows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_COMPARED = 8
"""Names with one tail; where there are more, walking the labels takes no longer."""


class Endings:
    """Names that something is known of, by their last octets. Immutable.

    Args:
        names: in canonical wire form.
    """

    def __init__(self, names: Iterable[bytes]) -> None:
        known = frozenset(names)
        self._tail_octets = min(map(len, known), default=1)
        by_tail: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for name in known:
            by_tail[name[-self._tail_octets :]].append(name)
        self._by_tail = {
            tail: tuple(ends) if len(ends) <= _MOST_COMPARED else (tail,)
            for tail, ends in by_tail.items()
        }

    def may_cover(self, qname: bytes) -> bool:
        """Tell whether one of the names may be ``qname`` or an ancestor of it.

        Never denies one that is: a name ends with each of its ancestors.
        """
        ends = self._by_tail.get(qname[-self._tail_octets :])
        return ends is not None and qname.endswith(ends)
