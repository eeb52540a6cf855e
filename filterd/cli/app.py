# SPDX-License-Identifier: Apache-2.0
"""The command ``filterd``: the one place where errors become lines."""

from __future__ import annotations

import json
import sys
from io import TextIOWrapper
from typing import Any, Never

import typer
from rich.console import Console
from rich.text import Text

from filterd.cli import help_pages, tree
from filterd.cli.language import language_of
from filterd.cli.usage import command_in, said
from filterd.errors import FilterdError, StoreError, as_text
from filterd.i18n import Language, refused, say

_WRONG, _INTERRUPTED = 2, 130
_UsageError: type[Exception] = typer.BadParameter.mro()[1]  # Typer has no public name for it


def main() -> None:
    """Run a command; print each error as a line on standard error."""
    _print_what_the_terminal_can()
    sys.argv[1:] = tree.completed(sys.argv[1:])
    command = typer.main.get_command(tree.of(sys.argv[1:]))
    help_pages.speak(command)
    try:
        sys.exit(command(prog_name="filterd", standalone_mode=False))
    except FilterdError as error:
        _end(
            error.translated(_language()),
            error.exit_code,
            None if error.is_printed else as_text(error),
        )
    except _UsageError as error:
        _end_with_usage(error, command)
    except OSError as error:  # of the disk, where no caller expects it
        path = error.filename or "filterd"
        wrong = StoreError(say("{path}: {why}", path=path, why=refused(error)))
        _end(wrong.translated(_language()), _WRONG, as_text(wrong))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _print_what_the_terminal_can() -> None:
    """Replace letters that the encoding of the terminal does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _language() -> Language:
    return language_of(sys.argv[1:])


def _end(errors: str, code: int, data: dict[str, Any] | None) -> Never:
    """Print the errors and exit.

    Args:
        errors: place, reason and remedy of each, a line each.
        code: the exit code.
        data: the same for `--json`.
    """
    if data is not None and "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    for line in errors.splitlines():  # one line each, but for people, who get it at words
        text = Text.assemble(("filterd: ", "bold red"), _visible(line))
        console.print(text, soft_wrap=not console.is_terminal)
    sys.exit(code)


def _visible(line: str) -> str:
    """Escape control characters: an error quotes input as it was given."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _end_with_usage(error: Any, command: Any) -> Never:
    """Print a usage error; the whole help where there were no words."""
    wrong: str = error.format_message()
    if "\n" in wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(_WRONG)
    words = sys.argv[1:]
    wrong = f"{wrong.rstrip('.')} (see `{command_in(tree.names_in(words), command)} --help`)"
    data = {"error": said(wrong, "en"), "code": "usage", "errors": []}
    _end(said(wrong, language_of(words)), _WRONG, data)
