# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.daemon."""

from __future__ import annotations

import subprocess

import pytest

from tests.support import warm
from tests.support.serving_fixtures import index, serving, upstream
from tests.support.site_fixtures import config, state

__all__ = ["config", "index", "serving", "state", "upstream"]


@pytest.fixture(autouse=True)
def _warm_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the compiler of policies from an interpreter that has imported it."""
    monkeypatch.setattr(subprocess, "Popen", warm.Popen)
