# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the folder of a site, and its compiled lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.daemon import build_lists, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school without a server."""
    return write_site(tmp_path_factory.mktemp("site"), port=5353)


@pytest.fixture(scope="session")
def state(config: Path, tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """Its compiled lists; tests that change anything take a folder of their own."""
    return build_lists(config, tmp_path_factory.mktemp("state"))
