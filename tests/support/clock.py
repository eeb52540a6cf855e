# SPDX-License-Identifier: Apache-2.0
"""A clock that a test sets forward."""

from __future__ import annotations

from tests.support.policies import NOW


class FakeClock:
    """Both times of ``filterd.base.clock.Clock``; they stand still until ``advance``."""

    def __init__(self, wall: float = NOW) -> None:
        self._monotonic, self._wall = 1_000.0, wall

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        return self._monotonic

    def wall(self) -> float:
        """Return Unix time."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass, of both kinds."""
        self._monotonic += seconds
        self._wall += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock so much forward, or back where it is negative."""
        self._wall += seconds
