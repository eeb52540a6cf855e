# SPDX-License-Identifier: Apache-2.0
"""What a school's administrator decides of its feed: whom to trust, what to take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filterd.cli import counted
from filterd.cli.context import Context
from filterd.cli.feed_sync import site_of
from filterd.cli.progress_bar import bar
from filterd.cli.render import facts
from filterd.config.site_sources import SITE_FILE
from filterd.errors import ConfigError, GuardError
from filterd.feed.feed_config import followed
from filterd.feed.sync import SiteFeed
from filterd.feed.trust import load_root
from filterd.i18n import quoted, say
from filterd.state_file import plain_version


def trust(here: Context, root: Path, *, replace: bool, json: bool) -> None:
    """Trust a root, and say what to compare and what comes next."""
    content = load_root(root)
    site = site_of(here)
    with site.holding():
        fingerprint = site.establish(content, replace=replace)
    if json:
        here.print_json({"fingerprint": fingerprint})
        return
    here.console.print(
        here.texts("From now on the school trusts what the owner of this file has signed.")
    )
    here.console.print(facts([(here.texts("Fingerprint"), fingerprint)]))
    here.console.print(here.texts("Call the publisher and read the fingerprint out to compare it."))
    if not followed(here.config, here.state).address:
        here.console.print(
            here.texts(
                "Next: write the address into {path}: feed: https://...",
                path=here.config / SITE_FILE,
            )
        )


def approve(here: Context, version: str | None, reason: str, *, json: bool) -> None:
    """Put a version in force that waits."""
    with bar(here, here.texts("Judging the version"), visible=not json):
        site = site_of(here)
        with site.holding():
            version = version or _waiting(site)
            names = site.approve(version, reason)
    if json:
        here.print_json({"version": plain_version(version), "names": names})
    else:
        told = here.texts(
            "Version {version} is in force: {names}.", version=version, names=counted.names(names)
        )
        here.console.print(told)


def refuse(here: Context, version: str | None, reason: str, *, json: bool) -> None:
    """Never take a version that waits."""
    site = site_of(here)
    with site.holding():
        version = version or _waiting(site)
        site.refuse(version, reason)
    _tell(
        here,
        say("Version {version} is never taken; the next one may come."),
        {"version": plain_version(version)},
        json=json,
    )


def rollback(here: Context, reason: str, *, json: bool) -> None:
    """Go back to the version before."""
    site = site_of(here)
    bad = site.versions.in_force().current
    with site.holding():
        version = site.versions.in_force().current
        if version == bad:  # else a way back that was interrupted has led there already
            version = site.roll_back(quoted(reason))
    key = (
        say(
            "Back at version {version}; version {bad} is not taken again. To keep it for longer"
            ' than a night: filterd feed hold --reason "..."'
        )
        if version
        else say(
            "No version before is whole: the lists that ship with filterd serve; version"
            " {bad} is not taken again."
        )
    )
    _tell(here, key, {"bad": _plain(bad), "version": _plain(version)}, json=json)


def hold(here: Context, reason: str, *, off: bool, json: bool) -> None:
    """Keep what is in force, or let versions come again."""
    if not off and not reason.strip():
        raise ConfigError(say("{missing} is missing", missing="--reason"))
    site = site_of(here)
    with site.holding():
        site.hold(None if off else reason)
        version = site.versions.in_force().current
    stays = (
        say(
            "Version {version} stays: no other one is taken, urgent orders neither, until:"
            " filterd feed hold --off"
        )
        if version
        else say(
            "The lists that ship with filterd stay: no version is taken, urgent orders neither,"
            " until: filterd feed hold --off"
        )
    )
    _tell(
        here,
        say("New versions are taken again.") if off else stays,
        {"version": _plain(version)},
        json=json,
    )


def _plain(version: str | None) -> int | str | None:
    return version and plain_version(version)


def _waiting(site: SiteFeed) -> str:
    """Return the version that waits for somebody.

    Raises:
        GuardError: none does.
    """
    judgement = site.standing.read().judgement
    if judgement is None:
        raise GuardError(
            say("no version of the feed waits for anybody; `filterd feed status` shows all")
        )
    return judgement.version


def _tell(here: Context, key: str, told: dict[str, Any], *, json: bool) -> None:
    if json:
        here.print_json(told)
    else:
        here.console.print(here.texts(key, **told), soft_wrap=True)
