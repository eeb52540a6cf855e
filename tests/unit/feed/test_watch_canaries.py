# SPDX-License-Identifier: Apache-2.0
"""Names by which a version that serves is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.feed.watch_canaries import MOST, canaries_of
from tests.support.feed_folders import write_blocklists

if TYPE_CHECKING:
    from pathlib import Path


def test_they_are_of_categories_that_are_closed_to_everybody(tmp_path: Path) -> None:
    folder = write_blocklists(tmp_path / "lists")
    (folder / "canaries.yaml").write_text(
        "canaries:\n"
        "- {category: gambling, names: [bet.example, other.example]}\n"
        "- {category: games, names: [game.example]}\n"
    )
    assert canaries_of(folder) == ("bet.example",)
    assert MOST >= 1


@pytest.mark.parametrize(
    "text", ["", "[", "canaries: 5\n", "canaries: [{category: gambling, names: []}]\n"]
)
def test_what_cannot_be_read_names_none(tmp_path: Path, text: str) -> None:
    folder = write_blocklists(tmp_path / "lists")
    assert canaries_of(folder) == ()
    (folder / "canaries.yaml").write_text(text)
    assert canaries_of(folder) == ()
