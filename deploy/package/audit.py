# SPDX-License-Identifier: Apache-2.0
"""Name the dependencies with a known vulnerability, by pip-audit.

``make audit`` runs it on ``constraints.txt``: every version that filterd is built, tested and
packaged with. The data are those of PyPI; ``AUDIT_OSV=URL`` takes another service that speaks
OSV's protocol. Exit code 0: all were checked, none is vulnerable; 1: one is; 3: some or all could
not be checked, which is no good news. pip-audit alone ends with 0 there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from deploy.package.steps import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CLEAN, VULNERABLE, UNCHECKED = 0, 1, 3
_WITHIN_S = 600


def audit(pinned: Path, service: str = "") -> tuple[int, list[str]]:
    """Audit the pinned versions of a file; return the exit code and the sentences.

    Args:
        pinned: a file of ``name==version`` lines.
        service: the address of an OSV service; empty for that of PyPI.
    """
    words = [sys.executable, "-m", "pip_audit", "--requirement", str(pinned), "--format", "json"]
    words += ["--no-deps", "--disable-pip", "--progress-spinner", "off"]
    words += ["--vulnerability-service", "osv", "--osv-url", service] if service else []
    try:
        done = subprocess.run(  # noqa: S603 -- no shell
            words, capture_output=True, text=True, check=False, timeout=_WITHIN_S
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return UNCHECKED, [f"nothing was checked: no answer within {_WITHIN_S} s"]
    except (ValueError, KeyError):  # it ended without a report
        why = (done.stderr.strip().splitlines() or ["no report"])[-1][:300]
        return UNCHECKED, [f"nothing was checked: {why}"]
    return _judged(found)


def _judged(found: list[dict[str, Any]]) -> tuple[int, list[str]]:
    checked = [one for one in found if "skip_reason" not in one]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if not checked:
        return UNCHECKED, ["nothing was checked: the service knows none of the dependencies"]
    sentences = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        + (" or ".join(flaw["fix_versions"]) or "no version yet")
        for one in checked
        for flaw in one["vulns"]
    ]
    code = VULNERABLE if sentences else UNCHECKED if skipped else CLEAN
    if skipped:
        sentences.append(f"not checked, unknown to the service: {', '.join(skipped)}")
    if code == CLEAN:
        sentences.append(f"{len(checked)} dependencies checked, no known vulnerability")
    return code, sentences


def main() -> int:
    """Audit ``constraints.txt``; print one sentence a line."""
    code, sentences = audit(ROOT / "constraints.txt", os.environ.get("AUDIT_OSV", ""))
    for sentence in sentences:
        print(f"audit: {sentence}", file=sys.stdout if code == CLEAN else sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
