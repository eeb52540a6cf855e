# SPDX-License-Identifier: Apache-2.0
"""promtool of Prometheus: an independent reader of metrics and alert rules."""

from __future__ import annotations

import shutil
import subprocess

import pytest

PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def promtool(*words: str, stdin: bytes = b"") -> str:
    """Run it and return its complaints; empty for none."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *words], input=stdin, capture_output=True, check=False, timeout=60
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()
