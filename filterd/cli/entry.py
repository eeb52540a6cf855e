# SPDX-License-Identifier: Apache-2.0
"""Where the command ``filterd`` begins: ``serve`` goes straight to the process that serves.

The command line (typer, rich, YAML, pydantic) takes longer to import than the rest
of a start takes, and a school waits for its DNS meanwhile. A ``serve`` as service
managers write it needs none of that and is read here; all else is left to ``cli.app``.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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

    from filterd.i18n import Language

_VARIABLES = {"--config": CONFIG_VARIABLE, "--state": STATE_VARIABLE, "--lang": LANG_VARIABLE}
_WITH_A_WORD = 3
"""``filterd --complete SHELL``, without the word to complete."""


class Plain(NamedTuple):
    """A ``serve`` that was understood."""

    config: Path
    state: Path
    language: Language
    try_it: bool


def main() -> None:
    """Serve if the words are a plain ``serve``, complete for a shell, or run the command line."""
    plain = read_plain(sys.argv[1:])
    if sys.argv[1:2] == ["--complete"] and len(sys.argv) > _WITH_A_WORD:
        from filterd.cli.completion import print_values  # noqa: PLC0415 -- see above

        print_values(sys.argv[2], sys.argv[3:])
    elif plain is None:
        from filterd.cli.app import main as command_line  # noqa: PLC0415 -- see above

        command_line()
    else:
        _serve(plain)


def read_plain(words: Sequence[str]) -> Plain | None:
    """Read ``serve [--try] [--config DIR] [--state DIR] [--lang vi|en]``; None for all else.

    What is not given is taken from the environment, as Typer does for every command.
    """
    if words[:1] != ["serve"]:
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
        if option not in _VARIABLES or not value or value.startswith("-"):
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
    return Plain(site, Path(state) if state else default_state(site), spoken, try_it)


def _serve(plain: Plain) -> None:
    # Signals wait until the daemon handles them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    find_only_what_is_installed()
    gc.disable()  # until the supervisor has begun; a start leaves little in cycles
    from filterd.daemon import main as serving  # noqa: PLC0415 -- found as all that it imports

    serving.main(
        str(plain.config), str(plain.state), plain.language, "yes" if plain.try_it else "no"
    )


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
