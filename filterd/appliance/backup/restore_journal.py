# SPDX-License-Identifier: Apache-2.0
"""Put a backup in force; a power cut leaves the old state or leads to the new one.

All that is needed is first written to one file beside ``site.yaml``, where only root writes:
from then on the restore is decided. Each step after that can be done twice; the file goes
last. A start finds it and goes on (``filterd restore --resume``), before the daemon serves.

What is here and newer stays: a root of trust and its metadata, files of secrets, the key of
the certificate and of the gateway. So an old backup brings back no key that was replaced, and no
metadata that the feed has left behind.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.appliance.backup.backup_file import SECRETS_FOLDER
from filterd.appliance.backup.backup_parts import (
    DEVICE_KEY,
    ENROLMENT,
    FEEDS,
    WEB_FILES,
    feeds_of,
    site_files,
)
from filterd.base.errors import FilterdError
from filterd.base.paths import (
    check_room,
    make_folder,
    read_plain,
    reading,
    remove_temporaries,
    sole,
    sync_folder,
    write_atomically,
    writing,
)
from filterd.base.privileges import as_owner_of
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.daemon.handlers.restore_commands import (
    MOST_OCTETS,
    REQUEST,
    REQUEST_WORDS,
    RestoreRequest,
    restore_without_daemon,
)
from filterd.feed.appliance_files import FOLLOWED
from filterd.feed.signed.trust import TrustFolder, read_root
from filterd.feed.versions import POINTER, Versions
from filterd.overrides.history import restored_history
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from filterd.appliance.backup.restore_plan import RestorePlan
    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder

JOURNAL = ".restore.filterd"
_LOCK = ".restore.lock"
_MONITOR = "filterd-monitor"
"""The user that reads the secrets of alerts."""


@frozen
class DecidedRestore:
    """All that a restore writes.

    Attributes:
        request: what the daemon brings back.
        site: files of the site, by their paths.
        feed: files of the feed's state, by their paths in the backup.
        secrets: by name.
    """

    request: RestoreRequest
    site: dict[str, bytes]
    feed: dict[str, bytes]
    secrets: dict[str, bytes]


_FORMAT = FileFormat(
    DecidedRestore,
    magic=b"filterd decided restore ",
    title=say("journal of a restore"),
    remedy=say("restore the backup again"),
    words=REQUEST_WORDS,
    most_octets=MOST_OCTETS,
)


def is_waiting(config: Path) -> bool:
    """Return whether a restore was interrupted."""
    return os.path.lexists(config / JOURNAL)


def decide(plan: RestorePlan, config: Path) -> None:
    """Write the journal: from then on the restore is done to its end.

    Raises:
        StoreError: the disk refused, or has no room; nothing is changed.
    """
    backup = plan.backup
    feed = {name: part for name, part in backup.parts.items() if name.startswith(FEEDS)}
    history = restored_history.dump(plan.rows).decode()
    request = RestoreRequest(plan.origin, history, plan.accounts)
    content = _FORMAT.dump(DecidedRestore(request, plan.site, feed, dict(plan.secrets)))
    make_folder(config, mode=0o755)
    check_room(config, 3 * len(content))
    remove_temporaries(config / JOURNAL)
    write_atomically(config / JOURNAL, content, mode=0o600)


def carry_out(config: Path, state: StateFolder, clock: Clock) -> dict[str, Any]:
    """Do all steps of a decided restore, or those that are left.

    Returns: ``number``, the change in the history; ``accounts`` that came back; ``running``,
    whether a daemon has taken it.

    Raises:
        FilterdError: a step failed; the journal stays, to go on with.
    """
    with sole(config / _LOCK, otherwise=say("another restore is at work")):
        decided = _FORMAT.load(config / JOURNAL)
        _put_site(config, decided.site)
        _put_secrets(config, state, decided.secrets)
        with as_owner_of(state.folder):
            with writing(state.folder):
                make_folder(state.folder)
            _put_device(state, decided.secrets)
            for name, folder in zip(FEEDS, feeds_of(state), strict=True):
                files = {
                    path.removeprefix(name): content
                    for path, content in decided.feed.items()
                    if path.startswith(name)
                }
                _put_feed(folder, files)
            request = REQUEST.dump(decided.request)
            write_atomically(state.restore_request, request, mode=0o600)
        is_running = control.is_running(state.control_socket)
        if is_running:
            outcome = control.ask(state.control_socket, "restore")
        else:
            with as_owner_of(state.folder):
                outcome = restore_without_daemon(state, clock)
        with as_owner_of(state.folder), writing(state.restore_request):
            state.restore_request.unlink(missing_ok=True)
        try:
            if is_running:  # what it refuses is in place, and reported like a mistake in the files
                control.ask(state.control_socket, "reload")
        finally:
            with writing(config / JOURNAL):
                (config / JOURNAL).unlink()
                sync_folder(config)  # else a power cut brings it back, over what was changed since
        return {**outcome, "running": is_running}


def _put_site(config: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a site, ``site.yaml`` last, and remove others."""
    present = dict(site_files(config))
    for name in sorted(files, key=lambda name: (name == "site.yaml", name)):
        if present.get(name) != files[name]:
            write_atomically(config / name, files[name], mode=0o644)
    for name in present.keys() - files.keys():
        with writing(config / name):
            (config / name).unlink()
            sync_folder((config / name).parent)


