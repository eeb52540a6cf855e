# SPDX-License-Identifier: Apache-2.0
"""``filterd man``: manual pages, made of the same texts as the help (man(7))."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from filterd.cli import tree
from filterd.cli.context import Context, argument, on_named_files, option
from filterd.cli.help_pages import HelpPage, paragraphs
from filterd.errors import ConfigError, StoreError
from filterd.i18n import Language, did_you_mean, refused, say
from filterd.paths import write_atomically
from filterd.version import RELEASED_AT, __version__

_RELEASED = f"{datetime.fromtimestamp(RELEASED_AT, UTC):%Y-%m-%d}"
_LANGUAGES: tuple[tuple[Language, str], ...] = (("en", "man1"), ("vi", "vi/man1"))


@on_named_files
def man(
    here: Context,
    names: Annotated[
        list[str] | None,
        argument("COMMAND", "Names of one command (default: filterd).", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        option("--out", "Write the pages of all commands beneath this folder.", "DIR"),
    ] = None,
) -> None:
    """Print the manual page of a command.

    To read one: filterd man allow | man -l -. Exit code 0: printed; 2: no such command, or error.
    """
    pages = dict(_commands(typer.main.get_command(tree.whole())))
    if out is not None:
        _write(pages, out)
        return
    wanted = " ".join(names or ())
    if wanted not in pages:
        hint = did_you_mean(wanted, [one for one in pages if one], most=10)
        raise ConfigError(say("there is no command '{wanted}'", wanted=wanted), hint=hint)
    here.console.print(page(wanted, pages[wanted], here.texts.language), soft_wrap=True, end="")


def page(name: str, command: Any, language: Language) -> str:
    """Return the manual page of a command as roff.

    Args:
        name: the words after ``filterd``, empty for that itself.
        command: of Typer.
        language: of the text.
    """
    drawn = HelpPage(language)
    texts, title = drawn.texts, "-".join(("filterd", *name.split()))
    given = typer.Context(command)
    shown = [one for one in command.get_params(given) if not one.hidden]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    options = [one for one in shown if one.param_type_name == "option"]
    beneath = getattr(command, "commands", {})
    first, *others = paragraphs(command.help or "")
    lines = [
        f'.TH "{title.upper()}" 1 "{_RELEASED}" "filterd {__version__}" ""',
        f".SH {_escaped(texts('Name').upper())}",
        f"{_escaped(title)} \\- {_escaped(drawn.summary(first).rstrip('.'))}",
        f".SH {_escaped(texts('Usage').upper())}",
        f".B {_escaped(f'filterd {name}'.strip())}",
        _escaped(drawn.synopsis(arguments, has_commands=bool(beneath))),
        f".SH {_escaped(texts('Description').upper())}",
    ]
    lines.append(_escaped(drawn.translated(first)))
    for paragraph in others:
        lines += [".PP", _escaped(drawn.translated(paragraph))]
    lines += _section(
        texts("Arguments"), [(drawn.name(one), drawn.about(one)) for one in arguments]
    )
    lines += _section(texts("Options"), [(drawn.option(one), drawn.about(one)) for one in options])
    lines += _section(
        texts("Commands"), [(key, drawn.summary(one.help)) for key, one in beneath.items()]
    )
    return "\n".join(lines) + "\n"


def _commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a command and those beneath it, by the words that call them."""
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from _commands(one, f"{path} {name}".strip())


def _section(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        yield f".SH {_escaped(title.upper())}"
    for label, about in rows:
        yield from (".TP", f".B {_escaped(label)}", _escaped(about))


def _escaped(text: str) -> str:
    """Return a text as roff shows it, letter by letter (groff_char(7))."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def _write(pages: dict[str, Any], out: Path) -> None:
    """Write the pages of all commands in both languages, as man(1) looks for them."""
    for language, folder in _LANGUAGES:
        try:
            (out / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                say("{folder}: cannot be made: {why}", folder=out / folder, why=refused(error))
            ) from error
        for name, command in pages.items():
            file = out / folder / f"{'-'.join(('filterd', *name.split()))}.1"
            write_atomically(file, page(name, command, language).encode(), mode=0o644)
