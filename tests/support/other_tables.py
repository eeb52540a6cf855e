# SPDX-License-Identifier: Apache-2.0
"""A ``blocklists/`` folder of another version, marked by one name."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from filterd.base.paths import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy

_SHIPPED, _OTHER = "en: Gambling", "en: Games of chance"


def other_tables(folder: Path) -> Path:
    """Write such a folder."""
    tables = shutil.copytree(shipped("blocklists"), folder / "other-blocklists")
    categories = tables / "categories.yaml"
    text = categories.read_text(encoding="utf-8")
    assert _SHIPPED in text
    categories.write_text(text.replace(_SHIPPED, _OTHER), encoding="utf-8")
    return tables


def is_by_other_tables(policy: Policy) -> bool:
    """Return whether a policy was compiled by it."""
    return policy.categories["gambling"].name_en in _OTHER
