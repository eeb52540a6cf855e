# SPDX-License-Identifier: Apache-2.0
"""Write ``deploy/COMMANDS.md`` from the tree of commands: arguments, options, purpose.

``python -m tests.support.command_reference`` (``make reference``) writes it; ``tests/test_docs.py``
fails where it differs from the program.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.cli.help_pages import HelpPage
from tests.support.help_texts import shown, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).resolve().parents[2] / "deploy" / "COMMANDS.md"

_HEAD = """\
# Commands

*`make reference` writes this page from the program; what stands here is changed there.*

All commands, with their arguments and options. `filterd COMMAND --help` explains the options, and
`filterd man COMMAND | man -l -` has it as a manual page (`make man` writes all of them, in both
languages); `filterd completion bash` is for the Tab key. Examples by subject:
[ERRANDS.md](ERRANDS.md), [LISTS.md](LISTS.md), [API.md](API.md).

Every command has `--help`, `--config DIR` (default: `FILTERD_CONFIG`, `/etc/filterd`,
`./policies`), `--state DIR` (default: `FILTERD_STATE`, `/var/lib/filterd`, `./.state`) and `--lang
vi|en`; with `--json` it prints what a script can read. Exit codes: 0 done, or the name passes; 1
blocked, or nothing was found; 2 an error, in one line that says what to do; from 20 on, an error of
the feed; from 60 on, a signed file that is refused.
"""
_EVERYWHERE = {"--help", "--config", "--state", "--lang"}


def reference() -> str:
    """Return the page: commands in no group first, then each group."""
    page, commands = HelpPage("en"), whole()
    groups = {path[0]: one for path, one in commands.items() if hasattr(one, "commands") and path}
    lines = [_HEAD, "## Commands of no group", ""]
    for (name, *beneath), command in (
        (p, c) for p, c in commands.items() if p and p[0] not in groups
    ):
        lines += _entry(page, " ".join((name, *beneath)), command)
    for group, command in groups.items():
        lines += ["", f"## {group}", "", page.summary(command.help), ""]
        for name, one in command.commands.items():
            lines += _entry(page, f"{group} {name}", one)
    return "\n".join((*lines, ""))


def _entry(page: HelpPage, name: str, command: Any) -> Iterator[str]:
    """Yield the lines of a command; a bar would end the cell of a table, so it is a list."""
    parameters = [one for one in shown(command) if not _EVERYWHERE & {*one.opts}]
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    names = (
        page.name(argument) if argument.required else f"[{page.name(argument)}]"
        for argument in arguments
    )
    yield f"- **`{' '.join(('filterd', name, *names))}`**: {page.summary(command.help)}"
    if options:
        yield "  " + ", ".join(f"`{page.option(option)}`" for option in options)


if __name__ == "__main__":
    DOCUMENT.write_text(reference(), encoding="utf-8")
