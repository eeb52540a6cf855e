# SPDX-License-Identifier: Apache-2.0
"""A daemon or command of a user that is not root. Needs root and namespaces."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534

_REACH = """
set -e
mount --make-rprivate /
mount --bind "{prefix}" "{aside}"
mount -t tmpfs -o mode=755 tmpfs "{hidden}"
mkdir -p "{prefix}"
mount --bind "{aside}" "{prefix}"
exec "$@"
"""
"""Shows the interpreter, which may be in a home that is closed to others."""


@contextlib.contextmanager
def reach() -> Iterator[tuple[str, ...]]:
    """Yield the words before a command, of root's, by which any user reaches the interpreter."""
    hidden = [
        parent for parent in Path(sys.base_prefix).parents if not parent.stat().st_mode & 0o001
    ]
    if not hidden:
        yield ()
        return
    with tempfile.TemporaryDirectory() as aside:
        script = _REACH.format(prefix=sys.base_prefix, aside=aside, hidden=hidden[-1])
        yield ("unshare", "--mount", "bash", "-c", script, "reach")


@contextlib.contextmanager
def unprivileged(uid: int = NOBODY) -> Iterator[tuple[str, ...]]:
    """Yield the words before a command that is to be run as a user without any rights."""
    ids = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs")
    with reach() as words:
        yield (*words, "setpriv", *ids, "--bounding-set=-all")


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Yield an empty folder that other users reach: those of pytest are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def give(folder: Path, uid: int = NOBODY) -> None:
    """Give a folder, and all below it, to a user."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)
