# SPDX-License-Identifier: Apache-2.0
"""Looking at something again and again until a person has seen enough, or time is up."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable

LOOK_EVERY_S = 2.0


def watch(look: Callable[[], None], length_s: float) -> None:
    """Look at something every other second, and once more at the end.

    Args:
        look: what to do.
        length_s: for how long, unless somebody presses Enter before.
    """
    left = length_s
    while left > 0:
        look()
        step = min(LOOK_EVERY_S, left)
        if pause(step):
            break
        left -= step
    look()


def pause(seconds: float) -> bool:
    """Wait; tell whether somebody has pressed Enter meanwhile, where somebody could."""
    if not sys.stdin or not sys.stdin.isatty():
        time.sleep(seconds)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if ready:
        sys.stdin.readline()
    return bool(ready)
