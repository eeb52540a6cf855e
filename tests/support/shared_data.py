# SPDX-License-Identifier: Apache-2.0
"""Real lists, names and expectations of other projects, outside this project.

None of it is copied into the project: the licences of several sources are not
compatible with the project's. A test that uses the data is skipped without it.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.needs import lack

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def shared(path: str) -> Path:
    """Return a file or folder below ``../shared/data``, or skip the test that asks for it."""
    found = ROOT / path
    if not found.exists():
        lack("the real lists", f"../shared/data/{path} beside the checkout")
    return found
