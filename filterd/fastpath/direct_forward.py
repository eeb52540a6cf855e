# SPDX-License-Identifier: Apache-2.0
"""Choose the twin that forwards plain questions; ``_direct_forward_py`` explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.fastpath._direct_forward_py import Relay

    NATIVE: bool
else:
    _live, NATIVE = live_twin(
        "filterd.fastpath._direct_forward", "filterd.fastpath._direct_forward_py"
    )
    Relay = _live.Relay

__all__ = ["NATIVE", "Relay"]
