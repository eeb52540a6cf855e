# SPDX-License-Identifier: Apache-2.0
"""The live twin of what moves datagrams; ``filterd.fastpath._datagrams_py`` explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.fastpath._datagrams_py import Datagram, Datagrams, hint

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.fastpath._datagrams", "filterd.fastpath._datagrams_py")
    Datagram, Datagrams, hint = _live.Datagram, _live.Datagrams, _live.hint

__all__ = ["NATIVE", "Datagram", "Datagrams", "hint"]
