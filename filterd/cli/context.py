# SPDX-License-Identifier: Apache-2.0
"""The common options of commands: site, state folder, language; and the consoles."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from dataclasses import field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_args

import typer
from rich.text import Text

from filterd import control
from filterd.base.clock import Clock, SystemClock
from filterd.base.errors import ConfigError
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import StateFolder
from filterd.base.value_class import frozen
from filterd.cli.console import VisibleConsole, as_json
from filterd.cli.language import (
    CONFIG_VARIABLE,
    LANG_VARIABLE,
    STATE_VARIABLE,
    default_config,
    default_state,
    language_of_site,
)
from filterd.overrides.history import quarantine
from filterd.texts import i18n
from filterd.texts.i18n import Language, Texts, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from filterd.cli.binding import RequestOptions
    from filterd.operations.request import AnswerT, OperationRequest


def option(name: str, help_: str, metavar: str | None = None, **more: Any) -> Any:
    """Return an option of a command: its name, its help, and a word for its value."""
    return typer.Option(name, help=help_, metavar=metavar, **more)


def argument(metavar: str, help_: str, **more: Any) -> Any:
    """Return an argument of a command: a word for it, and its help."""
    return typer.Argument(metavar=metavar, help=help_, **more)


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar=CONFIG_VARIABLE,
        metavar="DIR",
        help="Folder of site.yaml (default: /etc/filterd or ./policies).",
        show_default=False,
        readable=False,  # what serves pages cannot read it: its unit hides the folder
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar=STATE_VARIABLE,
        metavar="DIR",
        help="Folder of the compiled lists and policy (default: /var/lib/filterd or ./.state).",
        show_default=False,
        readable=False,  # only the daemon reads its state folder
    ),
]
LangOption = Annotated[
    str | None,
    typer.Option(
        "--lang",
        envvar=LANG_VARIABLE,
        metavar="vi|en",
        help="Language of messages (default: that of the site).",
        show_default=False,
    ),
]
_ON_NAMED_FILES: set[Callable[..., None]] = set()

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
ReasonOption = Annotated[str, option("--reason", "Reason, for the history.", "TEXT")]


@frozen
class Context:
    """The site, state folder, language and consoles of a command."""

    config: Path
    state: StateFolder
    texts: Texts
    console: Console
    errors: Console
    clock: Clock = field(default_factory=SystemClock)

    def ask(self, command: str, **arguments: Any) -> Any:
        """Return the daemon's answer to a command.

        Raises:
            ControlError: it refuses, or none runs.
        """
        return control.ask(self.state.control_socket, command, **arguments)

    def send(self, request: OperationRequest[AnswerT], **how: Any) -> AnswerT:
        """Return the daemon's answer; see ``ask``, and ``control.ask`` for ``how``."""
        return request.answer_of(self.ask(request.command, **request.arguments, **how))

    def print(self, sentence: str, style: str = "", *, whole: bool = False) -> None:
        """Print a sentence in the language of the command.

        Args:
            sentence: with its values.
            style: of rich.
            whole: whether the line is not broken: a command or a path in it is copied.
        """
        self.console.print(self.texts(sentence), style=style, soft_wrap=whole)

    def note(self, sentence: str) -> None:
        """Print a sentence on standard error, unbroken."""
        self.errors.print(self.texts(sentence))

    def warn(self, sentence: str) -> None:
        """Print a sentence on standard error, broken into lines at a terminal only."""
        line = Text(self.texts(sentence), "yellow")
        self.errors.print(line, soft_wrap=not self.errors.is_terminal)

    def print_json(self, data: Any) -> None:
        """Print data for a script: no colour, no wrapping, UTF-8."""
        self.console.print(Text(as_json(data, indent=2)), soft_wrap=True)


@frozen
class Options:
    """Several options that make up one argument: ``Annotated[Whom, Options(whom)]``.

    A request makes up an argument by itself (``binding``).
    ``read`` has them as its parameters, and returns the argument.
    """

    read: Callable[..., Any]

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """The options, as Typer reads them."""
        return tuple(inspect.signature(self.read, eval_str=True).parameters.values())


