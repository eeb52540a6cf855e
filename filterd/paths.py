# SPDX-License-Identifier: Apache-2.0
"""Where files are: the data that ships with filterd, and files written so that a power cut is harmless."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from filterd.errors import StoreError


def shipped(folder: str) -> Path:
    """Return the folder ``blocklists`` or ``policies`` that ships with filterd.

    In a checkout it stands beside the package, installed it is in the data
    folder of the environment (``share/filterd``).

    Raises:
        StoreError: it is in neither place.
    """
    checkout = Path(__file__).resolve().parent.parent / folder
    installed = Path(sysconfig.get_path("data")) / "share" / "filterd" / folder
    for candidate in (checkout, installed):
        if candidate.is_dir():
            return candidate
    raise StoreError(f"{folder}/ is missing beside the package; install filterd again")


def write_atomically(path: Path, content: bytes, *, mode: int = 0o640) -> None:
    """Replace ``path`` by ``content``; after a power cut it is the old or the new, never a mix.

    Temporary file, fsync, rename, fsync of the folder: without the first fsync
    the rename may reach the disk before the bytes do.

    Raises:
        StoreError: the disk refused; the old file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb", opener=lambda p, f: os.open(p, f, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        install(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def install(temporary: Path, path: Path) -> None:
    """Rename a finished, synced file into place and make the rename last."""
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
