# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.commands import SAMPLE, call

if TYPE_CHECKING:
    from pathlib import Path


def test_what_it_makes_is_the_sample_and_valid(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "school"
    done = call("init", folder, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    assert f"filterd policy validate --config {folder}" in done.out
    assert {path.name for path in folder.iterdir()} == {path.name for path in SAMPLE.iterdir()}
    assert call("policy", "validate", "--config", folder).code == 0


def test_an_empty_folder_may_be_there_already(tmp_path: Path) -> None:
    assert call("init", tmp_path).code == 0


@pytest.mark.parametrize("file", ["site.yaml", "primary.yaml", "schema/site.schema.json"])
def test_nothing_is_overwritten(tmp_path: Path, file: str) -> None:
    mine = tmp_path / file
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    done = call("init", tmp_path, "--lang", "en")
    assert done.code == 2
    assert f"{mine} is there already: nothing is overwritten" in done.err
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_what_else_is_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n", encoding="utf-8")
    assert call("init", tmp_path).code == 0
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine\n"
