# SPDX-License-Identifier: Apache-2.0
"""``filterd feed release-hold``: what schools hold, released with the offline keys."""

from __future__ import annotations

from typing import Annotated

import typer

from filterd.cli.context import Context, JsonOption, command_on_files
from filterd.cli.feed_keys import (
    KeysOption,
    RepositoryArgument,
    RootKeysOption,
    key_folder,
    root_signers,
    usual_keys,
)
from filterd.cli.progress_bar import bar
from filterd.errors import ConfigError
from filterd.i18n import say, told
from filterd.publish import hold_release


@command_on_files
def release_hold(
    here: Context,
    repository: RepositoryArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; schools keep it.")
    ] = "",
    root_key: RootKeysOption = None,
    look: Annotated[
        bool, typer.Option("--look", help="Show what schools hold, and sign nothing.")
    ] = False,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Release for all schools what they hold of the version that is published.

    It is judged here as schools do. Two root keys sign what was found, and schools take
    it at their next run; keys that are online release nothing. Exit code 0: released;
    1: nothing is held; 50: schools refuse it, and no key releases that; 2 or 20: not.
    """
    if not look and not reason.strip():
        raise ConfigError(say("{missing} is missing", missing="--reason"))
    with bar(here, here.texts("Judging the version"), visible=not json) as progress:
        held = hold_release.what_is_held(repository, here.clock, progress=progress)
    sign = bool(held.findings) and not look
    if sign:
        folder = key_folder(here, keys or usual_keys(repository))
        signers = root_signers(here, folder, tuple(root_key or ()))
        hold_release.release_hold(repository, held, reason, signers, now=here.clock.wall())
    if json:
        findings = [{"kind": one.kind, "sentence": str(one.sentence)} for one in held.findings]
        here.print_json({"version": held.version, "findings": findings, "released": sign})
    else:
        for one in held.findings:
            here.console.print(f"- {told(one.sentence, here.texts.language)}", soft_wrap=True)
        held_or_not = (
            say("Schools hold version {version} for this.")
            if held.findings
            else say("There is nothing in version {version} for which schools hold it.")
        )
        key = (
            say("Version {version} is released: schools take it at their next run.")
            if sign
            else held_or_not
        )
        here.console.print(here.texts(key, version=held.version))
    if not held.findings:
        raise typer.Exit(1)
