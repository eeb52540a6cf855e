# SPDX-License-Identifier: Apache-2.0
"""``filterd backup`` and ``restore``: what cannot be made again, in a file, and back."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from filterd.appliance.backup import backup_file, restore_journal, restore_plan
from filterd.appliance.backup.backup_file import SECRETS
from filterd.appliance.backup.backup_parts import (
    BackupLock,
    Gathered,
    check_passphrase,
    gather,
    identity_in,
)
from filterd.appliance.backup.restore_plan import RestoreDifference, RestorePlan
from filterd.base.errors import ConfigError, FilterdError
from filterd.base.paths import read_plain, reading, writing
from filterd.base.privileges import A_COMPILER, as_owner_of, end_sooner
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.named_files import check_folder
from filterd.cli.school_clock import school_clock
from filterd.cli.terminal import agreed, ask_secret
from filterd.config.site_reader import load_site
from filterd.config.site_schema import BackupEntry
from filterd.daemon.manager.status_files import BACKUP, NightlyBackup
from filterd.overrides.changes.effects import to_plain
from filterd.overrides.descriptions import Describer
from filterd.texts.counted import size
from filterd.texts.i18n import UNSAID, say, say_n
from filterd.texts.words import ROLE

_MOST_OCTETS = 4096

PassphraseFileOption = Annotated[
    Path | None,
    option("--passphrase-file", "Take the passphrase from the first line of this file.", "FILE"),
]


@on_named_files
def backup(
    here: Context,
    file: Annotated[Path | None, argument("FILE", "The file to write.", show_default=False)] = None,
    to: Annotated[
        Path | None, option("--to", "Keep dated files in this folder, of a stick or share.", "DIR")
    ] = None,
    keep: Annotated[int, option("--keep", "Number of backups to keep.", "N", min=2, max=365)] = 7,
    passphrase_file: PassphraseFileOption = None,
    nightly: Annotated[
        bool, option("--nightly", "By `backup` in site.yaml; for filterd-backup.service.")
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
            here.warn(say("warning: {folder} is on the disk of this gateway", folder=to))
    _print_written(here, gathered, path, octets, json=json)


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
        here.print(say("site.yaml has no `backup`: nothing is to be done."))
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
    _print_written(here, gathered, kept.path, kept.octets, json=json)


def _print_written(
    here: Context, gathered: Gathered, path: Path, octets: int, *, json: bool
) -> None:
    if json:
        has_secrets = backup_file.SECRETS in gathered.backup.parts
        here.print_json({"file": str(path), "octets": octets, "secrets": has_secrets})
        return
    here.print(
        say("{path} is written and read again: {size}.", path=path, size=size(octets)), whole=True
    )
    if gathered.left_out:
        here.warn(gathered.left_out)


_MOST_KEY_OCTETS = 16_384
_NOT_DONE = 1

KeyFileOption = Annotated[
    Path | None,
    option("--recovery-key-file", "The province's secret key of age, in this file.", "FILE"),
]


@on_named_files
def restore(
    here: Context,
    file: Annotated[Path | None, argument("FILE", "The backup.", show_default=False)] = None,
    passphrase_file: PassphraseFileOption = None,
    recovery_key_file: KeyFileOption = None,
    yes: Annotated[bool, option("--yes", "Ask nothing.")] = False,
    foreign: Annotated[
        bool, option("--foreign", "With --yes: take the backup of another box, too.")
    ] = False,
    resume: Annotated[
        bool, option("--resume", "Go on with a restore that a power cut interrupted.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Verify a backup, show what it would change, ask, and put it in force.

    What concerns a person and was removed after the backup was made stays removed, and an
    account that is here stays as it is. The history goes on: the restore is a change in it.
    After a power cut it is done to its end at the next start. Run it as root. Exit code 0: in
    force; 1: nothing was changed; 2: an error.
    """
    end_sooner(A_COMPILER)
    if resume or (file is None and restore_journal.is_waiting(here.config)):
        if restore_journal.is_waiting(here.config):
            _carry_out(here, json=json)
        return
    if file is None:
        raise ConfigError(say("give the file of a backup"))
    plan = read_backup(here, file, passphrase_file, recovery_key_file)
    restore_plan.check_site(plan, here.config)
    found = restore_plan.difference(plan, here.config, here.state, here.clock)
    if not json:
        show_backup(here, plan, found)
    _confirm(here, plan, found, yes=yes, foreign=foreign)
    restore_journal.decide(restore_plan.without_device_key(plan), here.config)
    _carry_out(here, json=json)


