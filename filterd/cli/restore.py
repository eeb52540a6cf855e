# SPDX-License-Identifier: Apache-2.0
"""``filterd restore``: put a backup in force."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from filterd.appliance import restore_journal, restore_plan
from filterd.appliance.backup_file import SECRETS
from filterd.appliance.backup_parts import BackupLock, identity_in
from filterd.appliance.restore_plan import RestoreDifference, RestorePlan
from filterd.cli.backup import PassphraseFileOption, passphrase_in
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.secret_prompt import ask_secret
from filterd.cli.time_options import school_clock
from filterd.errors import ConfigError
from filterd.i18n import Sentence, say, say_n
from filterd.overrides.descriptions import Teller
from filterd.overrides.effects import to_plain
from filterd.paths import read_plain, reading
from filterd.privileges import A_COMPILER, end_sooner
from filterd.words import ROLE

_MOST_OCTETS = 16_384
_NOT_DONE = 1

KeyFileOption = Annotated[
    Path | None,
    option("--recovery-key-file", "The province's secret key of age, in this file.", "FILE"),
]


@on_named_files
def restore(
    here: Context,
    file: Annotated[Path | None, argument("[FILE]", "The backup.", show_default=False)] = None,
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
    plan = read(here, file, passphrase_file, recovery_key_file)
    restore_plan.check_site(plan, here.config)
    found = restore_plan.difference(plan, here.config, here.state, here.clock)
    if not json:
        show(here, plan, found)
    _confirm(here, plan, found, yes=yes, foreign=foreign)
    restore_journal.decide(restore_plan.without_device_key(plan), here.config)
    _carry_out(here, json=json)


def read(
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
            content = read_plain(recovery_key_file, _MOST_OCTETS)
        lock = BackupLock(key=identity_in(content.decode("utf-8", "replace")))
    elif sys.stdin.isatty():
        plan = restore_plan.read_plan(file, lock)  # a wrong file is refused before a question
        if SECRETS not in plan.backup.parts:
            return plan
        question = say("Passphrase of the backup (Enter: without passwords and keys)")
        missing = ConfigError(say("no passphrase was given"))
        lock = BackupLock(ask_secret(here, question, missing, may_be_empty=True))
    return restore_plan.read_plan(file, lock)


def show(here: Context, plan: RestorePlan, found: RestoreDifference) -> None:
    """Show a backup, and all that it would change."""
    backup, clock = plan.backup, school_clock(here)
    _say(
        here,
        say(
            "Backup of {school}, {time}, made by filterd {version}.",
            school=backup.school or "-",
            time=f"{clock.shows(backup.made_at):%H:%M %d/%m/%Y}",
            version=backup.version,
        ),
    )
    lines = [(line, "green" if line[0] == "+" else "red") for line in found.lines]
    teller = Teller(here.texts, clock)
    for sign, style, things in (
        ("-", "red", found.effect.before),
        ("+", "green", found.effect.after),
    ):
        lines += [
            (f"{sign} {teller.thing(kind, one)}", style)
            for kind, set_ in to_plain(things).items()
            for one in set_
            if (one.get("ends_at") or here.clock.wall() + 1) > here.clock.wall()
        ]
    lines += [(f"+ {name}", "green") for name in found.files]
    lines += [(f"- {name}", "red") for name in found.removed]
    for text, style in lines:  # all: what is hidden by a hundred other lines is not agreed to
        here.console.print(Text("".join(one if one.isprintable() else "?" for one in text), style))
    _show_rights(here, found)
    if found.kept_out:
        kept_out = say_n(
            "{n} thing was removed after the backup and stays removed.",
            "{n} things were removed after the backup and stay removed.",
            found.kept_out,
        )
        _say(here, kept_out)
    for one in plan.missing:
        here.errors.print(Text(here.texts(one), "yellow"), soft_wrap=True)


def _show_rights(here: Context, found: RestoreDifference) -> None:
    """Show who may sign in by a restore, with which roles, and which feeds are trusted."""
    names = (
        f"{one.name} ({', '.join(here.texts.word(ROLE, role) for role in sorted(one.roles))})"
        for one in found.accounts
    )
    if found.accounts:
        _say(here, say("Accounts that come back: {names}", names=", ".join(names)))
    for root in found.roots:
        _say(here, say("The feed with this key is trusted: {root}", root=root))


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
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            say("this is no terminal, so no question can be asked"), hint=say("give --yes")
        )
    if not typer.confirm(here.texts("Put this backup in force?"), err=True):
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
    _say(
        here,
        say("The backup is in force: change {number} in the history.", number=done["number"]),
    )
    if not done["running"]:
        _say(here, say("filterd does not run; start it: sudo systemctl start filterd"))


def _say(here: Context, sentence: Sentence) -> None:
    here.console.print(Text(here.texts(sentence)), soft_wrap=True)
