# SPDX-License-Identifier: Apache-2.0
"""The active twin of the line scan: plain lines become records without a parser.

Both twins have what ``filterd.lists._line_scan_py`` documents and take the same
lines. ``NATIVE``: the native one is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.lists._line_scan_py import skim

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.lists._matcher", "filterd.lists._line_scan_py")
    skim = _live.skim

__all__ = ["NATIVE", "skim"]
