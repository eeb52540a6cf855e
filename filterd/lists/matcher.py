# SPDX-License-Identifier: Apache-2.0
"""The active twin of the matcher: a name -> the listed names at or above it.

``Matcher(octets, header)`` reads a mapped index and never writes; both twins
have the methods that ``filterd.lists._matcher_py`` documents. ``NATIVE``: the native
one is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.lists._matcher_py import Matcher

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.lists._matcher", "filterd.lists._matcher_py")
    Matcher = _live.Matcher

__all__ = ["NATIVE", "Matcher"]
