# SPDX-License-Identifier: Apache-2.0
"""Small versions of a feed on disk, which the production loader accepts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from filterd.base.paths import shipped
from filterd.config.lists_build import build_lists
from filterd.feed.version_files import publication_of, write_manifest
from filterd.feed.versions import Versions
from filterd.lists.index_files import Blocklists

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

_TABLES = (
    "categories.yaml",
    "holidays.yaml",
    "pins.yaml",
    "protect.yaml",
    "safe_search.yaml",
    "services.yaml",
)


def write_blocklists(folder: Path, *names: str) -> Path:
    """Write a ``blocklists/`` folder: all that ships, and one list of its own of these names."""
    (folder / "lists").mkdir(parents=True)
    for table in _TABLES:
        shutil.copyfile(shipped("blocklists") / table, folder / table)
    (folder / "lists" / "gambling.txt").write_text("".join(f"{name}\n" for name in names))
    (folder / "catalog.yaml").write_text(
        "lists:\n"
        "  - {id: gambling, title: Cờ bạc, category: gambling, format: domains,"
        " file: lists/gambling.txt}\n"
        "sources: []\n",
        encoding="utf-8",
    )
    return folder


def put_version(state: StateFolder, version: str, *names: str) -> Path:
    """Have a whole version at hand, as if it had just been taken."""
    folder = write_blocklists(state.feed_version(version), *names)
    write_manifest(folder, publication_of(folder, version))
    return folder


def put_in_force(state: StateFolder, version: str, *names: str) -> Versions:
    """Have a version in force: its folder, the pointer to it and its index."""
    folder = put_version(state, version, *names)
    versions = Versions(state.feed)
    versions.promote(version)
    build_lists(None, Blocklists(folder, version), state.index, now=0.0)
    return versions
