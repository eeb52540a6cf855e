# SPDX-License-Identifier: Apache-2.0
"""Activate legal orders ahead of held lists, and hold an unknown ordering key.

TUF lets the role ``targets`` name the key of the role ``orders``. A thief of the online keys
could name another one, and order by law what no list may close. So a key that differs from
that of the version in force waits, until an administrator or the root keys
(``released_holds``) agree.

Orders travel in the same version as the lists. Where the guard holds or refuses a version,
another is made of the lists in force and the orders of that version, and judged as any
other. Its id is that of the held one with a minus before it. No publisher's id begins with
a minus, so nothing mistakes it for the whole.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.feed.guard.judgement import Severity, found
from filterd.feed.manifest import files_of, sha256_of, signers_of, verify, write_manifest
from filterd.feed.targets import Publication, PublishedFile, full_target, is_ordered
from filterd.feed.version_download import link_or_copy, sync_all
from filterd.feed.versions import ahead_of
from filterd.i18n import say
from filterd.lists.catalog import load_categories
from filterd.lists.catalog_tables import CANARIES_FILE, canaries_yaml
from filterd.lists.rules import MADE_CANARY
from filterd.paths import shipped, write_atomically, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from filterd.feed.guard.judgement import Finding
    from filterd.feed.versions import Candidate, Versions

    Files = dict[str, tuple[int, str]]

ROLE = "orders"
KIND = "orders-key"
"""The kind of finding for an unknown ordering key."""

_NOT_PUBLISHED = ("README.md", "popular.yaml")


def with_orders_of(version: str, versions: Versions) -> Candidate | None:
    """Make a version of the lists in force and the orders of another version.

    Args:
        version: the other one, at hand and whole.
        versions: those at hand.

    Returns:
        The new one; None where the orders in force are the same, or the other is not whole.

    Raises:
        FilterdError: the disk refused, or what ships is damaged.
    """
    source, coming = versions.folder_of(version), ahead_of(version)
    current = versions.current()
    base = shipped("blocklists") if current is None else current.folder
    ahead, kept = _files(source), _files(base)
    if ahead is None or kept is None or any(map(verify, filter(_is_signed, (source, base)))):
        return None  # a whole version mends what is damaged
    orders = {path: file for path, file in ahead.items() if is_ordered(full_target(path))}
    if orders == {path: file for path, file in kept.items() if is_ordered(full_target(path))}:
        return None
    folder = versions.partial_of(coming)
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
        publication = _publication(coming, folder, source if current is None else base, source)
        write_manifest(folder, publication)
        sync_all(folder, publication.files)
        return versions.finish(coming)


def _files(folder: Path) -> Files | None:
    """Return the files of a folder; of the shipped one, without a manifest, all."""
    if _is_signed(folder):
        return files_of(folder)
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return {name: (0, "") for name in names if name not in _NOT_PUBLISHED}


def _is_signed(folder: Path) -> bool:
    return folder != shipped("blocklists")


def _publication(version: str, folder: Path, *sources: Path) -> Publication:
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
    """Write canaries as a publisher does: each shipped list has one made name."""
    listed = b"\n".join(path.read_bytes() for path in folder.rglob("*.txt"))
    made = {one.id: one.id + MADE_CANARY for one in load_categories(folder)}
    canaries = {one: [name] for one, name in made.items() if name.encode() in listed}
    write_atomically(folder / CANARIES_FILE, canaries_yaml(canaries))


def other_key(new: Collection[str] | None, known: Collection[str] | None) -> Iterator[Finding]:
    """Find whether an unknown key signs legal orders.

    Args:
        new: ids of the keys of the role in a version; None where they are not known.
        known: the same of the version in force.
    """
    if not known or new is None or set(new) == set(known):
        return
    sentence = say("legal orders would be signed by another key than now")
    yield found(KIND, Severity.HELD, sentence, (), [f"+{ROLE} {one}" for one in sorted(new)])
