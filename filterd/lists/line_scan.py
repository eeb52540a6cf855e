# SPDX-License-Identifier: Apache-2.0
"""The skimming that is live: plain lines of a list become records without its parser.

Both twins have what ``filterd.lists._line_scan_py`` documents and take the same
lines. ``NATIVE`` tells which one serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.lists._line_scan_py import skim

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.lists._line_scan", "filterd.lists._line_scan_py")
    skim = _live.skim

__all__ = ["NATIVE", "skim"]
