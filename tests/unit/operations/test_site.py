# SPDX-License-Identifier: Apache-2.0
"""Drafts of the site are asked for within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.site import ApplyDraft, DraftSite, DraftTimetables

EDIT = {"path": ["language"], "value": "en"}


def test_edits_reach_the_manager_as_they_are() -> None:
    assert DraftSite.read({"edits": [EDIT]}).arguments == {"edits": [EDIT]}


@pytest.mark.parametrize("edits", [[], {}, [EDIT] * 201, "x"])
def test_no_edit_and_too_many_are_refused(edits: Any) -> None:
    with pytest.raises(ConfigError, match="edits"):
        DraftSite.read_sent({"edits": edits})


def test_a_draft_is_applied_by_its_whole_digest() -> None:
    with pytest.raises(ConfigError):
        ApplyDraft.read({"digest": "latest"})


@pytest.mark.parametrize("table", ["", "x" * 60_001, 7])
def test_a_table_has_a_text(table: Any) -> None:
    with pytest.raises(ConfigError):
        DraftTimetables.read_sent({"table": table})
