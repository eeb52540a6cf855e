# SPDX-License-Identifier: Apache-2.0
"""The command ``filterd``: the one place where errors become lines.

Typer composes its usage errors in English only, so they are recognised here by their form and
composed again in the language of the command line.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any, Never

import typer
from rich.text import Text

from filterd.base.errors import FilterdError, StoreError, as_text
from filterd.cli import help_pages, tree
from filterd.cli.console import VisibleConsole, as_json
from filterd.cli.help_pages import metavar_in
from filterd.cli.language import language_of
from filterd.texts.i18n import Language, refused, say, translated

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
        sys.stdout.write(as_json(data, indent=2) + "\n")
    console = VisibleConsole(stderr=True)
    for line in errors.splitlines():  # one line each, but at a terminal, which breaks it at words
        text = Text.assemble(("filterd: ", "bold red"), line)
        console.print(text, soft_wrap=not console.is_terminal)
    sys.exit(code)


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


SENTENCES = {
    "{sentence} (see `{command} --help`)": say("{sentence} (see `{command} --help`)"),
    "{sentence}. Did you mean {names}?": say("{sentence}; did you mean {names}?"),
    "{sentence} Did you mean {names}?": say("{sentence}; did you mean {names}?"),
    "{sentence} (Possible options: {names})": say("{sentence}; did you mean {names}?"),
    "No such command {name}": say("No such command {name}"),
    "Missing command": say("Missing command"),
    "No such option: {option}": say("No such option: {option}"),
    "Missing argument '{metavar}'": say("Missing argument '{metavar}'"),
    "Missing option {option}": say("Missing option {option}"),
    "Option {option} requires an argument": say("Option {option} requires an argument"),
    "Option {option} requires {number} arguments": say(
        "Option {option} requires {number} arguments"
    ),
    "Option {option} does not take a value": say("Option {option} takes no value"),
    "Got unexpected extra argument{number} ({given})": say("unexpected extra argument: {given}"),
    "Invalid value for '--{option}': {sentence}": say("'--{option}' has a wrong value: {sentence}"),
    "Invalid value for '{metavar}': {sentence}": say("'{metavar}' has a wrong value: {sentence}"),
    "Input should be a valid integer{more}": say("it must be a whole number"),
    "Unable to parse input string as an integer, exceeded maximum size": say(
        "the number is too large"
    ),
    "Input should be greater than or equal to {number}": say("it must be {number} or more"),
    "Input should be less than or equal to {number}": say("it must be {number} or less"),
    "{given} is not a valid int{more}": say("{given} is not a whole number"),
    "{given} is not in the range {range}": say("{given} is not in the range {range}"),
}
"""Typer's sentences, without the full stop, and ours.

``{sentence}`` is one of these sentences itself, ``{metavar}`` has words of the
help; all else in braces is repeated as it stands. The first that fits holds, so
what adds to a sentence stands before the sentences.
"""


def said(sentence: str, language: Language) -> str:
    """Return a sentence of Typer in a language; as it is, where the table does not have it."""
    for typers, ours in SENTENCES.items():
        found = _pattern(typers).fullmatch(sentence.rstrip("."))
        if found:
            given = {key: _value(key, one, language) for key, one in found.groupdict().items()}
            return translated(ours.filled(given), language)
    return sentence


def command_in(names: Sequence[str], root: Any) -> str:
    """Return the command that is called, as far as it exists: ``filterd log totals``.

    Args:
        names: the words after ``filterd``, without options.
        root: the command ``filterd`` of Typer.
    """
    path, command = ["filterd"], root
    for name in names:
        command = getattr(command, "commands", {}).get(name)
        if command is None:
            break
        path.append(name)
    return " ".join(path)


def _value(key: str, value: str, language: Language) -> str:
    """Return a recognised value: a nested sentence or a metavar is translated."""
    if key == "sentence":
        return said(value, language)
    return metavar_in(value, language) if key == "metavar" else value


@functools.cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """Return the pattern of a sentence such as ``No such option: {option}``."""
    parts = re.split(r"\{(\w+)\}", sentence)
    text = "".join(
        f"(?P<{part}>.*?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    return re.compile(text, re.DOTALL)
