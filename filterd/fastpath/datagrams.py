# SPDX-License-Identifier: Apache-2.0
"""Choose what receives and sends: ``_datagrams`` in batches, or ``_datagrams_py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.fastpath._datagrams import Datagram, Datagrams

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.fastpath._datagrams", "filterd.fastpath._datagrams_py")
    Datagram, Datagrams = _live.Datagram, _live.Datagrams

__all__ = ["NATIVE", "Datagram", "Datagrams"]
