# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from filterd.cli import lists_build
from filterd.cli.context import Context
from filterd.errors import StoreError
from filterd.i18n import Texts
from filterd.lists import index_files
from filterd.lists.index import Index
from filterd.state_folder import StateFolder
from filterd.wire import name as names
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path


def _here(config: Path, state: Path, *, terminal: bool = False) -> tuple[Context, io.StringIO]:
    errors = io.StringIO()
    console = Console(file=errors, force_terminal=terminal, width=80)
    return Context(config, StateFolder(state), Texts("en"), Console(), console), errors


def test_the_lists_that_ship_are_compiled(config: Path, tmp_path: Path) -> None:
    here, _ = _here(config, tmp_path / "new" / "state")
    report = lists_build.build(here, shipped_only=True, show_progress=False)
    index = Index.open(here.state.index)
    assert len(index) == report.names > 1000
    assert {path.name for path in here.state.folder.iterdir()} == {
        "index.filterd",
        "index.checked",
        "problems.tsv",
        "build.lock",
    }


def test_the_index_before_is_kept(config: Path, tmp_path: Path) -> None:
    here, _ = _here(config, tmp_path)
    here.state.index.write_bytes(b"the one before")
    lists_build.build(here, shipped_only=True, show_progress=False)
    assert here.state.previous_index.read_bytes() == b"the one before"
    Index.open(here.state.index).verify()


def test_a_name_that_is_added_to_a_service_takes_effect_with_the_next_build(
    tmp_path: Path,
) -> None:
    service = "services:\n  exams: {name: Thi, group: education, names: [one.example]}\n"
    config = write_site(tmp_path / "site", port=5353, more=service)
    here, _ = _here(config, tmp_path / "state")
    lists_build.build(here, shipped_only=False, show_progress=False)
    added = names.from_text("two.example")
    assert not Index.open(here.state.index).lookup(added)
    site = config / "site.yaml"
    text = site.read_text(encoding="utf-8").replace("[one.example]", "[one.example, two.example]")
    site.write_text(text, encoding="utf-8")
    lists_build.build(here, shipped_only=False, show_progress=False)
    index = Index.open(here.state.index)
    assert index.lookup(added)
    assert "service:exams" in {one.id for one in index.lists}
    assert "service:youtube" in {one.id for one in index.lists}


def test_progress_is_for_terminals(config: Path, tmp_path: Path) -> None:
    here, errors = _here(config, tmp_path, terminal=True)
    lists_build.build(here, shipped_only=True, show_progress=True)
    assert "Compiling lists" in errors.getvalue()
    here, errors = _here(config, tmp_path)
    lists_build.build(here, shipped_only=True, show_progress=True)
    assert errors.getvalue() == ""


def test_what_cannot_take_its_place_leaves_the_old_one(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = _here(config, tmp_path)
    here.state.index.write_bytes(b"the one before")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_files, "install", refuse)
    with pytest.raises(StoreError, match="cannot be replaced: No space left"):
        lists_build.build(here, shipped_only=True, show_progress=False)
    assert here.state.index.read_bytes() == b"the one before"


def test_a_build_that_fails_leaves_the_problems_of_the_lists_in_force(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = _here(config, tmp_path)
    here.state.problems.write_text("of the lists in force", encoding="utf-8")

    def full(*_: object, problems: Path, **__: object) -> None:
        problems.write_text("begun", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lists_build, "build_lists", full)
    with pytest.raises(StoreError, match=r"the lists cannot be compiled there: No space left"):
        lists_build.build(here, shipped_only=True, show_progress=False)
    assert here.state.problems.read_text(encoding="utf-8") == "of the lists in force"


def test_what_a_killed_build_left_behind_is_removed(config: Path, tmp_path: Path) -> None:
    here, _ = _here(config, tmp_path)
    leftover = tmp_path / ".index.new.4711.tmp"
    leftover.write_bytes(b"half an index")
    lists_build.build(here, shipped_only=True, show_progress=False)
    assert not leftover.exists()
