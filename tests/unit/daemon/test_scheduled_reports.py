# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.daemon.scheduled_reports import FORMAT, ScheduledReports, facts
from filterd.i18n import say

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_run_is_told_as_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    assert facts(path) is None
    kept = ScheduledReports({"month docx mail": "2026-10-31"}, 1.0, 2.0, say("no"), ("a.docx",))
    FORMAT.save(path, kept)
    found = facts(path)
    assert found is not None
    assert (found["done_at"], found["failing_since"], found["files"]) == (1.0, 2.0, ["a.docx"])
    assert FORMAT.load(path) == kept
