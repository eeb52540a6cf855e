# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys

import pytest

from filterd.lists import matcher

SHOW = "import filterd.lists.matcher as m; print(m.NATIVE, m.Matcher.__module__)"


def live(**switches: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FILTERD_")} | switches
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_pure_twin_can_be_forced() -> None:
    assert live(FILTERD_PURE="1").stdout.split() == ["False", "filterd.lists._matcher_py"]


def test_forced_twin_fails_where_native_is_required() -> None:
    done = live(FILTERD_PURE="1", FILTERD_REQUIRE_NATIVE="1")
    assert done.returncode != 0
    assert "FILTERD_REQUIRE_NATIVE=1" in done.stderr


def test_facade_says_which_twin_is_live() -> None:
    if not matcher.NATIVE:
        pytest.skip("the native matcher is not built")
    assert live(FILTERD_REQUIRE_NATIVE="1").stdout.split() == ["True", "filterd.lists._matcher"]
