# SPDX-License-Identifier: Apache-2.0
"""``filterd serve``: the daemon, in the foreground."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from filterd.cli.context import ConfigOption, LangOption, StateOption, context


def serve(
    given: typer.Context,
    try_it: Annotated[
        bool, typer.Option("--try", help="Print commands that show what different classes get.")
    ] = False,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Answer lookups until told to stop. SIGHUP reloads, SIGTERM and Ctrl-C stop."""
    here = context(given, config, state, lang)
    arguments = [str(here.config), str(here.state.folder), here.texts.language]
    serving = [sys.executable, "-m", "filterd.cli.serving", *arguments, "yes" if try_it else "no"]
    os.execv(sys.executable, serving)  # noqa: S606 -- this process becomes the one that serves
