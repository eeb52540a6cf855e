# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from filterd.base.errors import ConfigErrors, IndexFormatError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.cli import offline_site
from filterd.cli.context import Context
from filterd.texts.i18n import Texts

if TYPE_CHECKING:
    from pathlib import Path


def _here(config: Path, state: Path) -> Context:
    return Context(config, StateFolder(state), Texts("en"), Console(), Console())


def test_the_site_is_joined_with_the_compiled_lists(config: Path, state: StateFolder) -> None:
    site = offline_site.load_site_offline(_here(config, state.folder))
    assert len(site.index) > 1000
    assert site.policy.school == "Trường mẫu"


def test_without_lists_it_explains_how_to_get_them(config: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="compile the lists with `filterd lists build`"):
        offline_site.load_site_offline(_here(config, tmp_path))


def test_damaged_lists_are_reported(config: Path, tmp_path: Path) -> None:
    (tmp_path / "index.filterd").write_bytes(b"nonsense" * 1000)
    with pytest.raises(IndexFormatError, match="compile the lists"):
        offline_site.load_site_offline(_here(config, tmp_path))


def test_a_wrong_site_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"site\.yaml: cannot be read"):
        offline_site.policy_of(_here(tmp_path, tmp_path))
