# SPDX-License-Identifier: Apache-2.0
"""``filterd update`` and ``release``: releases of filterd itself, and those on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from filterd.appliance.machine_changes import PackageManager
from filterd.appliance.releases import RELEASES, UNPACKED, Releases
from filterd.base.errors import ConfigError, UpdateError
from filterd.base.state_file import to_plain
from filterd.cli.context import Context, JsonOption, Options, on_named_files, option
from filterd.cli.render import show, show_details
from filterd.cli.school_clock import school_clock
from filterd.feed.program_standing import (
    EndedUpdate,
    ProgramStandingFile,
    UpdateEnding,
    beside,
    mirror_beside,
)
from filterd.operations.parameters.time import read_time
from filterd.texts import i18n, words
from filterd.texts.i18n import say, say_n
from filterd.texts.rows import Column, Details, Row, Wording, when
from filterd.version import __version__


class _WantedUpdate(NamedTuple):
    """Whether to take a release, and from where."""

    check: bool
    now: bool
    source: Path | None
    rollback: bool


class _WantedHold(NamedTuple):
    """Whether to hold releases, and until when."""

    hold: bool
    until: str | None
    release: bool


def _taking(
    check: Annotated[bool, option("--check", "Ask the feed now; install nothing early.")] = False,
    now: Annotated[
        bool, option("--now", "Install what is offered now, but never during an exam.")
    ] = False,
    source: Annotated[
        Path | None, option("--from", "With --now: from this folder, such as a USB stick.", "DIR")
    ] = None,
    rollback: Annotated[
        bool, option("--rollback", "Return to the release before, and do not take this one again.")
    ] = False,
) -> _WantedUpdate:
    if source is not None and not now:
        raise ConfigError(say("{option} needs {other}", option="--from", other="--now"))
    return _WantedUpdate(check, now, source, rollback)


def _holding(
    hold: Annotated[bool, option("--hold", "Install no release until --release.")] = False,
    until: Annotated[
        str | None, option("--until", "With --hold: until this day or time only.", "TIME")
    ] = None,
    release: Annotated[bool, option("--release", "Install new releases again.")] = False,
) -> _WantedHold:
    if until is not None and not hold:
        raise ConfigError(say("{option} needs {other}", option="--until", other="--hold"))
    return _WantedHold(hold, until, release)


@on_named_files
def update(
    here: Context,
    taking: Annotated[_WantedUpdate, Options(_taking)],
    holding: Annotated[_WantedHold, Options(_holding)],
    json: JsonOption = False,
    fetch: Annotated[bool, typer.Option("--fetch", hidden=True)] = False,
    install: Annotated[bool, typer.Option("--install", hidden=True)] = False,
) -> None:
    """Show, take, hold or take back releases of filterd itself.

    Without an option it shows what is offered, when it is installed, and why not yet. By
    itself a release comes in the night, is watched, and is taken back where it does harm. Exit
    code 0: done; 2: an error; 30 to 46: not fetched or not trusted.
    """
    check, now, source, rollback = taking
    hold, until, release = holding
    wanted = sum((check, now, rollback, hold, release, fetch, install))
    if wanted > 1:
        raise ConfigError(
            say("only one of --check, --now, --hold, --release and --rollback can be given")
        )
    if not wanted:
        _show(here, json=json)
        return
    from filterd.cli.box import update_install as work  # noqa: PLC0415 -- TUF, to do something only

    if fetch:
        work.fetch(here)
        return
    _check_root()
    if install:
        work.install(here)
        return
    if source is None and (check or now):
        work.start(work.FETCHING)
    if now or rollback:
        folder = source or mirror_beside(here.state.folder)
        ended = work.take(here, folder) if now else work.roll_back(here)
        _print_ended(here, ended, json=json)
        return
    if hold or release:
        end = None if until is None else read_time(school_clock(here), until, ends=True)
        work.hold(here, until=end) if hold else work.release(here)
    _show(here, json=json)


def _check_root() -> None:
    if os.geteuid() != 0:
        raise ConfigError(say("only root can change the release"), hint=say("again with sudo"))


def _print_ended(here: Context, ended: EndedUpdate | None, *, json: bool) -> None:
    """Print the end of an update.

    Raises:
        UpdateError: the release does not serve.
    """
    if json:
        here.print_json(to_plain(ended))
    if ended is None:
        if not json:
            here.print(say("It serves, and is watched for ten minutes: filterd update"))
    elif ended.ending in (UpdateEnding.TAKEN, UpdateEnding.ROLLED_BACK):
        serves = ended.version if ended.ending is UpdateEnding.TAKEN else ended.before
        if not json:
            here.print(say("Release {version} serves.", version=serves))
    else:
        raise UpdateError(
            say(
                "release {version} is not in service, {before} serves on: {why}",
                version=ended.version,
                before=ended.before,
                why=ended.why,
            )
        )


def _show(here: Context, *, json: bool) -> None:
    releases, folder = Releases.of_this_machine(), beside(here.state.folder)
    standing = ProgramStandingFile(folder).read()
    row = {
        "serving": releases.in_service or __version__,
        "before": releases.before,
        "installed": PackageManager().version(),
        "pending": (folder / "pending").exists(),
        **to_plain(standing),
        "held": standing.is_held(here.clock.wall()),
    }
    show_details(here, _UPDATE, row, json=json)


def _offer(row: Row, by: Wording) -> str:
    if not row["offered"]:
        return by.texts("none")
    if row["pending"]:
        return by.texts("{version}, being installed or watched", version=row["offered"])
    return str(row["offered"])


def _when(row: Row, by: Wording) -> str:
    return by.texts("from {at} on", at=when(row["takes_at"], by)) if row["takes_at"] else ""


def _why(row: Row, by: Wording) -> str:
    return i18n.translated(i18n.from_plain(row["why"]), by.texts.language)


def _held(row: Row, by: Wording) -> str:
    if not row["held"]:
        return ""
    if row["held_until"] is None:
        return by.texts("until: sudo filterd update --release")
    return by.texts("until {when}", when=when(row["held_until"], by))


def _last(row: Row, by: Wording) -> str:
    if not row["endings"]:
        return ""
    last = row["endings"][-1]
    line = by.texts(
        "{version}, {at}: {ending}",
        version=last["version"],
        at=when(last["at"], by),
        ending=by.texts.word(words.UPDATE_ENDING, last["ending"]),
    )
    why = i18n.translated(i18n.from_plain(last["why"]), by.texts.language)
    return f"{line} ({why})" if why else line


_UPDATE = Details(
    (
        Column(say("Serves"), "serving"),
        Column(say("Release before"), "before"),
        Column(say("Package"), "installed"),
        Column(say("Offered"), worded=_offer),
        Column(say("Installed"), worded=_when),
        Column(say("Not yet because"), worded=_why, style="yellow"),
        Column(say("Held"), worded=_held, style="yellow"),
        Column(say("Last update"), worded=_last),
    )
)
"""Of the releases on this machine."""


@on_named_files
def release_list(here: Context, json: JsonOption = False) -> None:
    """Show the releases of filterd on this machine, and which one is in service.

    `newest` is the one that dpkg unpacked last: after a rollback another one is in service.
    Exit code 0: shown; 2: an error.
    """
    show(here, RELEASES, Releases.of_this_machine().rows(), json=json)


@on_named_files
def activate(
    here: Context,
    unpacked: Annotated[
        Path, option("--from", "Folder of the unpacked release.", "DIR")
    ] = UNPACKED,
) -> None:
    """Put the release that dpkg unpacked in service, if it passes its self-test.

    The package does this. Services are not restarted, and on an error the release before stays
    in service. Exit code 0: it is in service; 2: an error.
    """
    _begin_as_root()
    name = Releases.of_this_machine().activate(unpacked, here.config, here.state.folder)
    here.print(say("In service: release {name}", name=name))


@on_named_files
def rollback(here: Context) -> None:
    """Put the release before this one back in service, and restart the services.

    It needs neither dpkg nor a network. Exit code 0: it is in service; 2: an error.
    """
    _begin_as_root()
    name = Releases.of_this_machine().roll_back()
    here.print(say("In service: release {name}", name=name))


@on_named_files
def restore(here: Context) -> None:  # noqa: ARG001 -- as every command
    """Put the units of the release in service in place, where dpkg has unpacked others.

    The package does this when an installation is interrupted. Exit code 0: done; 2: an error.
    """
    _begin_as_root()
    Releases.of_this_machine().restore()


def release_test(here: Context) -> None:
    """Test this release with the site and the lists of this machine; nothing is changed.

    Its native modules load, it accepts the site, and a daemon of its own on a loopback port
    answers and blocks a listed name of each category. Exit code 0: it may serve; 2: it must not.
    """
    from filterd.appliance.update import self_test  # noqa: PLC0415 -- heavy

    n = self_test.run(here.config, here.state).categories
    here.print(
        say_n(
            "The release answers, and blocks a listed name of {n} category.",
            "The release answers, and blocks a listed name of each of {n} categories.",
            n,
        )
    )


def _begin_as_root() -> None:
    if os.geteuid() != 0:
        raise ConfigError(say("only root may change the release in service"), hint=say("use sudo"))
    os.umask(0o022)  # the service's user must be able to read a release
