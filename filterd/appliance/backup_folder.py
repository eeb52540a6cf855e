# SPDX-License-Identifier: Apache-2.0
"""Keep dated backups in a folder of a stick or share, and how the last night went.

The name has the gateway's key and the time, so several gateways may share a folder:
``filterd-backup-3f9a1c2e-20261129T020000Z.zip``. Old ones go after the new one was read again
from the disk; a file that is no sound backup does not count as one that is kept.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.appliance import backup_file
from filterd.errors import ConfigError, FilterdError, StoreError
from filterd.i18n import say
from filterd.paths import check_room, writing

if TYPE_CHECKING:
    from filterd.appliance.backup_file import Backup

_BEGIN, _END = "filterd-backup-", ".zip"
_KEY_LETTERS = 8
_ROOT = Path("/")
_dated = re.compile(r"filterd-backup-([0-9a-f]{8})-([0-9]{8}T[0-9]{6}Z)\.zip").fullmatch


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """A backup that was written into a folder, and those that went for it."""

    path: Path
    octets: int
    removed: tuple[str, ...] = ()


def name_of(backup: Backup) -> str:
    """Return the name of the file of a backup."""
    key = hashlib.sha256(f"{backup.device}\n{backup.school}".encode()).hexdigest()[:_KEY_LETTERS]
    at = datetime.fromtimestamp(backup.made_at, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{_BEGIN}{key}-{at}{_END}"


def keep(folder: Path, backup: Backup, most: int) -> KeptBackup:
    """Write a backup into a folder, and remove the oldest beyond ``most``.

    Raises:
        ConfigError: there is no such folder.
        StoreError: the disk refused; the backups before are still there.
    """
    check_is_there(folder)
    with writing(folder):
        path = folder / name_of(backup)
        own = path.name[: len(_BEGIN) + _KEY_LETTERS]
        for left in folder.glob(f".{own}-*.tmp"):  # another gateway may be at work
            left.unlink(missing_ok=True)
        check_room(folder, sum(map(len, backup.parts.values())))
        octets = backup_file.write(path, backup)
        return KeptBackup(path, octets, tuple(_prune(path, most)))


def check_is_there(folder: Path) -> None:
    """Refuse a folder that is missing, as beneath a stick that is not plugged in.

    Raises:
        ConfigError: there is no such folder.
        StoreError: the stick is being pulled out.
    """
    with writing(folder):  # a stick that is pulled out has errors of its own
        if folder.is_dir():
            return
    raise ConfigError(
        say("there is no folder {folder}", folder=folder),
        hint=say("is the stick plugged in, or the share mounted?"),
    )


def is_on_disk_of(folder: Path, state: Path) -> bool:
    """Return whether a folder is on a disk of the gateway, as without the stick.

    The state folder may have one of its own.
    """
    try:
        return folder.stat().st_dev in {state.stat().st_dev, _ROOT.stat().st_dev}
    except OSError:
        return False


def check_other_disk(folder: Path, state: Path) -> None:
    """Refuse a folder on the disk of the gateway itself.

    Raises:
        StoreError: it is there: what breaks the one breaks the other.
    """
    if is_on_disk_of(folder, state):
        raise StoreError(
            say(
                "{folder}: on the same disk as the gateway itself; plug the stick in, or mount the"
                " share",
                folder=folder,
            )
        )


def _prune(newest: Path, most: int) -> list[str]:
    """Remove the oldest sound backups of the same gateway; return their names."""
    own = _dated(newest.name)
    assert own is not None
    there = sorted(
        (path for path in newest.parent.glob(f"{_BEGIN}{own[1]}-*{_END}") if _dated(path.name)),
        reverse=True,
    )
    removed, sound = list[str](), 0
    for path in there:
        if sound >= most and path != newest:
            path.unlink()
            removed.append(path.name)
        elif path == newest or _is_sound(path):
            sound += 1
    return removed


def _is_sound(path: Path) -> bool:
    try:
        backup_file.read(path)
    except FilterdError:
        return False
    return True
