# SPDX-License-Identifier: Apache-2.0
"""Gather the parts of a backup from a gateway that serves.

Each part is consistent by itself: the history is one transaction of SQLite, the accounts are
a file that is replaced whole, and so is each file of the feed. The query log, the requests of
pupils and the lists are left out: the first two are nothing to carry away, the lists come again.

The state folder is read with the rights of its owner, who could put a link there to any file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from filterd.accounts import account
from filterd.accounts.account import AccountBook
from filterd.accounts.account_file import FORMAT as ACCOUNT_FORMAT
from filterd.appliance import backup_secrets
from filterd.appliance.backup_file import (
    ACCOUNTS,
    HISTORY,
    SECRET_FILES,
    SECRETS,
    SITE,
    Backup,
    is_part,
)
from filterd.appliance.device_key import device_key, key_fingerprint
from filterd.config.build_record import EXPECTATIONS, SITE_FILE
from filterd.documents import load
from filterd.errors import ConfigError, FilterdError, StoreError
from filterd.i18n import UNSAID, Sentence, refused, say
from filterd.overrides import restored_history
from filterd.overrides.store import Store
from filterd.paths import open_plain, read_plain
from filterd.privileges import as_owner_of
from filterd.state_folder import BesideFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.appliance.backup_secrets import BackupLock
    from filterd.clock import Clock
    from filterd.state_folder import StateFolder

FEEDS = ("feed/", "beside/")
WEB_FILES, DEVICE_KEY, ENROLMENT = "web/", "device.pem", "enrolment.filterd"
_OF_FEED = ("root.json", "followed.state", "in-force.json", "metadata/*.json",
            "metadata/root_history/*.root.json")  # fmt: skip
_MOST_FILE_OCTETS = 16 << 20
_MOST_SECRET_OCTETS = 128 << 10


class Gathered(NamedTuple):
    """A backup of this gateway, and what was left out of it."""

    backup: Backup
    left_out: Sentence = UNSAID


def gather(config: Path, state: StateFolder, clock: Clock, lock: BackupLock) -> Gathered:
    """Return a backup of this gateway.

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder; a daemon may serve from it.
        clock: for the time of the backup.
        lock: encrypts the secrets; without one they are left out.

    Raises:
        StoreError, ConfigError: a part cannot be read.
    """
    parts = {f"{SITE}{name}": content for name, content in site_files(config)}
    secrets = dict(_secret_files(config, state))
    with as_owner_of(state.folder):
        rows = tuple(reversed(Store(state, clock).rows()))
        book = accounts_of(state)
        device = device_of(state)
        for name, folder in zip(FEEDS, feeds_of(state), strict=True):
            parts |= {f"{name}{path}": content for path, content in _feed_files(folder)}
        for name, path in ((DEVICE_KEY, state.device_key), (ENROLMENT, state.enrolment)):
            with suppress(OSError):
                secrets[name] = read_plain(path, _MOST_SECRET_OCTETS)
    parts[HISTORY] = restored_history.dump(rows)
    parts[ACCOUNTS] = ACCOUNT_FORMAT.dump(account.without_secrets(book))
    secrets[ACCOUNTS] = ACCOUNT_FORMAT.dump(book)
    left_out = UNSAID
    if lock.is_any:
        parts[SECRETS] = backup_secrets.encrypt(secrets, lock)
    else:
        left_out = say(
            "passwords, keys and secret files are left out: give a passphrase, or"
            " `backup.recovery_key` in site.yaml"
        )
    return Gathered(Backup(clock.wall(), device, _school(config), parts), left_out)


def site_files(config: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the site's YAML files, and of the lists that it names.

    Raises:
        StoreError: one cannot be read.
    """
    folders = (config, config / EXPECTATIONS)
    paths = [path for folder in folders for path in sorted(folder.glob("[!.]*.yaml"))]
    paths += [config / name for name in _named_lists(config)]
    for path in dict.fromkeys(paths):
        name = path.relative_to(config).as_posix()
        if not is_part(f"{SITE}{name}"):
            continue
        try:
            with open_plain(path) as file:
                content = file.read(_MOST_FILE_OCTETS + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be read: {why}", path=path, why=refused(error))
            ) from error
        if len(content) > _MOST_FILE_OCTETS:
            raise StoreError(say("{path}: too large for a backup", path=path))
        yield name, content


def device_of(state: StateFolder) -> str:
    """Return the fingerprint of this gateway's key; empty where it has none."""
    if not os.path.lexists(state.device_key):
        return ""
    with suppress(FilterdError):  # a damaged one is `doctor`'s to report
        return key_fingerprint(device_key(state.device_key))
    return ""


def feeds_of(state: StateFolder) -> tuple[Path, Path]:
    """Return the state folders of the feeds, in the order of ``FEEDS``."""
    return state.feed, BesideFolder(state.folder).feed


def _named_lists(config: Path) -> Iterator[str]:
    with suppress(ConfigError):  # a file with an error is backed up as it is
        data = load(config / SITE_FILE).data
        lists = data.get("lists") if isinstance(data, dict) else ()
        for one in lists if isinstance(lists, list) else ():
            name = one.get("file") if isinstance(one, dict) else None
            if isinstance(name, str) and is_part(name):
                yield name


def _school(config: Path) -> str:
    with suppress(ConfigError, KeyError, TypeError):
        return str(load(config / SITE_FILE).data["school"]["name"])[:200]
    return ""


def accounts_of(state: StateFolder) -> AccountBook:
    """Return the newest sound copy, as the manager takes it."""
    found = [book for one in state.accounts_copies if (book := ACCOUNT_FORMAT.read(one))]
    return max(found, key=lambda book: book.number, default=AccountBook())


def _feed_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a feed's state that are not lists.

    Without its lock, which a run holds for minutes: each file was verified for itself.
    """
    for pattern in _OF_FEED:
        for path in sorted(folder.glob(pattern)):
            name = path.relative_to(folder).as_posix()
            with suppress(OSError):  # it is being replaced, or a link to what is none of ours
                if is_part(name) and not path.is_symlink():
                    yield name, read_plain(path, _MOST_FILE_OCTETS)


def _secret_files(config: Path, state: StateFolder) -> Iterator[tuple[str, bytes]]:
    for begin, folder in ((SECRET_FILES, config / "secrets"), (WEB_FILES, state.web)):
        for path in sorted(folder.glob("[!.]*")):
            with suppress(OSError):
                if not path.is_symlink():
                    yield f"{begin}{path.name}", read_plain(path, _MOST_SECRET_OCTETS)
