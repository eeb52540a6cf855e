# SPDX-License-Identifier: Apache-2.0
"""A site is read from its files, or from the last good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.build_record import look
from filterd.config.compile import compile_policy, own_lists
from filterd.config.site_reader import load_site
from filterd.config.site_sources import SiteFiles
from filterd.errors import ConfigError, ConfigErrors
from filterd.lists.catalog import load_catalog
from filterd.paths import shipped
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path

OWN = "lists: [{id: own, file: own.txt, category: porn}]\n"
EXPECTED = "- a.example is blocked for primary\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with a list, a tier and an expectation of its own."""
    folder = tmp_path / "site"
    (folder / "expectations").mkdir(parents=True)
    (folder / "site.yaml").write_text(SCHOOL + OWN, encoding="utf-8")
    (folder / "own.txt").write_text("bad.example\n")
    (folder / "expectations" / "own.yaml").write_text(EXPECTED)
    (folder / "primary.yaml").write_bytes((shipped("policies") / "primary.yaml").read_bytes())
    return folder


def _kept(config: Path) -> dict[str, str]:
    looked = look(config, shipped("blocklists"))
    assert looked is not None
    return looked.site


def test_a_file_is_read_where_it_is(config: Path) -> None:
    files = SiteFiles(config)
    assert files.load("site.yaml").path == str(config / "site.yaml")
    assert (files.has("primary.yaml"), files.has("guest.yaml")) == (True, False)
    assert files.expectations() == ["expectations/own.yaml"]
    with pytest.raises(ConfigError, match=r"guest\.yaml: cannot be read"):
        files.load("guest.yaml")


def test_as_it_was_kept_it_makes_the_same_policy_whatever_stands_there_now(config: Path) -> None:
    catalog = load_catalog(shipped("blocklists"))
    before, lists = load_site(config), own_lists(load_site(config), catalog)
    policy, kept = compile_policy(before, catalog), _kept(config)
    for path in kept:
        (config / path).write_text("nonsense: [\n")
    site = load_site(config, kept)
    assert compile_policy(site, catalog) == policy
    assert own_lists(site, catalog) == lists
    with pytest.raises(ConfigErrors):
        load_site(config)


def test_what_was_added_since_does_not_count(config: Path) -> None:
    kept = _kept(config)
    (config / "guest.yaml").write_text("nonsense: [\n")
    (config / "expectations" / "new.yaml").write_text("nonsense: [\n")
    files = SiteFiles(config, kept)
    assert not files.has("guest.yaml")
    assert files.expectations() == ["expectations/own.yaml"]


def test_errors_name_the_file_that_people_know(config: Path) -> None:
    kept = _kept(config)
    (config / "own.txt").unlink()
    with pytest.raises(ConfigErrors) as caught:
        own_lists(load_site(config, kept), load_catalog(shipped("blocklists")))
    assert str(caught.value).startswith(str(config / "site.yaml"))
