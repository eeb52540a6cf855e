# SPDX-License-Identifier: Apache-2.0
"""The command ``filterd``: its commands, and the one place where errors become lines."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from filterd.cli import check, init, lists, policy, running, serve
from filterd.cli.context import ConfigOption, LangOption, StateOption
from filterd.errors import FilterdError
from filterd.version import __version__

app = typer.Typer(
    name="filterd",
    help="The DNS filter of a school: every lookup answered by age tier.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
app.add_typer(lists.app, name="lists")
app.add_typer(policy.app, name="policy")
app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("reload")(running.reload)
app.command("status")(running.status)
app.command("init")(init.init)


@app.callback()
def _before(
    given: typer.Context,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        sys.stdout.write(f"filterd {__version__}\n")
        raise typer.Exit
    given.obj = {"config": config, "state": state, "lang": lang}


def main() -> None:
    """Run a command; whatever goes wrong is one line a problem on standard error."""
    try:
        app()
    except FilterdError as error:
        print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def print_error(error: FilterdError) -> None:
    """Print what is wrong, where, and what to do."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in str(error).splitlines():
        console.print(Text.assemble(("filterd: ", "bold red"), line))
