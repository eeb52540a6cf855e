# SPDX-License-Identifier: Apache-2.0
"""promtool of Prometheus: an independent reader of metrics and alert rules."""

from __future__ import annotations

import subprocess

from tests.support.needs import command


def promtool(*words: str, stdin: bytes = b"") -> str:
    """Run it and return its complaints; empty for none."""
    done = subprocess.run(
        [command("promtool"), *words], input=stdin, capture_output=True, check=False, timeout=60
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()
