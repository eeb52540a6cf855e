# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.source_rows import source_rows
from filterd.feed.sources import SourceFolder
from filterd.lists.catalog import shipped_sources

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_tell_what_is_followed_by_what(tmp_path: Path) -> None:
    folder = SourceFolder(tmp_path)
    rows = source_rows(shipped_sources(), folder, {"urlhaus": "command"})
    [row] = [one for one in rows if one["followed"]]
    assert (row["id"], row["followed"], row["here"]) == ("urlhaus", "command", False)
    assert len(rows) == len(shipped_sources())
