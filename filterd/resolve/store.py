# SPDX-License-Identifier: Apache-2.0
"""The cache's memory: the live one of two twins; ``_store_py`` explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.twins import live_twin

if TYPE_CHECKING:
    from filterd.resolve._store_py import ResolutionStore

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.resolve._store", "filterd.resolve._store_py")
    ResolutionStore = _live.ResolutionStore

__all__ = ["NATIVE", "ResolutionStore"]
