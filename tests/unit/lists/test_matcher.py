# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = "import filterd.lists.index as m; print(m.Matcher.__module__)"


def live(**switches: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FILTERD_")} | switches
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_pure_twin_can_be_forced() -> None:
    assert live(FILTERD_PURE="1").stdout.split() == ["filterd.lists.matcher"]


def test_forced_twin_fails_where_native_is_required() -> None:
    done = live(FILTERD_PURE="1", FILTERD_REQUIRE_NATIVE="1")
    assert done.returncode != 0
    assert "FILTERD_REQUIRE_NATIVE=1" in done.stderr


@pytest.mark.usefixtures("needs_native")
def test_the_native_one_is_taken_where_it_is_built() -> None:
    assert live(FILTERD_REQUIRE_NATIVE="1").stdout.split() == ["filterd.lists._matcher"]
