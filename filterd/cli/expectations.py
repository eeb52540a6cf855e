# SPDX-License-Identifier: Apache-2.0
"""``filterd policy test``: what is expected of the policy, held against the files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from filterd.cli.context import Context, JsonOption, command
from filterd.cli.effective_state import read_or_ask
from filterd.cli.offline_site import open_index, policy_of
from filterd.config.expectation_files import load_expectations
from filterd.config.site_reader import load_site
from filterd.i18n import from_plain, say_n
from filterd.i18n import told as in_language
from filterd.policy.model import Expectation
from filterd.resolve.expectation_checks import held
from filterd.resolve.site import Site
from filterd.state_file import to_plain

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
    wanted = _expected(here, files) if files else None
    plain = None if wanted is None else list(map(to_plain, wanted))
    told = read_or_ask(here, lambda: _held(here, wanted), "expectations", wanted=plain)
    found = told["unmet"]
    sentences = [from_plain(one.pop("sentence")) for one in found]
    wrong = [one for one in found if not one["yields"]]
    if json:
        here.print_json(told)
    else:
        for one, sentence in zip(found, sentences, strict=True):
            style = "yellow" if one["yields"] else "red"
            line = Text(in_language(sentence, here.texts.language), style=style)
            here.console.print(line, soft_wrap=True)
        key, n = (
            say_n(
                "{unmet} of {n} expectation is not met.",
                "{unmet} of {n} expectations are not met.",
                told["expectations"],
            )
            if wrong
            else say_n(
                "The expectation is met.",
                "All {n} expectations are met.",
                told["expectations"],
            ),
            told["expectations"],
        )
        counted = here.texts(key, n=n, unmet=len(wrong), yields=len(found) - len(wrong))
        here.console.print(counted, style="" if wrong else "green")
    raise typer.Exit(_UNMET if wrong else _MET)


def _expected(here: Context, files: list[Path]) -> tuple[Expectation, ...]:
    """Return what files expect.

    Raises:
        ConfigErrors: all that is wrong with them, or with the site's.
    """
    site = load_site(here.config).file
    return load_expectations(files, site.time_zone, site.networks)


def _held(here: Context, wanted: tuple[Expectation, ...] | None) -> dict[str, Any]:
    """Hold the site's files as they are to what is expected.

    Raises:
        FilterdError: they are wrong, or the lists cannot be read.
    """
    now, index = here.clock.wall(), open_index(here)
    return held(Site.of(policy_of(here), index, (), now=now), wanted, now)
