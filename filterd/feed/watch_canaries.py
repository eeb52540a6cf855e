# SPDX-License-Identifier: Apache-2.0
"""Names of a version that must be blocked for everybody, for whoever watches it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from filterd.errors import FilterdError
from filterd.lists.catalog import load_categories
from filterd.paths import open_plain

if TYPE_CHECKING:
    from pathlib import Path

MOST = 5
_MOST_OCTETS = 1 << 20


def canaries_of(folder: Path) -> tuple[str, ...]:
    """Return some canaries of locked categories, one of each; none where there are none to read."""
    try:
        locked = {one.id for one in load_categories(folder) if one.locked}
        with open_plain(folder / "canaries.yaml") as file:
            data: Any = yaml.safe_load(file.read(_MOST_OCTETS))
        entries = [(str(one["category"]), str(one["names"][0])) for one in data["canaries"]]
    except (OSError, FilterdError, yaml.YAMLError, KeyError, TypeError, IndexError):
        return ()
    return tuple(name for category, name in entries if category in locked)[:MOST]
