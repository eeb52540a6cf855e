# SPDX-License-Identifier: Apache-2.0
"""Load the fast path's native modules: all, or none where the chain answers everything.

``_core`` answers; ``Relay`` of ``_datagrams`` forwards plain questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_only

if TYPE_CHECKING:
    from filterd.fastpath._core import Core
    from filterd.fastpath._datagrams import Relay

    NATIVE: bool
else:
    _core = live_only("filterd.fastpath._core")
    _relay = live_only("filterd.fastpath._datagrams")
    NATIVE = _core is not None and _relay is not None
    Core, Relay = (_core.Core, _relay.Relay) if NATIVE else (None, None)

__all__ = ["NATIVE", "Core", "Relay"]
