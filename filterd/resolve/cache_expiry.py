# SPDX-License-Identifier: Apache-2.0
"""Which keys have expired, by coarse steps of time.

A queue in exact order would keep what has left it before its time, and would have
to be made anew now and then, all at once, while clients wait. That something
leaves a full cache some seconds after it expired and not at once harms nobody.
"""

from __future__ import annotations

from math import ceil

STEP_S = 16.0


class Expiries:
    """Keys by the step in which they expire."""

    def __init__(self) -> None:
        self._steps: dict[int, dict[bytes, None]] = {}
        self._first = 0
        """No step before this one has keys."""

    def add(self, key: bytes, expires_at: float) -> None:
        """Remember a key, which is not here yet."""
        step = ceil(expires_at / STEP_S)
        keys = self._steps.get(step)
        if keys is None:
            keys = self._steps[step] = {}
            self._first = min(self._first, step)
        keys[key] = None

    def remove(self, key: bytes, expires_at: float) -> None:
        """Forget a key that was added with this time; one that was popped is passed over."""
        step = ceil(expires_at / STEP_S)
        keys = self._steps.get(step)
        if keys is None:
            return
        keys.pop(key, None)
        if not keys:
            del self._steps[step]

    def pop_expired(self, now: float) -> bytes | None:
        """Take out the key that came last of the first step that is over, if one is."""
        while self._first * STEP_S <= now and self._steps:
            keys = self._steps.get(self._first)
            if keys is None:
                self._first = min(self._steps)
                continue
            key, _ = keys.popitem()
            if not keys:
                del self._steps[self._first]
            return key
        return None

    def clear(self) -> None:
        """Forget all keys."""
        self._steps.clear()