def _put_secrets(config: Path, state: StateFolder, secrets: Mapping[str, bytes]) -> None:
    for begin, folder in ((SECRETS_FOLDER, config / "secrets"), (WEB_FILES, state.web)):
        files = {name.removeprefix(begin): secret for name, secret in secrets.items()
                 if name.startswith(begin)}  # fmt: skip
        if not files or (begin == WEB_FILES and any(map(os.path.lexists, folder.glob("[!.]*")))):
            continue  # a chain and a key belong together
        is_alerts = begin == SECRETS_FOLDER
        with writing(folder):
            make_folder(folder, mode=0o711 if is_alerts else 0o755)
        for name, content in files.items():
            _put_missing(folder / name, content, mode=0o600 if is_alerts else 0o640)
            if is_alerts:
                with suppress(LookupError, PermissionError):  # no such user on this machine
                    shutil.chown(folder / name, _MONITOR)


def _put_device(state: StateFolder, secrets: Mapping[str, bytes]) -> None:
    """Write key and enrolment of the gateway, which is of no use with another key."""
    key, enrolment = secrets.get(DEVICE_KEY), secrets.get(ENROLMENT)
    if key is None:
        return
    _put_missing(state.device_key, key)
    with reading(state.device_key):
        is_there = read_plain(state.device_key, 1 << 20) == key
    if enrolment is not None and is_there:
        _put_missing(state.enrolment, enrolment)


def _put_missing(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a secret where there is none."""
    if not os.path.lexists(path):
        write_atomically(path, content, mode=mode)


def _put_feed(folder: Path, files: Mapping[str, bytes]) -> None:
    """Bring the state of a feed back; trust only where there is none yet."""
    if not files:
        return
    trust, versions = TrustFolder(folder), Versions(folder)
    with sole(folder / "feed.lock", otherwise=say("another process is taking the feed"), wait=True):
        root = files.get("root.json", b"")
        if _is_sound(read_root, root) and not trust.is_given():
            with writing(trust.metadata):
                shutil.rmtree(trust.metadata, ignore_errors=True)  # of no root
            for name, content in files.items():
                if name.startswith("metadata/"):
                    write_atomically(folder / name, content)
            write_atomically(trust.root, root)  # last: with it this part is done
        followed = files.get("followed.state", b"")
        if _is_sound(lambda content: FOLLOWED.parse(content, ""), followed):
            write_atomically(folder / "followed.state", followed)
        for version in _refused(files.get("in-force.json", b"")):
            if version not in versions.in_force().refused:
                versions.refuse(version)


def _is_sound(read: Callable[[bytes], object], content: bytes) -> bool:
    try:
        read(content)
    except FilterdError:
        return False
    return True


def _refused(pointer: bytes) -> tuple[str, ...]:
    """Return the versions that were refused, by the pointer of a backup."""
    try:
        return POINTER.parse(pointer, "").refused
    except FilterdError:  # there is none in it, or it is damaged
        return ()
