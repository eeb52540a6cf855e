# SPDX-License-Identifier: Apache-2.0
"""``filterd import`` prints pieces of site.yaml, and what was not taken beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
