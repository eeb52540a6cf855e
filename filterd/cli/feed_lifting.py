# SPDX-License-Identifier: Apache-2.0
"""``filterd feed release-hold``: what schools hold, released with the offline keys."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import typer

from filterd.cli.context import Context
from filterd.cli.feed_keys import key_folder, root_signers, usual_keys
from filterd.cli.progress_bar import bar
from filterd.errors import ConfigError
from filterd.i18n import say, told
from filterd.publish import hold_release


class ReleaseRequest(NamedTuple):
    """What the operator has brought: keys, a reason, or the wish only to look."""

    keys: Path | None
    root_keys: tuple[Path, ...]
    reason: str
    look: bool


def release_hold(here: Context, repository: Path, brought: ReleaseRequest, *, json: bool) -> None:
    """Tell what schools hold, and release it."""
    if not brought.look and not brought.reason.strip():
        raise ConfigError(say("{missing} is missing", missing="--reason"))
    with bar(here, here.texts("Judging the version"), visible=not json) as progress:
        held = hold_release.what_is_held(repository, here.clock, progress=progress)
    sign = bool(held.findings) and not brought.look
    if sign:
        keys = key_folder(here, brought.keys or usual_keys(repository))
        signers = root_signers(here, keys, brought.root_keys)
        hold_release.release_hold(repository, held, brought.reason, signers, now=here.clock.wall())
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
