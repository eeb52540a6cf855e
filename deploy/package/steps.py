# SPDX-License-Identifier: Apache-2.0
"""Run tools, and keep the finished steps of a build."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
CACHE = Path(os.environ.get("FILTERD_BUILD_CACHE") or ROOT / "build" / "package")


class BuildError(Exception):
    """Something that a build needs is missing or refused; one sentence with a remedy."""


def run(
    *words: str | Path,
    env: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    quiet: bool = True,
) -> str:
    """Run a tool and return its output.

    Raises:
        BuildError: the tool is missing or failed; with its last lines.
    """
    command = [str(word) for word in words]
    fixed = {"SOURCE_DATE_EPOCH": str(RELEASED_AT), "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: S603 -- no shell
            command,
            env={**os.environ, **fixed, **(env or {})},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            text=True,
            check=True,
        )
    except FileNotFoundError as error:
        raise BuildError(
            f"{command[0]} is not installed; deploy/DEVELOPING.md lists what a build needs"
        ) from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "").strip().splitlines()[-12:]
        raise BuildError("\n  ".join([f"{' '.join(command[:6])} ... failed:", *last])) from error
    return done.stdout


@contextmanager
def made(path: Path) -> Iterator[Path | None]:
    """Yield where to make a file or folder that gets its name at the end; None if it is there."""
    if path.exists():
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        inside = fresh / path.name
        yield inside
        with suppress(OSError):  # another build was first: the same content
            inside.rename(path)
        if not path.exists():
            raise BuildError(f"{path} was not made")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def add(source: Path, target: Path) -> None:
    """Copy what is in a folder into another.

    No hard links: another build at the same time would change the times of the files.
    """
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)


def set_times(folder: Path) -> None:
    """Give all beneath a folder the time of the release and plain rights."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (RELEASED_AT, RELEASED_AT), follow_symlinks=False)


def digest(*files: Path) -> str:
    """Return a short digest of the names and content of files; equal in every checkout."""
    whole = sha256()
    for path in files:
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
        whole.update(f"{name} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]
