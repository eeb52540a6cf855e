# SPDX-License-Identifier: Apache-2.0
"""The child: ``python -m filterd.feed.guard``, a request on its input, a judgement on its output.

It is started by ``process``; people use ``filterd sync`` and ``filterd feed``.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from filterd.oom import A_COMPILER, end_sooner

_MEMORY_LIMIT_OCTETS = 800 << 20
"""Of addresses, mapped indexes too. Five million names take 605 MB, and one such index in force
120 MB more; a million take a fifth of it."""
_CPU_LIMIT_S = 300
_NICER = 10
"""Lookups go first."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MAX_REQUEST_OCTETS = 8 << 20


def main() -> int:
    """Judge what the request names; return the exit code."""
    _end_with_parent()
    os.nice(_NICER)
    end_sooner(A_COMPILER)
    _limit(resource.RLIMIT_AS, _MEMORY_LIMIT_OCTETS)
    _limit(resource.RLIMIT_CPU, _CPU_LIMIT_S)
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(_MAX_REQUEST_OCTETS))
    from filterd.feed.guard.checks import judged  # noqa: PLC0415 -- the bounds hold for it, too
    from filterd.feed.guard.guard_report import dump  # noqa: PLC0415 -- as above

    judgement = judged(request, cpu_s=time.process_time, peak_octets=_peak_octets)
    sys.stdout.buffer.write(dump(judgement))
    return 0


def _peak_octets() -> int:
    """Return the most that this process has held; rusage would count its parent's too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _end_with_parent() -> None:
    """Have the kernel end this process with its parent, with whom the lock of builds goes."""
    # A hardened service may forbid what ctypes does when it is imported: then it goes without.
    with contextlib.suppress(ImportError, MemoryError, OSError):
        import ctypes  # noqa: PLC0415 -- see above

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit(kind: int, value: int) -> None:
    """Lower a bound of this process; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    sys.exit(main())