def on_named_files(body: Callable[..., None]) -> Callable[..., None]:
    """Mark a command that works on files named by the operator, not on the state folder.

    Root's other commands have the rights of the owner of the state folder; for files that
    the operator names they take root's back (``privileges.own_rights``).
    """
    _ON_NAMED_FILES.add(body)
    return body


def runnable(body: Callable[..., None]) -> Callable[..., None]:
    """Return a command as Typer takes it, with the common options that make up ``here``.

    It is made for the command that is called only: reading a signature takes time. Typer
    finds the common options after those that the command has of its own.
    """
    own = [
        parameter
        for parameter in inspect.signature(body, eval_str=True).parameters.values()
        if parameter.name != "here"
    ]
    groups = {one.name: found for one in own if (found := _group_of(one)) is not None}
    common = inspect.signature(_common, eval_str=True).parameters.values()

    def run(given: typer.Context, **arguments: Any) -> None:
        where = {key: arguments.pop(key) for key in ("config", "state", "lang")}
        for name, group in groups.items():
            parts = {
                parameter.name: arguments.pop(parameter.name) for parameter in group.parameters
            }
            arguments[name] = group.read(**parts)
        here = context(given, **where)
        is_on_state = body not in _ON_NAMED_FILES
        rights = as_owner_of(here.state.folder) if is_on_state else contextlib.nullcontext()
        with _losses_printed(here.state, here.texts.language, here.errors), rights:
            body(here, **arguments)

    parameters: list[inspect.Parameter] = []
    for one in own:
        parameters += groups[one.name].parameters if one.name in groups else (one,)
    parameters += common
    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    functools.update_wrapper(run, body)
    setattr(run, "__signature__", inspect.Signature(keywords))  # noqa: B010 -- mypy: PEP 362
    return run


def keep_options(
    given: typer.Context,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Keep the options between the names of group and command, for that command."""
    options = {"config": config, "state": state, "lang": lang}
    given.obj = {key: _given(given, key, value) for key, value in options.items()}


def _group_of(parameter: inspect.Parameter) -> Options | RequestOptions | None:
    """Return the options that a parameter stands for, if it stands for several."""
    kind: Any = parameter.annotation
    if isinstance(kind, type) and is_dataclass(kind):
        from filterd.cli.binding import RequestOptions  # noqa: PLC0415 -- for some commands only

        return RequestOptions(cast("Any", kind))
    return next((one for one in get_args(kind) if isinstance(one, Options)), None)


def _common(
    given: typer.Context,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Declare the options that every command takes."""


def context(
    given: typer.Context, config: Path | None, state: Path | None, lang: str | None
) -> Context:
    """Return the context: options after the command first, then those before it, then defaults."""
    config = _given(given, "config", config) or default_config()
    state = _given(given, "state", state) or default_state(config)
    language = _language(_given(given, "lang", lang), config)
    return Context(
        config,
        StateFolder(state),
        Texts(language),
        VisibleConsole(),
        VisibleConsole(stderr=True, soft_wrap=True),
    )


_Option = TypeVar("_Option")


def _given(given: typer.Context, key: str, after: _Option | None) -> _Option | None:
    """Return an option after the command's name, else one before it, else from the environment.

    What Typer has from the environment it has in both places: only the place
    that stands further off may give it.
    """
    source = given.get_parameter_source(key)
    if source is not None and source.name == "COMMANDLINE":
        return after
    before: dict[str, _Option | None] = given.obj or {}
    return before.get(key)


def _language(given: str | None, config: Path) -> Language:
    if given is None:
        given = language_of_site(config)
    if given not in ("vi", "en"):
        raise ConfigError(
            say("--lang '{given}' is not a known language", given=given), hint=say("vi or en")
        )
    return "vi" if given == "vi" else "en"


@contextlib.contextmanager
def _losses_printed(state: StateFolder, language: Language, errors: Console) -> Iterator[None]:
    """Run a command, then print a line for each loss of overrides that is not yet handled.

    The daemon sends them with each answer; a file in the state folder lists them, too.
    """
    control.notices.clear()
    try:
        yield
    finally:
        losses = dict(control.notices)
        with contextlib.suppress(OSError):
            losses |= dict.fromkeys(quarantine.lost(state.overrides))
        for loss in losses:
            line = f"filterd: {i18n.translated(loss, language)}"
            errors.print(Text(line, style="bold red"), soft_wrap=True)
