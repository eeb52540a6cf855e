# SPDX-License-Identifier: Apache-2.0
"""What tests start by the hundred is started warm, in the environments that they give it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.base import bounded_child
from tests.support import commands, warm

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "environment",
    [bounded_child.environment, commands.environment, lambda: commands.environment(LANG="vi_VN")],
    ids=["a bounded child", "a command", "a command in Vietnamese"],
)
def test_a_program_of_ours_is_started_warm(
    environment: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("LD_", "FAKETIME"))]:
        monkeypatch.delenv(name)  # a run at another time: a bounded child does not keep it
    words = bounded_child.command("filterd.config", "site", "policy")
    assert warm._job(words, None, environment()) is not None


@pytest.mark.parametrize("changes", [{"FILTERD_PURE": "1"}, {"LD_PRELOAD": "/lib/one.so"}])
def test_for_another_kind_of_interpreter_one_of_its_own_is_started(changes: dict[str, str]) -> None:
    words = [sys.executable, "-m", "filterd", "--version"]
    assert warm._job(words, None, commands.environment(**changes)) is None
