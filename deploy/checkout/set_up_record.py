# SPDX-License-Identifier: Apache-2.0
"""What was made of what: the records of a set-up, and the steps that a change makes due.

The record of an environment is in it; that of the products in the tree is in ``build``, since
several environments share the tree. Each part has the digest of all that it was made of.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

RECORD = ".set-up.json"
"""The record inside an environment; where it is, the environment is whole."""
FORMAT = 1

LAYERS = ("run", "test")
REDOES: dict[str, frozenset[str]] = {
    "python": frozenset(("run",)),
    "run": frozenset(("run",)),
    "folder": frozenset(("scripts",)),
    "test": frozenset(("test",)),
    "native": frozenset(("native",)),
    "messages": frozenset(("messages",)),
    "pages": frozenset(("pages",)),
    "bytecode": frozenset(("bytecode",)),
}
"""The steps that a changed part makes due."""


def read_record(path: Path) -> dict[str, Any]:
    """Return a record; an empty one where it is missing, damaged or of another format."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def record_text(parts: Mapping[str, Any]) -> str:
    """Return the text of a record."""
    return json.dumps({"format": FORMAT, **parts}, indent=1, sort_keys=True) + "\n"


def due_steps(made: Mapping[str, Any], wanted: Mapping[str, str], layer: str) -> set[str]:
    """Return the steps that lead from what was made to what is wanted.

    Args:
        made: the parts as recorded.
        wanted: the parts as they must be.
        layer: ``run`` or ``test``.
    """
    changed = {part for part, value in wanted.items() if made.get(part) != value}
    if layer == "run":
        changed.discard("test")
    due = {step for part in changed for step in REDOES[part]}
    if "run" in due:  # all anew: nothing of what was there is kept
        due -= {"scripts"}
        if layer == "test":
            due |= {"test"}
    return due


def digest(parts: Iterable[str | bytes]) -> str:
    """Return the digest of some texts."""
    whole = sha256()
    for part in parts:
        content = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        whole.update(b"%d:" % len(content) + content)
    return whole.hexdigest()[:32]


def of_files(files: Iterable[Path], root: Path) -> str:
    """Return the digest of the names and contents of files."""
    return digest(
        part for path in sorted(files) for part in (str(path.relative_to(root)), path.read_bytes())
    )


def of_times(files: Iterable[Path], root: Path) -> str:
    """Return the digest of the names, sizes and times of files, which is read sooner."""
    parts = []
    for path in sorted(files):
        seen = path.stat()
        parts.append(f"{path.relative_to(root)} {seen.st_size} {seen.st_mtime_ns}")
    return digest(parts)
