# SPDX-License-Identifier: Apache-2.0
"""Which process the kernel ends first when memory is short (proc(5), oom_score_adj)."""

from __future__ import annotations

import contextlib
from pathlib import Path

A_COMPILER = 700
"""What compiles lists or a policy, or judges a version: its caller does without."""
THE_MANAGER = 400
"""No lookup needs it."""
A_WORKER = 100
"""It is replaced at once; only the supervisor's end is the end of all."""

_HIGHEST = 1000
_PATH = Path("/proc/self/oom_score_adj")


def end_sooner(more: int) -> None:
    """Have this process, and what it starts, ended sooner; at most a thousand steps in all."""
    with contextlib.suppress(OSError, ValueError):  # then it is as likely as its parent
        _PATH.write_text(str(min(_HIGHEST, int(_PATH.read_text()) + more)))
