# SPDX-License-Identifier: Apache-2.0
"""``filterd policy test``: what is expected of the policy, held against the files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from filterd.cli.context import Context, JsonOption, command
from filterd.cli.sites import open_index, policy_of
from filterd.policy.site.expectations import load_expectations
from filterd.resolve.expectations import unmet
from filterd.resolve.site import Site

_MET, _UNMET = 0, 1


@command
def hold(
    here: Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="YAML of expectations; else those that a reload goes by.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Hold the policy to what is expected of it.

    The site's files as they are, with the compiled lists. What a reload goes by is
    in expectations/ of the site, and for each tier that has no file there, in the
    one that ships. What commands have set does not count, and schedules only where
    an expectation says when. An exception of site.yaml is told and holds against
    what ships. Exit code 0: all are met; 1: some are not; 2: it cannot be told.
    """
    policy = policy_of(here)
    wanted = policy.expectations
    if files:
        networks = [one.id for one in policy.networks]
        wanted = load_expectations(files, policy.time_zone, networks)
    now = here.clock.wall()
    found = unmet(Site.of(policy, open_index(here), (), now=now), wanted, now)
    wrong = [one for one in found if not one.yields]
    if json:
        problems = [
            {
                "expected": one.expectation.written,
                "path": one.expectation.path,
                "line": one.expectation.line,
                "yields": one.yields,
                "found": [told.as_dict() for told in one.found],
            }
            for one in found
        ]
        here.print_json({"expectations": len(wanted), "unmet": problems})
    else:
        for one in found:
            told, style = one.error().told(here.texts.language), "yellow" if one.yields else "red"
            here.console.print(Text(told, style=style), soft_wrap=True)
        key = "expectations.unmet" if wrong else "expectations.met"
        told = here.texts(key, n=len(wanted), unmet=len(wrong), yields=len(found) - len(wrong))
        here.console.print(told, style="" if wrong else "green")
    raise typer.Exit(_UNMET if wrong else _MET)
