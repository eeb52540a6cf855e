# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.feed.feed_details import SOURCES
from filterd.feed.source_rows import source_rows
from filterd.feed.sources import SourceFolder
from filterd.i18n import Texts
from filterd.lists.catalog import shipped_sources
from filterd.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_tell_what_is_followed_by_what(tmp_path: Path) -> None:
    folder = SourceFolder(tmp_path)
    rows = source_rows(shipped_sources(), folder, {"urlhaus": "command"})
    [row] = [one for one in rows if one["followed"]]
    assert (row["id"], row["followed"], row["here"]) == ("urlhaus", "command", False)
    wording = Wording(Texts("vi"), SchoolClock(ZoneInfo("UTC"), 0))
    assert ("lệnh, chưa tải", "") in SOURCES.columns[3].cells(row, wording)
    assert len(rows) == len(shipped_sources())
