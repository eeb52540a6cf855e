# SPDX-License-Identifier: Apache-2.0
"""``filterd init``: a folder to begin a site with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from filterd.cli.context import Context, command_on_files
from filterd.config.site_sources import SITE_FILE
from filterd.errors import ConfigError, StoreError
from filterd.i18n import quoted, refused, say
from filterd.paths import shipped


@command_on_files
def init(
    here: Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
) -> None:
    """Copy the sample site and the tier files to DIR.

    Nothing that is there is overwritten. Exit code 0: done; 2: not.
    """
    sample = shipped("policies")
    for file in sample.rglob("*"):
        target = folder / file.relative_to(sample)
        if target.exists() and not target.is_dir():
            raise ConfigError(
                say(
                    "{path} is there already: nothing is overwritten; choose another folder",
                    path=target,
                )
            )
    try:
        shutil.copytree(sample, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        why = refused(error) if isinstance(error, OSError) else quoted(str(error))
        raise StoreError(say("{folder}: cannot be made: {why}", folder=folder, why=why)) from error
    done = here.texts(
        "{path} is ready. Edit {site}, then run: filterd policy validate --config {path}",
        path=folder,
        site=folder / SITE_FILE,
    )
    here.console.print(done, soft_wrap=True)  # a command in it is there to be copied
