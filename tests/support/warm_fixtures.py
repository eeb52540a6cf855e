# SPDX-License-Identifier: Apache-2.0
"""The fixture of tests that start filterd's programs warm.

Not for those of memory, of limits, of other users or of the start itself.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.support import warm


@pytest.fixture
def warm_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork filterd's programs from an interpreter that has imported them."""
    monkeypatch.setattr(subprocess, "Popen", warm.Popen)
