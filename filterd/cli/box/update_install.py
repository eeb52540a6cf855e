# SPDX-License-Identifier: Apache-2.0
"""Do the work of ``filterd update``: fetch, install, hold, roll back."""

from __future__ import annotations

import contextlib
import logging
import platform
import time
from functools import partial
from pathlib import Path

from filterd.appliance.machine_changes import PackageManager, run_program
from filterd.appliance.releases import Releases
from filterd.appliance.update.program_update import ProgramUpdate
from filterd.appliance.update.update_files import UpdateFiles, UpdateStep
from filterd.appliance.update.update_steps import UpdatedMachine
from filterd.appliance.update.update_watch import ReleaseWatch, ask_port
from filterd.base import journal
from filterd.base.addresses import LOOPBACK_OF
from filterd.base.errors import ConfigError, FilterdError, InUseError, UpdateError
from filterd.base.paths import shipped
from filterd.base.privileges import as_owner_of
from filterd.cli.change_request import change
from filterd.cli.context import Context
from filterd.config.site_reader import load_site
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed.appliance_files import TimeFloor
from filterd.feed.program_standing import EndedUpdate, beside, mirror_beside
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.signed.program_offer import LIMITS, mirror, refresh_program, version_key
from filterd.feed.signed.trust import TrustFolder, load_root
from filterd.lists.catalogs.catalog import load_categories
from filterd.lists.catalogs.catalog_tables import locked_canaries
from filterd.lists.rules import MADE_CANARY
from filterd.overrides.history.history_chain import PROGRAM_UPDATE
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.version import __version__

FETCHING, INSTALLING = "filterd-update.service", "filterd-install.service"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_POLL_S, _FOLLOWED_S = 1.0, 3_600.0
_NOTICED_WITHIN_S = 60.0
"""A watch of this release notices a rollback within seconds; one of an older release does not."""
_NOT_INSTALLED = say("it was not installed; why: journalctl -u filterd-install -n 20")
_logger = logging.getLogger("filterd.update")


def _files(here: Context) -> UpdateFiles:
    return UpdateFiles(beside(here.state.folder))


def program_of(here: Context) -> ProgramUpdate:
    """Return the updates of this machine."""
    daemon = ControlDaemon(here.state.control_socket)
    machine = UpdatedMachine(
        Releases.of_this_machine(),
        PackageManager(),
        ReleaseWatch(daemon, here.clock, partial(ask_port, *reached_at(here))),
        daemon,
        here.clock,
        _target(),
        _canaries(shipped("blocklists")),
        boot=_BOOT.read_text(encoding="ascii").strip(),
    )
    return ProgramUpdate(_files(here), machine, lambda: load_site(here.config).file)


def reached_at(here: Context) -> tuple[str, int]:
    """Return where this machine reaches its resolver: the site may not listen on loopback."""
    with contextlib.suppress(FilterdError):
        address, port = load_site(here.config).file.listen[0]
        return LOOPBACK_OF.get(address, address), port
    return "127.0.0.1", 53


def _canaries(folder: Path) -> tuple[str, ...]:
    """Return names that must be blocked: those made for it too, the only ones of shipped lists."""
    made = list[str]()
    with contextlib.suppress(FilterdError):  # a damaged release must be able to go back
        made += (
            category.id + MADE_CANARY for category in load_categories(folder) if category.locked
        )
    return (*locked_canaries(folder), *made)


def _target() -> tuple[str, str]:
    """Return the Debian release and the architecture, as packages name them."""
    try:
        debian = platform.freedesktop_os_release().get("VERSION_ID", "")
    except OSError:
        debian = ""
    machine = platform.machine()
    return debian, _ARCHITECTURES.get(machine, machine)


def fetch(here: Context) -> None:
    """Mirror what the feed offers this machine; run by the user ``filterd-update``."""
    address = load_site(here.config).file.feed
    root = _files(here).trust.root
    if not address or not root.exists():
        return  # a school without a feed takes releases from a stick
    folder, fetcher = mirror_beside(here.state.folder), WebFetcher(address, here.clock, LIMITS)
    trust, floor = TrustFolder(folder.parent / "trust"), TimeFloor(folder.parent)
    with as_owner_of(folder.parent):  # links may be in that user's folder
        trust.establish(load_root(root), replace=True)
        now = here.clock.wall()
        offer = refresh_program(trust, fetcher, Moment(now, floor.read()))
        if offer.clock_known:
            floor.note(now, offer.issued_at)
        target = offer.newest(*_target())
        is_newer = target is not None and version_key(target.version) > version_key(__version__)
        mirror(offer, folder, target if is_newer else None)


