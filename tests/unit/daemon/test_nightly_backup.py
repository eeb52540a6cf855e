# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.daemon.nightly_backup import FORMAT, NightlyBackup, facts
from filterd.i18n import say

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_night_is_told_as_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    assert facts(path) is None
    FORMAT.save(path, NightlyBackup(1.0, 2.0, say("no stick"), "/media/usb/b.zip", 5))
    found = facts(path)
    assert found is not None
    assert (found["done_at"], found["failing_since"], found["octets"]) == (1.0, 2.0, 5)
    assert FORMAT.load(path).problem == "no stick"
