# SPDX-License-Identifier: Apache-2.0
"""A site and a state folder in order, as files that a test breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.daemon.manager.site_loader import compile_policy
from tests.support.daemon import build_lists, copy_lists, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

TIKTOK = b"\x06tiktok\x03com\0"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """A state folder with all lists and a policy."""
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    state = build_lists(config, tmp_path_factory.mktemp("state"))
    compile_policy(config, state)
    return state


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", port=5353)


@pytest.fixture
def state(tmp_path: Path, built: StateFolder) -> StateFolder:
    """A state folder in order."""
    state = copy_lists(built, tmp_path / "state")
    state.policy.write_bytes(built.policy.read_bytes())
    return state


def break_site(config: Path) -> None:
    """Make the site's file one that cannot be compiled: its second line is wrong."""
    (config / "site.yaml").write_text("school: {name: A}\nlisten: [nonsense]\n", encoding="utf-8")


def damage(path: Path, at: int | None = None) -> None:
    """Flip an octet, by default the middle one."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)
