# SPDX-License-Identifier: Apache-2.0
"""Warnings of popular names are short, and come by the site's policy alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.lists.catalogs.catalog_tables import load_popular_names
from filterd.wire import name as names
from tests.support.commands import call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Outcome

SOME = [names.to_text(one.name) for one in load_popular_names() if not one.except_categories]


def _build(folder: Path, listed: list[str]) -> Outcome:
    """Compile lists with one of hosts that names these."""
    own = "lists: [{id: own, file: own.txt, format: hosts, category: scam}]\n"
    config = write_site(folder / "site", port=5353, more=own)
    (config / "own.txt").write_text("".join(f"0.0.0.0 {one}\n" for one in listed))
    words = ("--config", config, "--state", folder / "state", "--lang", "en")
    return call("lists", "build", "--json", *words)


def test_of_one_list_ten_names_are_spelled_out_and_all_are_in_json(tmp_path: Path) -> None:
    listed = [one for one in SOME if one.count(".") == 1 and not one.endswith(".vn")][-400:]
    done = _build(tmp_path, listed)
    found = json.loads(done.out)["popular_closed"]
    assert len(found) > 20
    (line,) = done.error_lines
    assert f" and {len(found) - 10} more; if that is a mistake" in line
    assert line.partition(";")[0].count(", ") == 9


def test_an_entry_is_reported_with_its_line(tmp_path: Path) -> None:
    done = _build(tmp_path, ["unex.es"])
    (one,) = json.loads(done.out)["popular_closed"]
    assert (one["name"], one["entry"], one["line"]) == ("unex.es", "=unex.es", 1)


@pytest.mark.parametrize("name", ["rare.example", "m.unex.es"])
def test_other_names_are_no_finding(tmp_path: Path, name: str) -> None:
    done = _build(tmp_path, [name])
    assert (json.loads(done.out)["popular_closed"], done.err) == ([], "")


def test_without_a_policy_nothing_is_said(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=5353, more="nonsense: 1\n")
    words = ("--config", config, "--state", tmp_path / "state", "--lang", "en")
    assert call("lists", "build", "--shipped-only", "--quiet", *words) == (0, "", "")
