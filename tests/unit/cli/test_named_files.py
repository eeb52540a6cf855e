# SPDX-License-Identifier: Apache-2.0
"""Files that the operator names are read with bounds, and written where a file may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.cli.named_files import read_text, write_named
from filterd.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_as_spreadsheets_save_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("room,mac\nphòng,1\n", encoding=encoding)
    assert read_text(path) == "room,mac\nphòng,1\n"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff", "is not UTF-8 text"), (b"x" * (2 << 20), "too large")]
)
def test_what_is_no_small_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        read_text(tmp_path / "a.csv")
    with pytest.raises(StoreError, match="cannot be read"):
        read_text(tmp_path / "b.csv")


def test_a_file_is_written_only_where_a_plain_file_may_be(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    for wrong in (tmp_path / "missing" / "a", tmp_path / "link"):
        with pytest.raises(ConfigError, match="check --out"):
            write_named(wrong, "text", "--out")
    write_named(tmp_path / "a", "text", "--out", mode=0o600)
    assert (tmp_path / "a").read_text() == "text"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
