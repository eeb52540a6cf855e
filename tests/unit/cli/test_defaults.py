# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filterd.cli import defaults as module
from filterd.paths import SYSTEM_CONFIG, SYSTEM_STATE

if TYPE_CHECKING:
    import pytest


def test_the_systems_site_comes_first_and_has_the_systems_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SYSTEM_CONFIG", tmp_path)
    assert module.default_config() == tmp_path
    assert module.default_state(tmp_path) == SYSTEM_STATE
    monkeypatch.setattr(module, "SYSTEM_CONFIG", tmp_path / "none")
    assert module.default_config() == Path("policies")
    assert module.default_state(Path("policies")) == Path(".state")
    assert Path("/etc/filterd") == SYSTEM_CONFIG
