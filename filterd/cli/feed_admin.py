# SPDX-License-Identifier: Apache-2.0
"""``filterd feed trust``, ``approve``, ``refuse``, ``rollback``, ``hold``: decide on the feed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from filterd import counted
from filterd.appliance.update_files import UpdateFiles
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.feed_sync import site_of, site_of_lists
from filterd.cli.policy_whatif import print_before
from filterd.cli.render import facts
from filterd.cli.terminal import bar
from filterd.config.build_record import SITE_FILE
from filterd.errors import ConfigError, GuardError
from filterd.feed.feed_config import followed
from filterd.feed.program_standing import beside
from filterd.feed.sync import SiteFeed
from filterd.feed.trust import load_root
from filterd.feed.versions import FOLLOWED, NoWayBack, is_followed
from filterd.i18n import quoted, say
from filterd.privileges import own_rights
from filterd.state_file import plain_version

VersionArgument = Annotated[
    str | None, argument("VERSION", "The version (default: the one that waits).")
]
ReasonOption = Annotated[str, option("--reason", "Reason, for the feed's history.", "TEXT")]
ListsOption = Annotated[bool, option("--lists", "Of the public lists beside the feed.")]

_NO_WAY_BACK = {
    NoWayBack.NONE: say("There is no earlier version"),
    NoWayBack.DAMAGED: say("No earlier version is undamaged"),
    NoWayBack.WITHDRAWN: say(
        "The earlier versions were signed by a key that their publisher has since withdrawn"
    ),
}

_is_version = re.compile(rf"[1-9][0-9]{{0,17}}|{FOLLOWED}[0-9a-f]{{1,40}}", re.ASCII).fullmatch


def trust(
    here: Context,
    root: Annotated[Path, argument("ROOT.json", "The publisher's root file.")],
    replace: Annotated[
        bool, option("--replace", "Forget another root, and trust this one.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Trust the root of a publisher, once, when the school is set up.

    Compare the printed fingerprint with the publisher's by telephone: all trust begins here.
    Exit code 0: trusted; 2: an error; 45: it is not a root; 46: the school trusts another root.
    """
    content = load_root(root)
    site = site_of(here)
    with site.holding():
        fingerprint = site.establish(content, replace=replace)
    trust_for_programs(here, content, replace=replace)
    if json:
        here.print_json({"fingerprint": fingerprint})
        return
    here.print(say("From now on, the school trusts what the owner of this file has signed."))
    here.console.print(facts([(here.texts("Fingerprint"), fingerprint)]))
    here.print(say("Call the publisher and compare the fingerprint."))
    if not followed(here.config, here.state).address:
        here.print(
            say(
                "Next: write the address into {path}: feed: https://...",
                path=here.config / SITE_FILE,
            )
        )


def trust_for_programs(here: Context, root: bytes, *, replace: bool) -> None:
    """Trust a root for releases of filterd, too, in root's own folder, if this process is root's.

    Raises:
        FilterdError: another root is trusted for them, or the disk refused.
    """
    with own_rights():
        if os.geteuid() == 0:
            UpdateFiles(beside(here.state.folder)).establish(root, replace=replace)


