# SPDX-License-Identifier: Apache-2.0
"""The lists of a site are those of a folder and its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.config.compile_run import compile_in_child
from filterd.config.lists_build import build_lists, rebuild_lists
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists
from filterd.wire import name as names
from tests.support.daemon import write_site
from tests.support.feed_folders import write_blocklists

if TYPE_CHECKING:
    from pathlib import Path

OWN = "lists: [{id: own, file: own.txt, category: porn}]\n"


def _has(index: Path, name: str) -> bool:
    return bool(Index.open(index).lookup(names.from_text(name)))


def test_both_are_compiled_and_the_version_is_noted(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=5353, more=OWN)
    (config / "own.txt").write_text("ours.example\n")
    blocklists = Blocklists(write_blocklists(tmp_path / "lists", "bet.example"), "7")
    report = build_lists(config, blocklists, tmp_path / "index", now=5.0)
    assert _has(tmp_path / "index", "ours.example")
    assert _has(tmp_path / "index", "bet.example")
    assert report.names > 0
    build = Index.open(tmp_path / "index").build
    assert (build["feed"], build["when"]) == (7, 5.0)


def test_without_a_site_its_own_are_left_out(tmp_path: Path) -> None:
    blocklists = Blocklists(write_blocklists(tmp_path / "lists", "bet.example"))
    build_lists(None, blocklists, tmp_path / "index", now=5.0)
    assert _has(tmp_path / "index", "bet.example")
    assert "feed" not in Index.open(tmp_path / "index").build


def test_a_wrong_site_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=5353, more=OWN)
    blocklists = Blocklists(write_blocklists(tmp_path / "lists"))
    with pytest.raises(ConfigErrors, match=r"own\.txt"):
        build_lists(config, blocklists, tmp_path / "index", now=5.0)
    assert not (tmp_path / "index").exists()


def test_a_way_back_has_the_own_lists_of_the_policy_in_force_where_the_site_is_wrong(
    tmp_path: Path,
) -> None:
    config = write_site(tmp_path / "site", port=5353, more=OWN)
    (config / "own.txt").write_text("ours.example\n")
    compile_in_child(config, tmp_path / "policy")
    blocklists = Blocklists(write_blocklists(tmp_path / "lists", "bet.example"), "7")
    places = (tmp_path / "policy", blocklists, tmp_path / "index")
    rebuild_lists(config, *places, now=5.0)
    assert _has(tmp_path / "index", "ours.example")
    (config / "site.yaml").write_text("school: [\n")
    rebuild_lists(config, *places, now=5.0)
    assert _has(tmp_path / "index", "ours.example")
    assert _has(tmp_path / "index", "bet.example")
    (tmp_path / "policy.origin").unlink()
    rebuild_lists(config, *places, now=5.0)
    assert not _has(tmp_path / "index", "ours.example")
    assert _has(tmp_path / "index", "bet.example")


def test_a_way_back_is_not_barred_by_an_own_list_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = write_site(tmp_path / "site", port=5353, more=OWN.replace("own.txt", "own.gz"))
    (config / "own.gz").write_bytes(b"no gzip")
    blocklists = Blocklists(write_blocklists(tmp_path / "lists", "bet.example"), "7")
    rebuild_lists(config, tmp_path / "policy", blocklists, tmp_path / "index", now=5.0)
    assert _has(tmp_path / "index", "bet.example")
    assert "own.gz: cannot be read" in caplog.text
