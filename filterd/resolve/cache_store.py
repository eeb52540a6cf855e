# SPDX-License-Identifier: Apache-2.0
"""The active twin of the cache; ``_cache_store_py`` documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.resolve._cache_store_py import ResolutionStore

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.resolve._cache", "filterd.resolve._cache_store_py")
    ResolutionStore = _live.ResolutionStore

__all__ = ["NATIVE", "ResolutionStore"]
