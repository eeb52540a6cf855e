# SPDX-License-Identifier: Apache-2.0
"""Draw the help of commands, and their manual pages (man(7)), in the user's language.

What a command does stands in its docstring, in English; the catalogue has it
in Vietnamese, paragraph by paragraph. Typer would draw the help, but has
most of its own words in English only and names an argument in three ways
(``{NAME}``, ``NAME <str>``, ``[NAME]...``): so it is drawn here.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from filterd.base.errors import ConfigError, StoreError
from filterd.base.paths import write_atomically
from filterd.cli import tree
from filterd.cli.context import Context, argument, on_named_files, option
from filterd.cli.language import language_of
from filterd.texts.i18n import (
    Language,
    Sentence,
    Texts,
    did_you_mean,
    quoted,
    refused,
    say,
    translated,
)
from filterd.version import RELEASED_AT, __version__

if TYPE_CHECKING:
    from typer._click.core import Command

_WIDEST, _NARROWEST = 80, 40
_WIDEST_LABEL = 28
_DECIMAL = re.compile(r"[0-9]{1,18}")
_EXIT_CODE = "Exit code 0:"


class _PlainValue:
    """Converts the value of a parameter where that is plain, and leaves it to Typer elsewhere.

    Typer imports pydantic to convert any value, which takes longer than all the rest of a
    command. A release of Typer that converts in another way ignores this.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value as the command's function takes it."""
        of, kind = param.type_descriptor.parameter_info, param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if kind is str and isinstance(value, str):
            return value
        if kind == list[str] and not isinstance(value, str):
            return list(map(str, value))
        if kind is int and (isinstance(value, int) or _DECIMAL.fullmatch(value)):
            number = int(value)
            if (of.min is None or number >= of.min) and (of.max is None or number <= of.max):
                return number
        if kind is Path and (not of.readable or os.access(value, os.R_OK)):
            return Path(value)
        param._runtime_param = None  # noqa: SLF001 -- as Typer begins with
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


class HelpContext(typer.Context):
    """The context of a command that shows its help by ``drawn`` and converts by ``_PlainValue``."""

    def __init__(self, command: Command, *given: Any, **options: Any) -> None:
        super().__init__(command, *given, **options)
        parameters: list[Any] = command.get_params(self)
        for parameter in parameters:
            parameter._runtime_param = _PlainValue()  # noqa: SLF001 -- see ``_PlainValue``

    def get_help(self) -> str:
        """Return the help, as wide as the terminal, in the language that is wanted."""
        return drawn(self)


def speak(command: Command) -> None:
    """Let a command of Typer, and those beneath it, show their help by ``drawn``."""
    command.context_class = HelpContext
    for one in beneath(command).values():
        speak(one)


def beneath(command: Command) -> Mapping[str, Command]:
    """Return the commands of a group, by their names; none of a command."""
    return command.commands if isinstance(command, TyperGroup) else {}


def _arguments(given: typer.Context) -> list[TyperArgument]:
    found = given.command.get_params(given)
    return [one for one in found if isinstance(one, TyperArgument) and not one.hidden]


def _options(given: typer.Context) -> list[TyperOption]:
    found = given.command.get_params(given)
    return [one for one in found if isinstance(one, TyperOption) and not one.hidden]


def drawn(given: typer.Context) -> str:
    """Return the whole help of a command."""
    page = HelpPage(language_of(sys.argv[1:]))
    command, commands = given.command, beneath(given.command)
    arguments, options = _arguments(given), _options(given)
    page.usage(given.command_path, arguments, has_commands=bool(commands))
    for paragraph in paragraphs(command.help or ""):
        page.paragraph(paragraph)
    page.section(page.texts("Arguments"), [(page.name(one), page.about(one)) for one in arguments])
    page.section(page.texts("Options"), [(page.option(one), page.about(one)) for one in options])
    page.section(
        page.texts("Commands"), [(name, page.summary(one.help)) for name, one in commands.items()]
    )
    return page.text()


def paragraphs(text: str) -> Iterator[str]:
    """Split a help into paragraphs, each one line; what exit codes mean is one of its own."""
    for paragraph in textwrap.dedent(text).strip().split("\n\n"):
        before, code, after = " ".join(paragraph.split()).partition(_EXIT_CODE)
        yield from filter(None, (before.strip(), code + after))


def metavar_in(text: str, language: Language) -> str:
    """Return the words that stand for a value in a language: ``FILE`` is ``TỆP``."""
    return " ".join(translated(Sentence(one, context="value"), language) for one in text.split())


