# SPDX-License-Identifier: Apache-2.0
"""A text takes the place of the file only if the file is as it was, and goes back on an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.config.site_proposal import digest_of, replaced
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text("old")
    return tmp_path


def test_the_new_text_stays_where_nothing_fails(config: Path) -> None:
    with replaced(config, digest_of("old"), "new"):
        assert (config / "site.yaml").read_text() == "new"
    assert (config / "site.yaml").read_text() == "new"


def test_an_error_puts_the_former_text_back(config: Path) -> None:
    with pytest.raises(ConfigError), replaced(config, digest_of("old"), "new"):
        raise ConfigError(say("an expectation fails"))
    assert (config / "site.yaml").read_text() == "old"


def test_an_edit_by_hand_is_not_overwritten(config: Path) -> None:
    (config / "site.yaml").write_text("by hand")
    with pytest.raises(ConfigError, match="meantime"), replaced(config, digest_of("old"), "new"):
        pytest.fail("it was replaced")
    assert (config / "site.yaml").read_text() == "by hand"


def test_a_link_is_not_replaced(config: Path) -> None:
    (config / "site.yaml").rename(config / "real.yaml")
    (config / "site.yaml").symlink_to("real.yaml")
    with pytest.raises(ConfigError, match="link"), replaced(config, digest_of("old"), "new"):
        pytest.fail("it was replaced")
    assert (config / "site.yaml").is_symlink()
