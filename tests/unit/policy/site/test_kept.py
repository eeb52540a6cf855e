# SPDX-License-Identifier: Apache-2.0
"""A site is what it last was good, while somebody has broken its files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigErrors
from filterd.lists.catalog import load_catalog
from filterd.paths import shipped
from filterd.policy.site.compile import compile_policy, own_lists
from filterd.policy.site.kept import kept_site
from filterd.policy.site.process import compile_in_child
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path

OWN = "lists: [{id: own, file: own.txt, category: porn}]\n"
EXPECTED = "- a.example is blocked for primary\n"


class Place:
    """A site with a list and an expectation of its own, and its policy."""

    def __init__(self, folder: Path) -> None:
        self.config, self.policy = folder / "site", folder / "state" / "policy"
        self.config.mkdir()
        (self.config / "expectations").mkdir()
        self.site, self.own = self.config / "site.yaml", self.config / "own.txt"
        self.site.write_text(SCHOOL + OWN, encoding="utf-8")
        self.own.write_text("bad.example\n")
        (self.config / "expectations" / "own.yaml").write_text(EXPECTED)
        compile_in_child(self.config, self.policy)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_all_that_the_files_said_is_known_with_lists_where_they_are_now(place: Place) -> None:
    place.site.write_text("school: [\n")
    (place.config / "expectations" / "own.yaml").write_text("nonsense: [\n")
    catalog = load_catalog(shipped("blocklists"))
    with kept_site(place.policy, place.config) as site:
        assert site is not None
        policy, lists = compile_policy(site, catalog), own_lists(site, catalog)
    assert "a.example is blocked for primary" in {one.written for one in policy.expectations}
    assert [one.path for one in lists] == [str(place.own)]


def test_errors_name_the_file_that_people_know(place: Place) -> None:
    place.own.unlink()
    catalog = load_catalog(shipped("blocklists"))
    with kept_site(place.policy, place.config) as site:
        assert site is not None
        with pytest.raises(ConfigErrors) as caught:
            own_lists(site, catalog)
    assert str(caught.value).startswith(str(place.site))


def test_of_a_policy_without_its_files_nothing_is_kept(place: Place) -> None:
    record = place.policy.with_name("policy.origin")
    told = json.loads(record.read_text())
    del told["site"]
    record.write_text(json.dumps(told))
    with kept_site(place.policy, place.config) as site:
        assert site is None
    with kept_site(place.policy.with_name("none"), place.config) as site:
        assert site is None


def test_a_forged_path_leads_nowhere_else(place: Place, tmp_path: Path) -> None:
    record = place.policy.with_name("policy.origin")
    told = json.loads(record.read_text())
    told["site"] |= {"../../escaped.yaml": "x", str(tmp_path / "absolute.yaml"): "x"}
    record.write_text(json.dumps(told))
    with kept_site(place.policy, place.config) as site:
        assert site is not None
    assert not list(tmp_path.rglob("escaped.yaml"))
    assert not list(tmp_path.rglob("absolute.yaml"))