class HelpPage:
    """A help that is being drawn."""

    def __init__(self, language: Language) -> None:
        self.texts = Texts(language)
        columns = shutil.get_terminal_size().columns
        self._width = max(min(columns, _WIDEST), _NARROWEST)
        self._lines: list[str] = []

    def text(self) -> str:
        """Return the page, as it is drawn so far."""
        return "\n".join(self._lines)

    def usage(self, path: str, arguments: Iterable[TyperArgument], *, has_commands: bool) -> None:
        """Draw how a command is called."""
        begin = f"{self.texts('Usage')}: {path} "
        words = self.synopsis(arguments, has_commands=has_commands)
        self._lines += _wrapped(words, self._width, begin, " " * len(begin))

    def synopsis(self, arguments: Iterable[TyperArgument], *, has_commands: bool) -> str:
        """Return what follows the name of a command."""
        names = [self.name(one) if one.required else f"[{self.name(one)}]" for one in arguments]
        if has_commands:
            names += [self.texts("COMMAND"), self.texts("[ARGUMENTS]")]
        return " ".join((self.texts("[OPTIONS]"), *names))

    def paragraph(self, text: str) -> None:
        """Draw a paragraph of the description."""
        self._lines += ["", *_wrapped(self.translated(text), self._width, "  ", "  ")]

    def section(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Draw rows of two columns; a label that is too long has a line of its own."""
        if not rows:
            return
        self._lines += ["", f"{title}:"]
        narrow = [len(label) for label, _ in rows if len(label) <= _WIDEST_LABEL]
        indent = " " * (max(narrow, default=0) + 4)
        for label, about in rows:
            begin = f"  {label}  "
            if len(begin) > len(indent):
                self._lines.append(begin.rstrip())
                begin = indent
            self._lines += _wrapped(about, self._width, begin.ljust(len(indent)), indent)

    def name(self, argument: TyperArgument) -> str:
        """Return the name of an argument."""
        called = self._metavar(argument)
        return f"{called}..." if argument.nargs != 1 else called

    def option(self, option: TyperOption) -> str:
        """Return the names of an option, with its value."""
        written = ", ".join(sorted(option.opts, key=len))
        return written if option.is_flag else f"{written} {self._metavar(option)}"

    def about(self, parameter: TyperArgument | TyperOption) -> str:
        """Return the help of an argument or option, with environment, default and range."""
        facts = []
        if parameter.envvar:
            facts.append(f"{self.texts('environment')}: {parameter.envvar}")
        if parameter.show_default and parameter.default not in (None, "", False, ()):
            facts.append(f"{self.texts('default')}: {parameter.default}")
        least, most = parameter.min, parameter.max
        if least is not None:
            facts.append(f"{least}-{most}" if most is not None else f">= {least}")
        if parameter.required:
            facts.append(self.texts("required"))
        about = self.translated(parameter.help or "")
        return f"{about} [{'; '.join(facts)}]" if facts else about

    def summary(self, text: str | None) -> str:
        """Return the line of a command in the help of its group."""
        return self.translated(next(paragraphs(text or ""), ""))

    def _metavar(self, parameter: TyperArgument | TyperOption) -> str:
        return metavar_in(parameter.metavar or parameter.name.upper(), self.texts.language)

    def translated(self, text: str) -> str:
        """Return a text of a command in the language of the page."""
        return self.texts(quoted(text))


def _wrapped(text: str, width: int, begin: str, indent: str) -> list[str]:
    """Wrap between words only: an address, an option or a name is there to be copied."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=begin,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [begin.rstrip()]


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


def page(name: str, command: Command, language: Language) -> str:
    """Return the manual page of a command as roff.

    Args:
        name: the words after ``filterd``, empty for that itself.
        command: of Typer.
        language: of the text.
    """
    drawn = HelpPage(language)
    texts, title = drawn.texts, "-".join(("filterd", *name.split()))
    given = typer.Context(command)
    arguments, options = _arguments(given), _options(given)
    commands = beneath(command)
    first, *others = paragraphs(command.help or "")
    lines = [
        f'.TH "{title.upper()}" 1 "{_RELEASED}" "filterd {__version__}" ""',
        f".SH {_escaped(texts('Name').upper())}",
        f"{_escaped(title)} \\- {_escaped(drawn.summary(first).rstrip('.'))}",
        f".SH {_escaped(texts('Usage').upper())}",
        f".B {_escaped(f'filterd {name}'.strip())}",
        _escaped(drawn.synopsis(arguments, has_commands=bool(commands))),
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
        texts("Commands"), [(key, drawn.summary(one.help)) for key, one in commands.items()]
    )
    return "\n".join(lines) + "\n"


def _commands(command: Command, path: str = "") -> Iterator[tuple[str, Command]]:
    """Yield a command and those beneath it, by the words that call them."""
    yield path, command
    for name, one in beneath(command).items():
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


def _write(pages: dict[str, Command], out: Path) -> None:
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
