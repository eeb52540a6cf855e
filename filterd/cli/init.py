# SPDX-License-Identifier: Apache-2.0
"""``filterd init``: a folder to begin a site with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from filterd.cli.context import ConfigOption, LangOption, StateOption, context
from filterd.errors import ConfigError, StoreError
from filterd.paths import shipped


def init(
    given: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Copy the sample site and the tier files to DIR; nothing there is overwritten."""
    here = context(given, config, state, lang)
    target = folder / "site.yaml"
    if target.exists():
        raise ConfigError(here.texts("init.exists", path=folder))
    try:
        shutil.copytree(shipped("policies"), folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise StoreError(f"{folder}: cannot be made: {error}") from error
    here.console.print(here.texts("init.done", path=folder, site=target))
