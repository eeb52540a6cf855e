# SPDX-License-Identifier: Apache-2.0
"""Where the command ``filterd`` begins: ``serve`` and ``web`` go straight to their process.

The command line (typer, rich, YAML, pydantic) takes longer to import than the rest
of a start takes, and a school waits for its DNS meanwhile, or a person for a page. A ``serve``
or ``web`` as service managers write it needs none of that and is read here; all else is left
to ``cli.app``.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from filterd.cli.language import (
    CONFIG_VARIABLE,
    LANG_VARIABLE,
    STATE_VARIABLE,
    default_config,
    default_state,
    language_of_site,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.texts.i18n import Language

_VARIABLES = {"--config": CONFIG_VARIABLE, "--state": STATE_VARIABLE, "--lang": LANG_VARIABLE}
_OPTIONS = {"serve": frozenset(_VARIABLES), "web": frozenset((*_VARIABLES, "--listen"))}
_WITH_A_WORD = 3
"""``filterd --complete SHELL``, without the word to complete."""
_ROOM_OCTETS = 64 << 20
"""A start takes more. It is asked for at once: where memory ends in the midst of imports, modules
in C raise almost anything (``AttributeError``, ``SystemError``), and some print it themselves."""


class Plain(NamedTuple):
    """A ``serve`` or ``web`` that was understood."""

    config: Path
    state: Path
    language: Language
    try_it: bool
    command: str = "serve"
    listen: str = ""


def main() -> None:
    """Serve if the words are a plain ``serve``, complete for a shell, or run the command line."""
    plain = read_plain(sys.argv[1:])
    if sys.argv[1:2] == ["--complete"] and len(sys.argv) > _WITH_A_WORD:
        from filterd.cli.completion import print_values  # noqa: PLC0415 -- see above

        print_values(sys.argv[2], sys.argv[3:])
    elif plain is None:
        from filterd.cli.app import main as command_line  # noqa: PLC0415 -- see above

        command_line()
    elif plain.command == "serve":
        _serve(plain)
    elif not _serve_web(plain):
        from filterd.cli.app import main as command_line  # noqa: PLC0415 -- see above

        command_line()


def read_plain(words: Sequence[str]) -> Plain | None:
    """Read ``serve [--try] [--config DIR] [--state DIR] [--lang vi|en]``; None for all else.

    So is ``web``, which has ``[--listen ADDRESS:PORT]`` too.
    What is not given is taken from the environment, as Typer does for every command.
    """
    if not words or words[0] not in _OPTIONS:
        return None
    given: dict[str, str] = {}
    try_it = False
    rest = iter(words[1:])
    for word in rest:
        if word == "--try":
            try_it = True
            continue
        option, equals, value = word.partition("=")
        value = value if equals else next(rest, "")
        if option not in _OPTIONS[words[0]] or not value or value.startswith("-"):
            return None
        given[option] = value
    config, state, language = (
        given.get(option) or os.environ.get(variable, "") for option, variable in _VARIABLES.items()
    )
    if language not in ("", "vi", "en"):
        return None
    site = Path(config) if config else default_config()
    spoken: Language = "vi" if language == "vi" else "en"
    if not language:
        spoken = language_of_site(site)
    folder = Path(state) if state else default_state(site)
    listen = given.get("--listen", "")
    return Plain(site, folder, spoken, try_it, words[0], listen)


def _serve(plain: Plain) -> None:
    # Signals wait until the daemon handles them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    find_only_what_is_installed()
    gc.disable()  # until the supervisor has begun; a start leaves little in cycles
    try:
        bytearray(_ROOM_OCTETS)  # none of it is touched
    except MemoryError:
        sys.stderr.write(f"filterd: {_too_little(plain.language)}\n")
        sys.exit(2)
    from filterd.daemon import main as serving  # noqa: PLC0415 -- found as all that it imports

    serving.main(
        str(plain.config), str(plain.state), plain.language, "yes" if plain.try_it else "no"
    )


def _too_little(language: Language) -> str:
    """Return what to do; in English where memory is too short for the texts of a language."""
    try:
        from filterd.base.process_memory import TOO_LITTLE  # noqa: PLC0415 -- see above
        from filterd.texts.i18n import translated  # noqa: PLC0415

        return translated(TOO_LITTLE, language)
    except Exception:  # noqa: BLE001 -- almost anything, see _ROOM_OCTETS
        return "too little memory to start; end other programs, or raise its limit (ulimit -v)"


def _serve_web(plain: Plain) -> bool:
    """Run the web process; return False where it has no certificate yet."""
    from filterd.base.state_folder import StateFolder  # noqa: PLC0415 -- as those of the command line
    from filterd.web.certificate_files import certificate_of  # noqa: PLC0415

    chain, key = certificate_of(StateFolder(plain.state))
    if not chain.exists():
        return False
    find_only_what_is_installed()
    gc.disable()  # until it serves; imports leave little in cycles
    from filterd.base.addresses import DASHBOARD  # noqa: PLC0415
    from filterd.web import web_main  # noqa: PLC0415

    listen, try_it = plain.listen or DASHBOARD, "yes" if plain.try_it else "no"
    web_main.main(str(plain.state), listen, str(chain), str(key), plain.language, try_it)
    return True


def become(words: list[str]) -> NoReturn:
    """Let this process become the interpreter that serves; ``words`` begin with it."""
    os.execv(sys.executable, words)  # noqa: S606 -- no shell; words of our own


def find_only_what_is_installed() -> None:
    """Let no file of the working directory stand in for a module, here and in children.

    They find filterd where it was found, be it installed or a checkout.
    """
    package = str(Path(__file__).resolve().parents[2])
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder of the script, or the working directory
    if package not in sys.path:
        sys.path.insert(0, package)
    os.environ.update(PYTHONPATH=package, PYTHONSAFEPATH="1")
