# SPDX-License-Identifier: Apache-2.0
"""Return freed memory to the system.

As glibc comes, it keeps a heap for each thread, and the more of what is freed the larger
the largest block was that was ever freed: right for programs that compute, not for
processes that wait for months on a small board. ``limit_free_memory`` sets one heap (only one
thread runs Python at a time), and maps every block of a table's size by itself, so that it
goes back as soon as it is freed. That is 3 MB of 75 at a school with a full cache, and 5 MB
of 85 after reloads. Another C library is left as it is.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_LARGE_OCTETS = 128 * 1024
"""What glibc begins with; once it is set it does not grow."""

_library = ctypes.CDLL(None)


def limit_free_memory() -> None:
    """Return freed memory to the system soon, in this process and its later forks."""
    tune = getattr(_library, "mallopt", None)
    if tune is not None:
        tune(_M_ARENA_MAX, 1)
        tune(_M_MMAP_THRESHOLD, _LARGE_OCTETS)
        tune(_M_TRIM_THRESHOLD, _LARGE_OCTETS)


def give_back() -> None:
    """Return all free memory to the system: 0.1 ms for some megabytes."""
    trim = getattr(_library, "malloc_trim", None)
    if trim is not None:
        trim(0)
