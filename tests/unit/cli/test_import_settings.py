# SPDX-License-Identifier: Apache-2.0
"""``filterd import`` prints pieces of site.yaml, and what was not taken beside them."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest

from filterd.cli import import_settings
from filterd.cli.import_settings import read_apart
from filterd.config.imported_settings import read_pihole
from filterd.errors import ConfigError
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
filters: [{enabled: true, url: "https://lists.example/a.txt"}]
user_rules: ["||bad.example^", "/ads/"]
"""


def test_pieces_are_printed_and_the_rest_is_reported_on_standard_error(
    tmp_path: Path, here: list[str]
) -> None:
    file = tmp_path / "AdGuardHome.yaml"
    file.write_text(SETTINGS, encoding="utf-8")
    done = call("import", "adguard", file, *here)
    assert done.code == 0
    assert done.out.startswith("follow:\n- url: https://lists.example/a.txt\n")
    assert "block: bad.example" in done.out
    assert "1 list, 1 name, 0 local zones taken" in done.err
    assert "/ads/" in done.err
    assert max(map(len, done.err.splitlines())) <= 80
    printed = json.loads(call("import", "adguard", file, "--json", *here).out)
    assert printed["site"]["exceptions"][0]["block"] == "bad.example"
    assert printed["not_taken"][0]["what"] == "/ads/"


def test_they_can_be_written_to_a_file_in_a_folder_that_there_is(
    tmp_path: Path, here: list[str]
) -> None:
    file, out = tmp_path / "adlists.list", tmp_path / "pieces.yaml"
    file.write_text("https://lists.example/a.txt\n", encoding="utf-8")
    assert call("import", "pihole", file, "--out", out, *here).out == ""
    assert out.read_text(encoding="utf-8").startswith("follow:")
    done = call("import", "pihole", file, "--out", tmp_path / "nowhere" / "x", *here)
    assert (done.code, len(done.error_lines)) == (2, 1)


def test_what_is_no_such_file_is_refused_in_a_line(tmp_path: Path, here: list[str]) -> None:
    for command in ("pihole", "adguard"):
        done = call("import", command, tmp_path / "none", *here)
        assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)


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
        expected = read_pihole(file)
    except ConfigError as error:
        with pytest.raises(ConfigError, match=re.escape(str(error))):
            read_apart(read_pihole, file)
    else:
        found = read_apart(read_pihole, file)
        assert (found.to_site(), found.not_taken) == (expected.to_site(), expected.not_taken)


def test_a_part_that_takes_too_much_memory_is_refused_and_costs_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _zip(tmp_path / "a.zip", **{"adlist.json": WIDE})
    monkeypatch.setattr(import_settings, "MEMORY_OCTETS", 32 << 20)
    with pytest.raises(ConfigError, match="more memory or time"):
        read_apart(read_pihole, file)


def test_control_without_the_bound_it_is_parsed(tmp_path: Path) -> None:
    assert read_pihole(_zip(tmp_path / "a.zip", **{"adlist.json": WIDE})).follow == []
