# SPDX-License-Identifier: Apache-2.0
"""What may be kept of a response, extracted by the twin that is live.

``resolution_of`` is what ``filterd.upstream.resolution`` says it is. ``NATIVE``
tells which one serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.upstream.resolution import resolution_of

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.upstream._extraction", "filterd.upstream.resolution")
    resolution_of = _live.resolution_of

__all__ = ["NATIVE", "resolution_of"]
