# SPDX-License-Identifier: Apache-2.0
"""The live twin of what relays plain questions; ``filterd.server._relay_py`` explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.twins import live_twin

if TYPE_CHECKING:
    from filterd.server._relay_py import Relay

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.server._relay", "filterd.server._relay_py")
    Relay = _live.Relay

__all__ = ["NATIVE", "Relay"]
