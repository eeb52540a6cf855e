# SPDX-License-Identifier: Apache-2.0
"""The file of a backup: a zip of parts and a manifest with their digests.

``manifest.json`` comes first: magic, format, the version of filterd, when and by which gateway
it was made, the length and SHA-256 of each part. A file that is cut short, damaged or of another
program shows; it is no signature: what it brings back is shown to a person, and checked as if
that person had written it. Parts::

    site/...         site.yaml, the other YAML files of its folder, the lists that it names
    history.jsonl    all changes by command (``overrides.history.restored_history``)
    accounts.json    names and roles
    feed/, beside/   the trusted root, verified metadata, followed lists, refused versions
    secrets.age      what is encrypted (``backup_parts``)

All of a file is read into memory: it is small, and bounded.

``keep`` writes dated ones into a folder of a stick or share. The name has the gateway's key and the
time, so several gateways may share a folder: ``filterd-backup-3f9a1c2e-20261129T020000Z.zip``. Old
ones go after the new one was read again from the disk; a file that is no sound backup does not
count as one that is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from filterd.base.archives import DAMAGED, LongDirectoryError, opened_zip
from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.base.paths import check_room, open_plain, remove_temporaries, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.texts.i18n import Sentence, refused, say
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC, FORMAT = "filterd backup", 1
MANIFEST = "manifest.json"
SITE, HISTORY, ACCOUNTS, SECRETS = "site/", "history.jsonl", "accounts.json", "secrets.age"
SECRETS_FOLDER = "secrets/"
"""The folder of secrets beside ``site.yaml``; and in ``secrets.age``."""
MOST_OCTETS = 64 << 20
"""Of all parts, and of the file."""
MOST_PARTS = 2_000
_MOST_MANIFEST_OCTETS = 1 << 20
_LONGEST_NAME = 255
_LATEST = 1 << 36
"""Unix time of a backup: what a calendar can show."""
_is_step = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*").fullmatch
"""Of a path: no hidden file, no way up."""
_MODE = 0o600
_DAMAGED = (*DAMAGED, AttributeError, TypeError)


@frozen
class Backup:
    """A backup.

    Attributes:
        made_at: Unix time.
        device: the fingerprint of the gateway's key; empty where it has none.
        school: the name of the school.
        parts: content by name.
        version: of filterd that made it.
    """

    made_at: float
    device: str
    school: str
    parts: Mapping[str, bytes]
    version: str = __version__

    def beneath(self, folder: str) -> dict[str, bytes]:
        """Return the parts beneath a folder, ``site/``, by their paths there."""
        return {
            name.removeprefix(folder): content
            for name, content in self.parts.items()
            if name.startswith(folder)
        }


def dump(backup: Backup) -> bytes:
    """Return the content of the file.

    Raises:
        StoreError: it has more than a backup may have.
    """
    parts = [
        {"name": name, "octets": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(backup.parts.items())
    ]
    if len(parts) > MOST_PARTS or sum(map(len, backup.parts.values())) > MOST_OCTETS:
        raise StoreError(
            say("there is more to back up than {most} MB or {n} files", most=64, n=MOST_PARTS)
        )
    manifest = {
        "magic": MAGIC,
        "format": FORMAT,
        "filterd": backup.version,
        "made_at": backup.made_at,
        "device": backup.device,
        "school": backup.school,
        "parts": parts,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
        for name, content in sorted(backup.parts.items()):
            archive.writestr(name, content)
    return stream.getvalue()


def write(path: Path, backup: Backup) -> int:
    """Write a backup, and read it again from the disk; return its octets.

    A backup that was there stays until the new one is whole.

    Raises:
        StoreError: the disk refused, or gives back something else.
    """
    content = dump(backup)
    remove_temporaries(path)
    write_atomically(path, content, mode=_MODE)
    try:
        with open_plain(path) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # not from memory
            is_same = file.read(len(content) + 1) == content
    except OSError as error:
        raise _unreadable(path, refused(error)) from error
    if not is_same:
        raise StoreError(say("{path}: the disk does not return what was written", path=path))
    return len(content)


def read(path: Path) -> Backup:
    """Read a backup, with all of its parts verified.

    Raises:
        StoreError: it cannot be read, is none, is damaged, or is of a newer filterd.
    """
    try:
        with open_plain(path) as file:
            content = file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise _unreadable(path, refused(error)) from error
    if len(content) > MOST_OCTETS:
        raise _foreign(path)
    try:
        with opened_zip(io.BytesIO(content)) as archive:
            return _read(path, archive)
    except LongDirectoryError as error:
        raise _foreign(path) from error
    except _DAMAGED as error:
        if content.startswith(b"PK"):
            raise _damaged(path) from error
        raise _foreign(path) from error


def _read(path: Path, archive: zipfile.ZipFile) -> Backup:
    names = archive.namelist()
    if MANIFEST not in names:
        raise _foreign(path)
    with archive.open(MANIFEST) as member:
        manifest = json.loads(_bounded(member.read(_MOST_MANIFEST_OCTETS + 1)))
    if not isinstance(manifest, dict) or manifest.get("magic") != MAGIC:
        raise _foreign(path)
    if manifest["format"] != FORMAT:
        raise StoreError(
            say(
                "{path}: made by a newer filterd ({version}); update this one first",
                path=path,
                version=str(manifest.get("filterd"))[:20],
            )
        )
    entries = manifest["parts"]
    if not isinstance(entries, list) or len(entries) > MOST_PARTS or len(names) != len(entries) + 1:
        raise ValueError("the parts are others than the manifest has")
    parts, left = dict[str, bytes](), MOST_OCTETS
    for entry in entries:
        name, content = _part(archive, entry, left)
        if name in parts:
            raise ValueError("a part is there twice")
        parts[name], left = content, left - len(content)
    if any(str(folder) in parts for name in parts for folder in PurePosixPath(name).parents):
        raise ValueError("a part is a file and a folder")
    return _described(manifest, parts)


def _described(manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> Backup:
    made_at = manifest["made_at"]
    if type(made_at) not in (int, float) or not 0 <= made_at <= _LATEST:
        raise TypeError("the manifest has no time")
    device, school, version = (manifest[key] for key in ("device", "school", "filterd"))
    if not all(one.isprintable() and len(one) <= 300 for one in (device, school, version)):
        raise TypeError("the manifest has no texts")
    return Backup(float(made_at), device, school, parts, version)


def _part(archive: zipfile.ZipFile, entry: Mapping[str, Any], left: int) -> tuple[str, bytes]:
    """Return a part that is as the manifest has it, and no longer than is left."""
    name, octets = entry["name"], entry["octets"]
    if type(octets) is not int or not 0 <= octets <= left or not is_part(name):
        raise ValueError("this is no part of a backup")
    with archive.open(name) as member:
        content = member.read(octets + 1)
    if len(content) != octets or hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ValueError("a part has another content")
    return name, content


def is_part(name: object) -> bool:
    """Return whether a text names a part: a path that leads below a folder only."""
    if not isinstance(name, str) or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        return False
    if name.startswith(f"{SITE}{SECRETS_FOLDER}"):  # these are encrypted
        return False
    return all(_is_step(step) for step in name.split("/"))


def _bounded(content: bytes) -> bytes:
    if len(content) > _MOST_MANIFEST_OCTETS:
        raise ValueError("the manifest is too long")
    return content


def _unreadable(path: Path, why: Sentence) -> StoreError:
    return StoreError(say("{path}: cannot be read: {why}", path=path, why=why))


def _foreign(path: Path) -> StoreError:
    return StoreError(say("{path}: this is not a backup of filterd", path=path))


def _damaged(path: Path) -> StoreError:
    return StoreError(
        say("{path}: the backup is damaged or cut short; take an older one", path=path)
    )


_BEGIN, _END = "filterd-backup-", ".zip"
_KEY_LETTERS = 8
_ROOT = Path("/")
_dated = re.compile(r"filterd-backup-([0-9a-f]{8})-([0-9]{8}T[0-9]{6}Z)\.zip").fullmatch


@frozen
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
        octets = write(path, backup)
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
        read(path)
    except FilterdError:
        return False
    return True
