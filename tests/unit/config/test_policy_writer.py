# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config import build_record
from filterd.config.compile import compile_policy
from filterd.config.policy_writer import write_policy
from filterd.config.site_reader import load_site
from filterd.errors import StoreError
from filterd.lists.catalog import load_catalog
from filterd.paths import shipped
from filterd.policy import policy_file
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path

BLOCKLISTS = shipped("blocklists")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.yaml").write_text(SCHOOL, encoding="utf-8")
    return folder


def written(target: Path, config: Path, looked: build_record.Looked | None) -> None:
    catalog = load_catalog(BLOCKLISTS)
    write_policy(target, compile_policy(load_site(config), catalog), looked, catalog.compiled)


def test_a_policy_stands_beside_what_it_was_made_from(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "policy"
    written(target, config, build_record.look(config, BLOCKLISTS))
    assert policy_file.load(target).school
    assert build_record.is_current(target, config, blocklists=BLOCKLISTS)


def test_where_that_could_not_be_seen_the_policy_serves_and_is_compiled_again(
    config: Path, tmp_path: Path
) -> None:
    target = tmp_path / "policy"
    written(target, config, None)
    assert policy_file.load(target).school
    assert not build_record.is_current(target, config, blocklists=BLOCKLISTS)


def test_a_disk_that_refuses_the_policy_is_told(config: Path) -> None:
    with pytest.raises(StoreError):
        written(config / "site.yaml" / "policy", config, None)