def approve(
    here: Context,
    version: VersionArgument = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Put a version in force that is held because it changes much, or was rolled back.

    It is judged again; a version that is refused stays so. It works without the Internet. Where
    the log has names, it is shown what the version would have changed. Exit code 0: in force; 2:
    an error; 50: held or refused.
    """
    site = _site_with(here, version)
    if not json:
        print_before(here, feed=_wanted(site, version))
    with bar(here, here.texts("Judging the version"), visible=not json), site.holding():
        wanted = _wanted(site, version)
        names = site.approve(wanted, reason)
    if json:
        here.print_json({"version": plain_version(wanted), "names": names})
    else:
        here.print(
            say(
                "Version {version} is in force: {names}.",
                version=wanted,
                names=counted.names(names),
            )
        )


def refuse(
    here: Context,
    version: VersionArgument = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Refuse a version that waits; later versions may come.

    Exit code 0: done; 2 or 50: an error.
    """
    site = _site_with(here, version)
    with site.holding():
        wanted = _wanted(site, version)
        site.refuse(wanted, reason)
    _print_decision(
        here,
        say("Version {version} is refused; later versions may come."),
        {"version": plain_version(wanted)},
        json=json,
    )


def rollback(
    here: Context,
    reason: ReasonOption = "",
    lists: ListsOption = False,
    json: JsonOption = False,
) -> None:
    """Return to the previous version now; the present one is not taken again.

    This works without the Internet. The next version comes on its usual night; `filterd feed
    hold` keeps the one in force. Exit code 0: done; 2 or 50: an error.
    """
    site = (site_of_lists if lists else site_of)(here)
    bad = site.versions.in_force().current
    with site.holding():
        version, lost = site.versions.in_force().current, site.no_way_back()
        if version == bad:  # else an interrupted rollback was finished by ``holding``
            version = site.roll_back(quoted(reason))
    again = say(
        "Version {version} is in force again; version {bad} is not taken again. To keep it"
        ' for longer than a night: filterd feed hold --reason "..."'
    )
    none = say("{why}: the lists that ship with filterd serve; version {bad} is not taken again.")
    if site.is_beside:
        none = say(
            "{why}: no public lists stand beside the feed; version {bad} is not taken again."
        )
    key, row = again if version else none, {"bad": _plain(bad), "version": _plain(version)}
    why = {} if version or json else {"why": _NO_WAY_BACK[lost or NoWayBack.NONE]}
    _print_decision(here, key, row | why, json=json)


def hold(
    here: Context,
    reason: ReasonOption = "",
    off: Annotated[bool, option("--off", "Take new versions again.")] = False,
    lists: ListsOption = False,
    json: JsonOption = False,
) -> None:
    """Keep the version that is in force until `feed hold --off`.

    Urgent legal orders are not taken either. Exit code 0: done; 2: an error.
    """
    if not off and not reason.strip():
        raise ConfigError(say("{missing} is missing", missing="--reason"))
    site = (site_of_lists if lists else site_of)(here)
    with site.holding():
        site.hold(None if off else reason)
        version = site.versions.in_force().current
    stays = (
        say(
            "Version {version} stays: no other version is taken, not even urgent orders, until:"
            " filterd feed hold --off"
        )
        if version
        else say(
            "The lists that ship with filterd stay: no version is taken, not even urgent orders,"
            " until: filterd feed hold --off"
        )
    )
    if site.is_beside:
        stays = say(
            "The public lists beside the feed stay as they are until: filterd feed hold --lists"
            " --off"
        )
    _print_decision(
        here,
        say("New versions are taken again.") if off else stays,
        {"version": _plain(version)},
        json=json,
    )


def _site_with(here: Context, version: str | None) -> SiteFeed:
    """Return whichever has a version, or without one a version that waits."""
    site, beside = site_of(here), site_of_lists(here)
    if version is None:
        return site if site.standing.read().judgement else beside
    return beside if is_followed(version) else site


def _plain(version: str | None) -> int | str | None:
    return version and plain_version(version)


def _wanted(site: SiteFeed, version: str | None) -> str:
    """Return the id of a version: as given, else of the one that waits for a decision.

    Raises:
        ConfigError: it is no id.
        GuardError: no version waits.
    """
    if version is not None:
        if not _is_version(version):
            hint = say("see `filterd feed history`")
            raise ConfigError(say("'{text}' is not a version", text=version), hint=hint)
        return version
    judgement = site.standing.read().judgement
    if judgement is None:
        raise GuardError(
            say("no version of the feed waits for a decision; `filterd feed status` shows all")
        )
    return judgement.version


def _print_decision(here: Context, key: str, row: dict[str, Any], *, json: bool) -> None:
    if json:
        here.print_json(row)
    else:
        here.console.print(here.texts(key, **row), soft_wrap=True)
