# SPDX-License-Identifier: Apache-2.0
"""Files that the operator names are read with bounds, and written where a file may be."""

from __future__ import annotations

import os
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError, StoreError
from filterd.cli import named_files
from filterd.cli.named_files import read_apart, read_text, write_named
from filterd.config.imported_settings import read_pihole

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


def _settings(path: Path) -> dict[str, Any]:
    return read_pihole(path).to_plain()


def _zip(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


WIDE = f'["{"a" * 15_000_000}\U0001f600"]'.encode()
"""Fifteen megabytes of JSON that become sixty in one piece: no free part of a heap takes that."""


@pytest.mark.parametrize("which", ["settings", "a damaged file"])
def test_a_child_finds_the_same(tmp_path: Path, which: str) -> None:
    file = _zip(
        tmp_path / "a.zip",
        **{
            "custom.list": b"192.0.2.1 a.lan\n",
            "adlist.json": b"[]" if which == "settings" else b"[",
        },
    )
    try:
        expected = _settings(file)
    except ConfigError as error:
        with pytest.raises(ConfigError, match=re.escape(str(error))):
            read_apart(_settings, file)
    else:
        assert read_apart(_settings, file) == expected


def test_a_part_that_takes_too_much_memory_is_refused_and_costs_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _zip(tmp_path / "a.zip", **{"adlist.json": WIDE})
    monkeypatch.setattr(named_files, "MEMORY_OCTETS", 32 << 20)
    with pytest.raises(ConfigError, match="more memory or time"):
        read_apart(_settings, file)


def test_control_without_the_bound_it_is_parsed(tmp_path: Path) -> None:
    assert read_pihole(_zip(tmp_path / "a.zip", **{"adlist.json": WIDE})).follow == []


def test_a_child_that_dies_or_answers_too_much_is_an_error_of_the_file(tmp_path: Path) -> None:
    for read in (lambda _: "a" * (17 << 20), lambda _: os.abort()):
        with pytest.raises(ConfigError, match="more memory or time"):
            read_apart(read, tmp_path)
