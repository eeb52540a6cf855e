# SPDX-License-Identifier: Apache-2.0
"""Judge one version: the guard's child, ``python -m filterd.feed.guard``.

``judgement`` starts it; people use ``filterd sync`` and ``filterd feed``.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from filterd.base import bounded_child

_CPU_LIMIT_S = 300
_NICER = 10
"""Lookups go first."""
_MAX_REQUEST_OCTETS = 8 << 20


def main() -> int:
    """Judge the version that the request names; return the exit code."""
    bounded_child.end_with_parent()  # the lock of builds goes with it
    bounded_child.bound(cpu_s=_CPU_LIMIT_S, nicer=_NICER)
    answer = bounded_child.own_output()
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(_MAX_REQUEST_OCTETS))
    bounded_child.bound(memory_octets=_addresses(request))
    from filterd.feed.guard.checks import judged  # noqa: PLC0415 -- the bounds hold for it, too
    from filterd.feed.guard.judgement import dump  # noqa: PLC0415 -- as above

    judgement = judged(request, cpu_s=time.process_time, peak_octets=_peak_octets)
    with answer:
        answer.write(dump(judgement))
    return 0


def _addresses(request: dict[str, Any]) -> int:
    """Return the bound of addresses: what is mapped, and what may be taken beside it.

    The index in force is mapped as well, from pages that the resolver has anyway.
    """
    mapped = 0
    if request.get("in_force"):
        with contextlib.suppress(OSError):  # the checks find what is wrong with it
            mapped = Path(request["in_force"]["index"]).stat().st_size
    return bounded_child.mapped_octets() + int(request["memory_octets"]) + mapped


def _peak_octets() -> int:
    """Return the peak of this process's memory; rusage would count its parent's too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main())