def read_backup(
    here: Context, file: Path, passphrase_file: Path | None, recovery_key_file: Path | None
) -> RestorePlan:
    """Read a backup with the passphrase or key that is given, or typed.

    Raises:
        StoreError, ConfigError: as ``restore_plan.read_plan``.
    """
    lock = BackupLock()
    if passphrase_file is not None:
        lock = BackupLock(passphrase_in(passphrase_file))
    elif recovery_key_file is not None:
        with reading(recovery_key_file, ConfigError):
            content = read_plain(recovery_key_file, _MOST_KEY_OCTETS)
        lock = BackupLock(key=identity_in(content.decode("utf-8", "replace")))
    elif sys.stdin.isatty():
        plan = restore_plan.read_plan(file, lock)  # a wrong file is refused before a question
        if SECRETS not in plan.backup.parts:
            return plan
        question = say("Passphrase of the backup (Enter: without passwords and keys)")
        missing = ConfigError(say("no passphrase was given"))
        lock = BackupLock(ask_secret(here, question, missing, may_be_empty=True))
    return restore_plan.read_plan(file, lock)


def show_backup(here: Context, plan: RestorePlan, found: RestoreDifference) -> None:
    """Show a backup, and all that it would change."""
    backup, clock = plan.backup, school_clock(here)
    here.print(
        say(
            "Backup of {school}, {time}, made by filterd {version}.",
            school=backup.school or "-",
            time=f"{clock.shows(backup.made_at):%H:%M %d/%m/%Y}",
            version=backup.version,
        ),
        whole=True,
    )
    lines = [(line, "green" if line[0] == "+" else "red") for line in found.lines]
    describer = Describer(here.texts, clock)
    for sign, style, things in (
        ("-", "red", found.effect.before),
        ("+", "green", found.effect.after),
    ):
        lines += [
            (f"{sign} {describer.thing(kind, one)}", style)
            for kind, set_ in to_plain(things).items()
            for one in set_
            if (one.get("ends_at") or here.clock.wall() + 1) > here.clock.wall()
        ]
    lines += [(f"+ {name}", "green") for name in found.files]
    lines += [(f"- {name}", "red") for name in found.removed]
    for text, style in lines:  # all: what is hidden by a hundred other lines is not agreed to
        here.console.print(Text(text, style))
    _show_rights(here, found)
    if found.kept_out:
        kept_out = say_n(
            "{n} thing was removed after the backup and stays removed.",
            "{n} things were removed after the backup and stay removed.",
            found.kept_out,
        )
        here.print(kept_out, whole=True)
    for one in plan.missing:
        here.errors.print(Text(here.texts(one), "yellow"), soft_wrap=True)


def _show_rights(here: Context, found: RestoreDifference) -> None:
    """Show the accounts that may sign in by a restore, their roles, and the feeds trusted."""
    word = here.texts.word
    names = (
        f"{account.name} ({', '.join(word(ROLE, role) for role in sorted(account.roles))})"
        for account in found.accounts
    )
    if found.accounts:
        here.print(say("Accounts that come back: {names}", names=", ".join(names)), whole=True)
    for root in found.roots:
        here.print(say("The feed with this key is trusted: {root}", root=root), whole=True)


def _confirm(
    here: Context, plan: RestorePlan, found: RestoreDifference, *, yes: bool, foreign: bool
) -> None:
    """Ask; ends the command where the answer is no.

    Raises:
        ConfigError: there is no terminal to ask at, or the backup is of another box.
    """
    if found.is_foreign:
        sentence = say(
            "This is the backup of another box, of {school}", school=plan.backup.school or "-"
        )
        if yes and not foreign:
            raise ConfigError(sentence, hint=say("if that is meant: --foreign"))
        here.errors.print(Text(here.texts(sentence), "bold yellow"), soft_wrap=True)
    if not agreed(here, say("Put this backup in force?"), yes=yes):
        raise typer.Exit(_NOT_DONE)


def carry_out(here: Context) -> dict[str, Any]:
    """Do a decided restore to its end, also where the terminal is gone."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return restore_journal.carry_out(here.config, here.state, here.clock)


def _carry_out(here: Context, *, json: bool) -> None:
    done = carry_out(here)
    if json:
        here.print_json(done)
        return
    here.print(
        say("The backup is in force: change {number} in the history.", number=done["number"]),
        whole=True,
    )
    if not done["running"]:
        here.print(say("filterd does not run; start it: sudo systemctl start filterd"), whole=True)
