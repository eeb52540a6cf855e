# SPDX-License-Identifier: Apache-2.0
"""``filterd backup``: write what this gateway has that cannot be made again into one file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from filterd.appliance import backup_file
from filterd.appliance.backup_parts import BackupLock, Gathered, check_passphrase, gather
from filterd.cli.context import (
    Context,
    JsonOption,
    argument,
    check_folder,
    on_named_files,
    option,
)
from filterd.cli.secret_prompt import ask_secret
from filterd.config.site_reader import load_site
from filterd.config.site_schema import BackupEntry
from filterd.counted import size
from filterd.daemon.status_files import BACKUP, NightlyBackup
from filterd.errors import ConfigError, FilterdError
from filterd.i18n import UNSAID, say
from filterd.paths import read_plain, reading, writing
from filterd.privileges import A_COMPILER, as_owner_of, end_sooner

_MOST_OCTETS = 4096

PassphraseFileOption = Annotated[
    Path | None,
    option("--passphrase-file", "Take the passphrase from the first line of this file.", "FILE"),
]


@on_named_files
def backup(
    here: Context,
    file: Annotated[
        Path | None, argument("[FILE]", "The file to write.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None, option("--to", "Keep dated files in this folder, of a stick or share.", "DIR")
    ] = None,
    keep: Annotated[int, option("--keep", "So many of them stay.", "N", min=2, max=365)] = 7,
    passphrase_file: PassphraseFileOption = None,
    nightly: Annotated[
        bool, option("--nightly", "As `backup` in site.yaml says; for filterd-backup.service.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a backup: the site, settings by command with history, accounts, the feed's state.

    Never the query log. Passwords, keys and secret files are only in it encrypted: to a
    passphrase, which is asked for, or to the province's recovery key in site.yaml. Run it as
    root. Exit code 0: it is written, and was read again from the disk; 2: an error, the backups
    before are as they were.
    """
    end_sooner(A_COMPILER)  # a passphrase takes memory
    if nightly:
        _nightly(here, json=json)
        return
    if (file is None) == (to is None):
        raise ConfigError(say("give FILE, or a folder with --to"))
    if to is not None:  # a missing stick is refused before a question
        backup_file.check_is_there(to)
    elif file is not None:
        check_folder(file, "FILE")
    gathered = gather(here.config, here.state, here.clock, _lock(here, passphrase_file))
    if to is None:
        assert file is not None
        octets, path = backup_file.write(file, gathered.backup), file
    else:
        kept = backup_file.keep(to, gathered.backup, keep)
        octets, path = kept.octets, kept.path
        if backup_file.is_on_disk_of(to, here.state.folder):
            line = here.texts("warning: {folder} is on the disk of this gateway", folder=to)
            here.errors.print(line, style="yellow", soft_wrap=True)
    _tell(here, gathered, path, octets, json=json)


def passphrase_in(path: Path) -> str:
    """Return the first line of a file.

    Raises:
        ConfigError: it cannot be read, or is too short or too long.
    """
    with reading(path, ConfigError):
        content = read_plain(path, _MOST_OCTETS)
    line = content.decode("utf-8", "replace").split("\n")[0].rstrip("\r")
    return check_passphrase(line)


def _lock(here: Context, passphrase_file: Path | None) -> BackupLock:
    """Return what encrypts: the file's passphrase, the recovery key, or what is typed."""
    if passphrase_file is not None:
        return BackupLock(passphrase_in(passphrase_file))
    settings = _settings(here)
    if settings is not None and settings.recovery_key:
        return BackupLock(key=settings.recovery_key)
    if not sys.stdin.isatty():
        return BackupLock()
    question = say("Passphrase for passwords and keys (Enter: leave them out)")
    missing = ConfigError(say("no passphrase was given"))
    typed = ask_secret(here, question, missing, confirm=True, may_be_empty=True)
    return BackupLock(check_passphrase(typed)) if typed else BackupLock()


def _settings(here: Context) -> BackupEntry | None:
    try:
        return load_site(here.config).file.backup
    except FilterdError:  # a site with an error is backed up as it is
        return None


def _nightly(here: Context, *, json: bool) -> None:
    """Write the backup of the night, and note how it went."""
    settings = load_site(here.config).file.backup
    if settings is None:
        with as_owner_of(here.state.folder), writing(here.state.backup_outcome):
            here.state.backup_outcome.unlink(missing_ok=True)
        here.console.print(here.texts("site.yaml has no `backup`: nothing is to be done."))
        return
    now, path = here.clock.wall(), here.state.backup_outcome
    with as_owner_of(here.state.folder):
        before = BACKUP.read(path) or NightlyBackup()
    try:
        folder = Path(settings.to)
        backup_file.check_other_disk(folder, here.state.folder)
        lock = BackupLock(key=settings.recovery_key or "")
        gathered = gather(here.config, here.state, here.clock, lock)
        kept = backup_file.keep(folder, gathered.backup, settings.keep)
    except FilterdError as error:
        failing = replace(before, failing_since=before.failing_since or now, problem=error.sentence)
        with as_owner_of(here.state.folder):
            BACKUP.save(path, failing)
        raise
    done = NightlyBackup(now, None, UNSAID, str(kept.path), kept.octets)
    with as_owner_of(here.state.folder):
        BACKUP.save(path, done)
    _tell(here, gathered, kept.path, kept.octets, json=json)


def _tell(here: Context, gathered: Gathered, path: Path, octets: int, *, json: bool) -> None:
    if json:
        has_secrets = backup_file.SECRETS in gathered.backup.parts
        here.print_json({"file": str(path), "octets": octets, "secrets": has_secrets})
        return
    line = here.texts("{path} is written and read again: {size}.", path=path, size=size(octets))
    here.console.print(line, soft_wrap=True)
    if gathered.left_out:
        here.errors.print(here.texts(gathered.left_out), style="yellow", soft_wrap=True)
