# SPDX-License-Identifier: Apache-2.0
"""Real lists, names and expectations of other projects, which stand beside the project.

None of it is copied into the project: several sources are under licences that
the project's own could not carry. A test that uses it says so and is skipped
where it is absent.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def shared(path: str) -> Path:
    """Return a file or folder below ``../shared/data``, or skip the test that asks for it."""
    found = ROOT / path
    if not found.exists():
        pytest.skip(f"../shared/data/{path} is absent")
    return found
