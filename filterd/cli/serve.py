# SPDX-License-Identifier: Apache-2.0
"""``filterd serve``: the daemon, in the foreground."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from filterd.cli.context import Context, command_on_files


@command_on_files
def serve(
    here: Context,
    try_it: Annotated[
        bool, typer.Option("--try", help="Print commands that show what different classes get.")
    ] = False,
) -> None:
    """Answer lookups until told to stop.

    SIGHUP reloads, SIGTERM and Ctrl-C stop. Exit code 0: it was told to stop; 2: it
    could not begin.
    """
    arguments = [str(here.config), str(here.state.folder), here.texts.language]
    serving = [sys.executable, "-m", "filterd.daemon.main", *arguments, "yes" if try_it else "no"]
    environment = {**os.environ, "PYTHONPATH": _package(), "PYTHONSAFEPATH": "1"}
    # What comes before it has ears for it waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    os.execve(sys.executable, serving, environment)  # noqa: S606 -- it becomes the one that serves


def _package() -> str:
    """Return where filterd was found: the next process and its children must find the same.

    With it Python's safe path, or a file of the working directory could stand
    in for a module.
    """
    return str(Path(__file__).resolve().parents[2])
