# SPDX-License-Identifier: Apache-2.0
"""The command ``filterd``: its commands, and the one place where errors become lines."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated, Any, Never

import typer
from rich.console import Console
from rich.text import Text

from filterd.cli import (
    check,
    exam,
    exceptions,
    expectations,
    feed,
    help_pages,
    history,
    init,
    lists,
    log,
    policy,
    policy_changes,
    policy_diff,
    report_mistake,
    room,
    running,
    serve,
    services,
    sync,
)
from filterd.cli.context import ConfigOption, LangOption, StateOption
from filterd.cli.language import language_of
from filterd.cli.usage import command_in, said
from filterd.errors import FilterdError
from filterd.sentences import refused, say, told
from filterd.texts import Language
from filterd.version import __version__

_WRONG, _INTERRUPTED = 2, 130
_UsageError: type[Exception] = typer.BadParameter.mro()[1]  # Typer has no public name for it

_HELP = """The DNS filter of a school: every lookup answered by age tier.

`filterd COMMAND --help` tells more of one. What `allow`, `room set`, `exam start` and
the like change is in force at once, is on record with who and why, and can be taken
back by `undo`.

Exit code 0: done, or the name passes; 1: it is blocked, or nothing was found; 2: it
cannot be told, or something is wrong.
"""

app = typer.Typer(
    name="filterd",
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lists.app, name="lists")
app.add_typer(policy.app, name="policy")
app.add_typer(log.app, name="log")
app.add_typer(exceptions.app, name="exceptions")
app.add_typer(room.app, name="room")
app.add_typer(exam.app, name="exam")
app.add_typer(services.app, name="services")
app.add_typer(history.app, name="history")
app.add_typer(feed.app, name="feed")
policy.app.command("set")(policy_changes.set_)
policy.app.command("diff")(policy_diff.diff)
policy.app.command("test")(expectations.hold)
policy.app.command("history")(policy_changes.history)
policy.app.command("undo")(policy_changes.undo)
app.command("allow")(exceptions.allow)
app.command("block")(exceptions.block)
app.command("undo")(history.undo)
app.command("report-mistake")(report_mistake.report_mistake)
app.command("serve")(serve.serve)
app.command("sync")(sync.sync)
app.command("check")(check.check)
app.command("reload")(running.reload)
app.command("status")(running.status)
app.command("init")(init.init)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"filterd {__version__}\n")
        raise typer.Exit


@app.callback()
def _before(
    given: typer.Context,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    given.obj = {"config": config, "state": state, "lang": lang}


def main() -> None:
    """Run a command; whatever goes wrong is one line a problem on standard error."""
    _print_what_the_terminal_can()
    command = typer.main.get_command(app)
    help_pages.speak(command)
    try:
        sys.exit(command(prog_name="filterd", standalone_mode=False))
    except FilterdError as error:
        _end(error.told(_language()), error.exit_code)
    except _UsageError as error:
        _end_with_usage(error, command)
    except OSError as error:  # what the disk refused where nobody expected it to
        path = error.filename or "filterd"
        _end(told(say("{path}: {why}", path=path, why=refused(error)), _language()), _WRONG)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _print_what_the_terminal_can() -> None:
    """Let a terminal that has no Vietnamese letters show marks in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _language() -> Language:
    return language_of(sys.argv[1:])


def _end(errors: str, code: int) -> Never:
    """Print what is wrong, where, and what to do, a line a problem; and leave."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in errors.splitlines():
        console.print(Text.assemble(("filterd: ", "bold red"), _visible(line)))
    sys.exit(code)


def _visible(line: str) -> str:
    """Escape what could lead a terminal astray: a wrong name is shown as it was given."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _end_with_usage(error: Any, command: Any) -> Never:
    """Print what is wrong with a command's words; the whole help where there were none."""
    wrong: str = error.format_message()
    if "\n" in wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(_WRONG)
    words = sys.argv[1:]
    wrong = f"{wrong.rstrip('.')} (see `{command_in(words, command)} --help`)"
    _end(said(wrong, language_of(words)), _WRONG)
