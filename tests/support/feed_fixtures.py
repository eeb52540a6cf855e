# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a small feed and a school that follows it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.feed_site import Follower, Published, judged_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def no_waiting_for_the_disk() -> Iterator[None]:
    """Let nothing be synced: what a power cut leaves is asked where the power is cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder in memory, where there is one, for what is copied often."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Versions 2, 3 and 4 of a small feed."""
    return Published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def founded(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school that follows it and has taken nothing yet."""
    folder = tmp_path_factory.mktemp("founded")
    Follower(folder, published).found()
    return folder


@pytest.fixture
def school(published: Published, founded: Path, tmp_path: Path) -> Iterator[Follower]:
    """A copy of it, for which every version is good enough."""
    follower = Follower(tmp_path / "school", published)
    follower.restore_from(founded)
    with judged_at_once(published):
        yield follower
