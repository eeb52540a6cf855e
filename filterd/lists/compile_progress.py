# SPDX-License-Identifier: Apache-2.0
"""How far a compilation is: one number that never goes back, over all its steps.

Measured in octets of the lists, because these are known before anything is
read. Steps that read none of them take time all the same, so each step has a
share of the whole, as measured with a million names; a bar then ends when the
work does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how far the work is and how far it goes."""

_READ = 0.70
"""Of the work is done when all lists are read; then their records are sorted."""
_SORTED = 0.80
_PACKED = 0.90
"""Then the table of slots is filled, and the file written and verified."""


class Work:
    """The work of one compilation.

    Args:
        tell: whom to tell.
        octets: how long all lists are together.
    """

    def __init__(self, tell: Progress, octets: int) -> None:
        self._tell, self._octets = tell, octets
        self._furthest = 0

    def has_read(self, before: int, octets: int = 0) -> None:
        """So many octets are read of a list, and of all lists before it."""
        self._reach(_READ * (before + octets) / max(self._octets, 1))

    def has_packed(self, records: int, of: int) -> None:
        """So many of the sorted records are packed; beginning again does not go back."""
        self._reach(_SORTED + (_PACKED - _SORTED) * records / max(of, 1))

    def finish(self) -> None:
        """Everything is done."""
        self._reach(1.0)

    def _reach(self, share: float) -> None:
        self._furthest = max(self._furthest, min(round(share * self._octets), self._octets))
        self._tell(self._furthest, self._octets)
