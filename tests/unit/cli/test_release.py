# SPDX-License-Identifier: Apache-2.0
"""``filterd release``: root's errand, and a self-test that every person may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.cli import release
from filterd.errors import ConfigError
from tests.support.commands import call
from tests.support.daemon import build_lists, write_site

if TYPE_CHECKING:
    from pathlib import Path


def test_the_self_test_tells_what_was_blocked(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=53)
    state = build_lists(config, tmp_path / "state").folder
    done = call("release", "test", "--config", config, "--state", state)
    assert done.code == 0, done.err
    assert "blocks a listed name of each of" in done.out


def test_a_site_that_is_not_accepted_is_an_error_with_its_place(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=53, more="nonsense: 1\n")
    state = build_lists(write_site(tmp_path / "good", port=53), tmp_path / "state").folder
    done = call("release", "test", "--config", config, "--state", state)
    assert done.code == 2
    assert "site.yaml:" in done.err
    assert "Traceback" not in done.err


def test_only_root_changes_the_release_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for command in (release.activate, release.rollback, release.restore):
        with pytest.raises(ConfigError, match="only root"):
            command(None)
