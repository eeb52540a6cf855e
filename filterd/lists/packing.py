# SPDX-License-Identifier: Apache-2.0
"""The active twin of packing: sorted records -> the sections of an index.

Both twins have what ``filterd.lists._packing_py`` documents and produce the
same octets. ``NATIVE``: the native one is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.lists._packing_py import Packer, fill_slots

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.lists._matcher", "filterd.lists._packing_py")
    Packer = _live.Packer
    fill_slots = _live.fill_slots

__all__ = ["NATIVE", "Packer", "fill_slots"]