def install(here: Context) -> None:
    """Go on with an update, or begin one that is due; systemd runs this as root."""
    journal.begin(here.texts.language)
    site = program_of(here)
    with site.holding(wait=True):  # a command begins an update, and this ends it
        site.steps.mend()
        if site.steps.is_to_be_decided():
            folder = mirror_beside(here.state.folder)
            if not _files(here).trust.root.exists() or not (folder / "metadata").is_dir():
                return
            decision = site.look(FolderFetcher(folder, here.clock, LIMITS))
            if decision is not None and decision.reason is not None:
                _logger.info("release %s: %s", _files(here).standing.read().offered, decision.why)
        ended = site.steps.go_on()
    if ended is not None:
        _record(here, ended)
        _logger.info(
            "release %s: %s %s",
            ended.version,
            here.texts.word(words.UPDATE_ENDING, ended.ending),
            here.texts(ended.why) if ended.why else "",
        )


def take(here: Context, folder: Path) -> EndedUpdate | None:
    """Install what a folder offers, now; return its end, None while it is watched on.

    Raises:
        FilterdError: it is not installed.
    """
    if folder == mirror_beside(here.state.folder) and not folder.is_dir():
        raise ConfigError(
            say("no release was fetched from the feed yet"),
            hint=say("why: sudo filterd update --check; from a stick: --from DIR"),
        )
    if not folder.is_dir():
        raise ConfigError(
            say("there is no folder {parent}", parent=folder),
            hint=say("check --from: the folder that has metadata/ and targets/"),
        )
    site = program_of(here)
    with site.holding():
        decision = site.look(FolderFetcher(folder, here.clock, LIMITS), at_once=True)
        offered = _files(here).standing.read().offered
        if decision is None:
            debian, architecture = _target()
            raise UpdateError(
                say(
                    "no release for Debian {debian} on {architecture} is offered there",
                    debian=debian,
                    architecture=architecture,
                )
            )
        if decision.reason is not None:
            raise UpdateError(
                say("release {version} is not installed: {why}", version=offered, why=decision.why)
            )
        if not _has_systemd():
            ended = site.steps.go_on()
            if ended is not None:
                _record(here, ended)
            return ended
    start(INSTALLING, wait=False)
    return _followed(here, offered)


def hold(here: Context, *, until: float | None) -> None:
    """Take no release until a Unix time; None for not until ``release``."""
    site = program_of(here)
    with site.holding():
        site.hold(until)


def release(here: Context) -> None:
    """Take new releases again."""
    site = program_of(here)
    with site.holding():
        site.release()


def roll_back(here: Context) -> EndedUpdate:
    """Return to the release before, and see it serve.

    Raises:
        FilterdError: there is none, or it does not serve.
    """
    site = program_of(here)
    try:
        with site.holding():
            ended = site.roll_back(say("by command"))
        _record(here, ended)
    except InUseError:
        ended = _out_of_its_watch(here, site)
    if problem := site.problem():
        raise UpdateError(
            say("release {name} is put back, and: {problem}", name=ended.before, problem=problem)
        )
    return ended


def _out_of_its_watch(here: Context, site: ProgramUpdate) -> EndedUpdate:
    """Return to the release before, while the present one is watched; wait for that to end.

    Raises:
        FilterdError: the release is not watched, or the one before cannot be put in service.
    """
    ended = site.put_back(say("by command"))
    ends = here.clock.monotonic() + _NOTICED_WITHIN_S
    while here.clock.monotonic() < ends:
        with contextlib.suppress(InUseError), site.holding():
            if left := site.steps.go_on():  # of a watch that was ended with its process
                _record(here, left)
            break
        time.sleep(_POLL_S)
    return ended


def _followed(here: Context, version: str) -> EndedUpdate | None:
    """Wait until a release serves, or its update has ended.

    Returns: its end; None while it is watched on.

    Raises:
        UpdateError: it was given up without an end.
    """
    files, ends = _files(here), here.clock.monotonic() + _FOLLOWED_S
    while (pending := files.read_pending()) is not None:
        if pending.step is UpdateStep.WATCH:
            return None
        if here.clock.monotonic() >= ends:
            raise UpdateError(_NOT_INSTALLED)
        time.sleep(_POLL_S)
    endings = files.standing.read().endings
    if endings and endings[-1].version == version:
        return endings[-1]
    raise UpdateError(_NOT_INSTALLED)


def _record(here: Context, ended: EndedUpdate) -> None:
    """Record an update in the history, where a daemon runs that knows of updates."""
    with contextlib.suppress(FilterdError):
        versions = {"version": ended.version, "before": ended.before}
        change(here, PROGRAM_UPDATE, str(ended.why), ending=ended.ending.value, **versions)


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def start(unit: str, *, wait: bool = True) -> None:
    """Start a unit.

    Raises:
        UpdateError: systemd does not run, or the unit fails.
    """
    if not _has_systemd():
        raise UpdateError(
            say("systemd does not run here; take a release from a folder: --now --from DIR")
        )
    ended = run_program(["systemctl", "start", *([] if wait else ["--no-block"]), unit])
    if ended.code:
        raise UpdateError(say("{unit} failed; why: journalctl -u {unit} -n 20", unit=unit))
