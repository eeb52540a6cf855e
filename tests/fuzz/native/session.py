# SPDX-License-Identifier: Apache-2.0
"""A driver's inputs and its report, in the process that a fault may end."""

from __future__ import annotations

import ctypes
import mmap
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAST_OCTETS = 1 << 18
"""Room for the longest input that is remembered."""


class Session:
    """One run of one driver.

    Args:
        seconds: the time for which it draws inputs.
        seed: of everything that is drawn.
        last: the file with the present input, to be read after a crash.

    Attributes:
        rng: to draw from.
        inputs: their number.
        reached: counts of their results, by kind.
    """

    def __init__(self, seconds: float, seed: int, last: Path) -> None:
        self.rng = random.Random(seed)
        self.inputs = 0
        self.reached: Counter[str] = Counter()
        self._until = time.perf_counter() + seconds
        last.write_bytes(bytes(LAST_OCTETS))
        with last.open("r+b") as file:
            self._last = mmap.mmap(file.fileno(), LAST_OCTETS)

    def rounds(self) -> Iterator[int]:
        """Give the numbers of rounds until time is up."""
        number = 0
        while time.perf_counter() < self._until:
            yield number
            number += 1

    def give(self, octets: bytes) -> bytes:
        """Count and remember an input; return a copy behind which no octet may be read."""
        kept = octets[: LAST_OCTETS - 4]
        self._last[: 4 + len(kept)] = len(kept).to_bytes(4) + kept
        self.inputs += 1
        return fenced(octets)


def last_input(last: Path) -> bytes:
    """Return the input that was at hand when a driver ended."""
    octets = last.read_bytes() if last.exists() else b""
    return octets[4 : 4 + int.from_bytes(octets[:4])]


def fenced(octets: bytes) -> bytes:
    """Return a copy whose final NUL, which Python adds, is out of bounds to native code.

    Else reading one octet too many would be no fault. Where no sanitizer is at hand, and
    for the shortest, which Python shares, it is a plain copy.
    """
    copied = bytes(bytearray(octets))
    if len(copied) > 1 and _POISON is not None:
        place = id(copied) + bytes.__basicsize__ - 1 + len(copied)
        _POISON(ctypes.c_void_p(place), ctypes.c_size_t(1))
    return copied


_POISON = getattr(ctypes.CDLL(None), "__asan_poison_memory_region", None)
