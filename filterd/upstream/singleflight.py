# SPDX-License-Identifier: Apache-2.0
"""The active twin of exchanges in flight; ``_singleflight_py`` documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.upstream._singleflight_py import Flights

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.upstream._pool", "filterd.upstream._singleflight_py")
    Flights = _live.Flights

__all__ = ["NATIVE", "Flights"]
