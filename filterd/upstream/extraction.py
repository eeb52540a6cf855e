# SPDX-License-Identifier: Apache-2.0
"""The active twin that extracts from a response what may be kept.

``filterd.upstream.resolution`` documents ``resolution_of``. ``NATIVE``: the native
one is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.upstream.resolution import resolution_of

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.upstream._pool", "filterd.upstream.resolution")
    resolution_of = _live.resolution_of

__all__ = ["NATIVE", "resolution_of"]
