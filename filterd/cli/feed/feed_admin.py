# SPDX-License-Identifier: Apache-2.0
"""``filterd feed trust``, ``approve``, ``refuse``, ``rollback``, ``hold``: decide on the feed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from filterd.appliance.update.update_files import UpdateFiles
from filterd.base.privileges import own_rights
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.feed.feed_sync import lists_of
from filterd.cli.policy.policy_whatif import print_before
from filterd.cli.render import facts
from filterd.cli.terminal import bar
from filterd.config.build_record import SITE_FILE
from filterd.feed.feed_config import followed
from filterd.feed.program_standing import beside
from filterd.feed.signed.trust import load_root
from filterd.feed.versions import NoWayBack
from filterd.texts import counted
from filterd.texts.i18n import Sentence, say

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
    site = lists_of(here).site()
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
    lists = lists_of(here)
    if not json:
        print_before(here, feed=lists.waiting(version))
    with bar(here, here.texts("Judging the version"), visible=not json):
        row = lists.approve(version, reason).row
    names = counted.names(row["names"])
    _print_decision(
        here, say("Version {version} is in force: {names}."), row, {"names": names}, json=json
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
    row = lists_of(here).refuse(version, reason).row
    said = say("Version {version} is refused; later versions may come.")
    _print_decision(here, said, row, json=json)


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
    done = lists_of(here).roll_back(reason, lists=lists)
    again = say(
        "Version {version} is in force again; version {bad} is not taken again. To keep it"
        ' for longer than a night: filterd feed hold --reason "..."'
    )
    none = say("{why}: the lists that ship with filterd serve; version {bad} is not taken again.")
    if done.is_beside:
        none = say(
            "{why}: no public lists stand beside the feed; version {bad} is not taken again."
        )
    key, why = again if done.row["version"] else none, _NO_WAY_BACK[done.lost or NoWayBack.NONE]
    _print_decision(here, key, done.row, {"why": why}, json=json)


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
    done = lists_of(here).hold(reason, off=off, lists=lists)
    stays = (
        say(
            "Version {version} stays: no other version is taken, not even urgent orders, until:"
            " filterd feed hold --off"
        )
        if done.row["version"]
        else say(
            "The lists that ship with filterd stay: no version is taken, not even urgent orders,"
            " until: filterd feed hold --off"
        )
    )
    if done.is_beside:
        stays = say(
            "The public lists beside the feed stay as they are until: filterd feed hold --lists"
            " --off"
        )
    said = say("New versions are taken again.") if off else stays
    _print_decision(here, said, done.row, json=json)


def _print_decision(
    here: Context,
    key: Sentence,
    row: dict[str, Any],
    words: Mapping[str, Sentence] = MappingProxyType({}),
    *,
    json: bool,
) -> None:
    if json:
        here.print_json(row)
    else:
        here.console.print(here.texts(key, **{**row, **words}), soft_wrap=True)
