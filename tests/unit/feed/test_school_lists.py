# SPDX-License-Identifier: Apache-2.0
"""What a school decides on versions; ``tests/unit/cli`` has the commands that call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_folder import StateFolder
from filterd.feed.school_lists import SchoolLists
from filterd.feed.version_watch import Daemon
from tests.support.clock import FakeClock
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lists(tmp_path: Path) -> SchoolLists:
    config = write_site(tmp_path / "site", port=5353)
    (tmp_path / "state" / "feed").mkdir(parents=True)
    return SchoolLists(config, StateFolder(tmp_path / "state"), FakeClock(), Daemon())


@pytest.mark.parametrize("version", ["0", "01", "--help", "web-XYZ", "12; rm"])
def test_what_is_no_version_is_refused(lists: SchoolLists, version: str) -> None:
    for decide in (lists.waiting, lists.approve, lists.refuse):
        with pytest.raises(ConfigError, match="is not a version"):
            decide(version)
