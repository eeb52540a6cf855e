# SPDX-License-Identifier: Apache-2.0
"""What the law orders does not wait behind lists that are held: it comes ahead of them.

Orders travel in the same version as the lists, signed by another key. Where the guard holds
or refuses a version, one is put together of the lists in force and the orders of that
version, and judged as any other. It has the number of the held one with a minus before it:
no publisher signs such a number, so nothing takes it for the whole.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from filterd.feed.manifest import files_of, sha256_of, signers_of, verify, write_manifest
from filterd.feed.target_roles import is_ordered
from filterd.feed.targets import Publication, PublishedFile, full_target
from filterd.feed.version_download import link_or_copy, sync_all
from filterd.lists.catalog import load_categories
from filterd.paths import shipped, write_atomically, writing

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.versions import Candidate, Versions

    Files = dict[str, tuple[int, str]]

_CANARIES = "canaries.yaml"
_CANARY = "{category}.blocked.filterd.example"
_NOT_PUBLISHED = ("README.md", "popular.yaml")


def with_orders_of(version: int, versions: Versions) -> Candidate | None:
    """Put a version together of the lists in force and the orders of one that is not.

    Args:
        version: one at hand, whole.
        versions: those at hand.

    Returns:
        It, whole; None where the orders in force are the same, or the version is not whole.

    Raises:
        FilterdError: the disk refused, or what ships is damaged.
    """
    source = versions.folder_of(version)
    current = versions.current()
    base = shipped("blocklists") if current is None else current.folder
    ahead, kept = _files(source), _files(base)
    if ahead is None or kept is None or any(map(verify, filter(_is_signed, (source, base)))):
        return None  # a whole version mends what is damaged
    orders = {path: file for path, file in ahead.items() if is_ordered(full_target(path))}
    if orders == {path: file for path, file in kept.items() if is_ordered(full_target(path))}:
        return None
    folder = versions.partial_of(-version)
    with writing(folder):
        if folder.exists():
            shutil.rmtree(folder)
        for path in kept:
            if not is_ordered(full_target(path)):
                link_or_copy(base / path, folder / path)
        for path in orders:
            link_or_copy(source / path, folder / path)
        if current is None:
            _write_canaries(folder)
        publication = _publication(-version, folder, source if current is None else base, source)
        write_manifest(folder, publication)
        sync_all(folder, publication.files)
        return versions.finish(-version)


def _files(folder: Path) -> Files | None:
    """Return what a folder must hold; what ships has no manifest, and is what it is."""
    if _is_signed(folder):
        return files_of(folder)
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return {name: (0, "") for name in names if name not in _NOT_PUBLISHED}


def _is_signed(folder: Path) -> bool:
    return folder != shipped("blocklists")


def _publication(version: int, folder: Path, *sources: Path) -> Publication:
    """Describe a folder; its keys are those that have signed all that it was made of."""
    files = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name, length = path.relative_to(folder).as_posix(), path.stat().st_size
        files.append(PublishedFile(name, length, sha256_of(path) or "", length))
    first, *others = (signers_of(source) or {} for source in sources)
    signers = {
        role: tuple(key for key in keys if all(key in one.get(role, ()) for one in others))
        for role, keys in first.items()
    }
    return replace(Publication(version, tuple(files)), signers=signers)


def _write_canaries(folder: Path) -> None:
    """Name what must be blocked, as a publisher does: each list that ships has one name for it."""
    listed = b"\n".join(path.read_bytes() for path in folder.rglob("*.txt"))
    names = ((one.id, _CANARY.format(category=one.id)) for one in load_categories(folder))
    entries = [{"category": one, "names": [name]} for one, name in names if name.encode() in listed]
    text: str = yaml.safe_dump({"canaries": entries})
    write_atomically(folder / _CANARIES, text.encode("ascii"))
