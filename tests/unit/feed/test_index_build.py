# SPDX-License-Identifier: Apache-2.0
"""The lists are compiled, and take the place of those in force whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base import bounded_child
from filterd.base.errors import FilterdError, StoreError
from filterd.base.sealed_memory import SealedMemory
from filterd.base.state_folder import StateFolder
from filterd.feed import index_build
from filterd.feed.index_build import build_index
from filterd.lists import index_files
from filterd.lists.index import Index
from filterd.texts.i18n import say
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")

CLOCK = FakeClock()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("site"), port=5353)


def test_the_lists_that_ship_are_compiled(config: Path, tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "new" / "state")
    report = build_index(config, state, CLOCK, shipped_only=True)
    index = Index.open(state.index)
    assert len(index) == report.names > 1000
    assert {path.name for path in state.folder.iterdir()} == {
        "index.filterd",
        "index.checked",
        "problems.tsv",
        "build.lock",
    }


def test_the_index_before_is_kept(config: Path, tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.index.write_bytes(b"the one before")
    build_index(config, state, CLOCK, shipped_only=True)
    assert state.previous_index.read_bytes() == b"the one before"
    Index.open(state.index).verify()


def test_a_name_that_is_added_to_a_service_takes_effect_with_the_next_build(
    tmp_path: Path,
) -> None:
    service = "services:\n  exams: {name: Thi, group: education, names: [one.example]}\n"
    config = write_site(tmp_path / "site", port=5353, more=service)
    state = StateFolder(tmp_path / "state")
    build_index(config, state, CLOCK)
    added = names.from_text("two.example")
    assert not Index.open(state.index).lookup(added)
    site = config / "site.yaml"
    text = site.read_text(encoding="utf-8").replace("[one.example]", "[one.example, two.example]")
    site.write_text(text, encoding="utf-8")
    build_index(config, state, CLOCK)
    index = Index.open(state.index)
    assert index.lookup(added)
    assert "service:exams" in {one.id for one in index.lists}
    assert "service:youtube" in {one.id for one in index.lists}


def test_what_cannot_take_its_place_leaves_the_old_one(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFolder(tmp_path)
    state.index.write_bytes(b"the one before")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_files, "install", refuse)
    with pytest.raises(StoreError, match="cannot be replaced: No space left"):
        build_index(config, state, CLOCK, shipped_only=True)
    assert state.index.read_bytes() == b"the one before"


def test_a_build_that_fails_leaves_the_problems_of_the_lists_in_force(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFolder(tmp_path)
    state.problems.write_text("of the lists in force", encoding="utf-8")

    def full(*_: object, problems: Path, **__: object) -> None:
        problems.write_text("begun", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_build, "build_lists", full)
    with pytest.raises(StoreError, match=r"the lists cannot be compiled there: No space left"):
        build_index(config, state, CLOCK, shipped_only=True)
    assert state.problems.read_text(encoding="utf-8") == "of the lists in force"


def test_what_a_killed_build_left_behind_is_removed(config: Path, tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    leftover = tmp_path / ".index.new.4711.tmp"
    leftover.write_bytes(b"half an index")
    build_index(config, state, CLOCK, shipped_only=True)
    assert not leftover.exists()


def _in_child(config: Path, state: Path, **more: bool) -> bytes:
    request = {"config": str(config), "state": str(state), **more}
    failed = say("it failed: {why}")
    return bounded_child.ask(
        "filterd.feed.index_build", request, failed, failed, limit_s=60.0, most_octets=1 << 26
    )


def test_a_child_writes_the_index_or_hands_it_over(config: Path, tmp_path: Path) -> None:
    written = _in_child(config, tmp_path, shipped_only=False, is_streamed=False)
    assert written == b""
    named = {one.id for one in Index.open(StateFolder(tmp_path).index).lists}
    octets = _in_child(config, tmp_path / "none", shipped_only=False, is_streamed=True)
    handed = Index.of(SealedMemory.of(octets, "index"), tmp_path / "index")
    handed.verify()
    assert {one.id for one in handed.lists} == named
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_is_wrong_with_the_site_comes_back_from_a_child(
    config: Path, tmp_path: Path, is_streamed: bool
) -> None:
    wrong = tmp_path / "site"
    wrong.mkdir()
    text = (config / "site.yaml").read_text(encoding="utf-8")
    (wrong / "site.yaml").write_text(f"{text}listne: 5\n", encoding="utf-8")
    with pytest.raises(FilterdError, match=r"cannot be compiled: .*site\.yaml:\d+:1: .*listne"):
        _in_child(wrong, tmp_path / "state", shipped_only=False, is_streamed=is_streamed)
    _in_child(wrong, tmp_path / "state", shipped_only=True, is_streamed=False)
    assert Index.open(StateFolder(tmp_path / "state").index).lists
