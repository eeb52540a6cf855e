# SPDX-License-Identifier: Apache-2.0
"""Judge one version: the guard's child, ``python -m filterd.feed.guard``.

``guard_run`` starts it; people use ``filterd sync`` and ``filterd feed``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from filterd import bounded_child

_MEMORY_LIMIT_OCTETS = 800 << 20
"""Of addresses, mapped indexes too. Five million names take 605 MB, and one such index in force
120 MB more; a million take a fifth of it."""
_CPU_LIMIT_S = 300
_NICER = 10
"""Lookups go first."""
_MAX_REQUEST_OCTETS = 8 << 20


def main() -> int:
    """Judge the version that the request names; return the exit code."""
    bounded_child.end_with_parent()  # the lock of builds goes with it
    bounded_child.bound(memory_octets=_MEMORY_LIMIT_OCTETS, cpu_s=_CPU_LIMIT_S, nicer=_NICER)
    answer = bounded_child.own_output()
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(_MAX_REQUEST_OCTETS))
    from filterd.feed.guard.checks import judged  # noqa: PLC0415 -- the bounds hold for it, too
    from filterd.feed.guard.guard_report import dump  # noqa: PLC0415 -- as above

    judgement = judged(request, cpu_s=time.process_time, peak_octets=_peak_octets)
    with answer:
        answer.write(dump(judgement))
    return 0


def _peak_octets() -> int:
    """Return the peak of this process's memory; rusage would count its parent's too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main())
