# SPDX-License-Identifier: Apache-2.0
"""Complete a command line in bash, zsh and fish, from the commands themselves.

The shell's function calls ``filterd --complete SHELL WORD...``; the last word is the one to
complete. Names of commands come from the tree, options from the command's parameters, values
from the running daemon, or else from the compiled policy. An error is not printed: it would
stand in the middle of the line that is being typed.

bash cuts words at ``:`` too, so its function passes the line as one word, and takes off what
stands before the last ``:``. A shell gives the name of the program as it is typed: ``~`` and
backslashes (which ``read`` takes off) are resolved, and nothing is evaluated.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from filterd import control
from filterd.base.errors import ConfigError, FilterdError
from filterd.base.state_folder import StateFolder
from filterd.cli.context import Context, argument
from filterd.cli.language import CONFIG_VARIABLE, STATE_VARIABLE, default_config, default_state
from filterd.texts.i18n import did_you_mean, say
from filterd.texts.words import COUNTED

SCRIPTS = {
    "bash": """\
_filterd() {
    local line=${COMP_LINE:0:COMP_POINT} before value program
    IFS= read program <<<"$1"
    [[ $program == "~/"* ]] && program=$HOME/${program#"~/"}
    local word=${line##*[[:blank:]]}
    [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && before=${word%"${word##*:}"}
    COMPREPLY=()
    while IFS= read -r value; do
        COMPREPLY+=("${value#"$before"}")
    done < <("$program" --complete bash "filterd${line#*"$1"}" 2>/dev/null)
}
complete -o default -F _filterd filterd
""",
    "zsh": """\
#compdef filterd
_filterd() {
    local program=${${(Q)words[1]}/#\\~\\//$HOME/}
    local -a found
    found=("${(@f)$("$program" --complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n ${found[1]} ]]; then
        compadd -- "${found[@]}"
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _filterd ]]; then
    _filterd
else
    compdef _filterd filterd
fi
""",
    "fish": """\
function __filterd_complete
    set -l words (commandline -opc)
    if string match -q '~/*' -- $words[1]
        set words[1] $HOME/(string sub -s 3 -- $words[1])
    end
    command -q -- $words[1]; or return
    set -l found ($words[1] --complete fish $words[2..-1] (commandline -ct) 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c filterd -f -a '(__filterd_complete)'
""",
}
"""The functions of the shells."""


def completion(
    here: Context,
    shell: Annotated[str, argument("NAME", "Name of the shell: bash, zsh or fish.")],
) -> None:
    """Print what makes a shell complete the words of `filterd`.

    For bash: filterd completion bash | sudo tee /etc/bash_completion.d/filterd. For zsh: into
    a file _filterd of a folder of $fpath. For fish: into ~/.config/fish/completions/filterd.fish.
    Exit code 0: printed; 2: there is none for this shell.
    """
    if shell not in SCRIPTS:
        hint = did_you_mean(shell, SCRIPTS)
        raise ConfigError(say("'{shell}' has no completion here", shell=shell), hint=hint)
    here.console.print(SCRIPTS[shell], soft_wrap=True, end="")


_IDS = {
    "--grade": ("grades", "classes"),
    "--between": ("grades", "classes"),
    "--class": ("classes",),
    "class_": ("classes",),
    "--tier": ("tiers",),
    "--room": ("rooms",),
    "room": ("rooms",),
    "--network": ("networks",),
    "--service": ("services",),
    "service": ("services",),
    "--allow-service": ("services",),
    "--block-service": ("services",),
    "--category": ("categories",),
    "--group": ("categories",),
    "--allow-category": ("categories",),
    "--block-category": ("categories",),
    "--list": ("lists",),
    "targets": ("targets",),
    "--action": ("actions",),
    "--lang": ("languages",),
    "--period": ("periods",),
    "report --format": ("formats",),
    "shell": ("shells",),
    "level": ("levels",),
}
"""The ids that a parameter takes, by its option (of a command) or by its name."""
_OF_COMMANDS = {
    "exceptions revoke": "exceptions",
    "exam stop": "exams",
    "undo": "changes",
    "log confirm": "unconfirmed",
    "lists follow": "sources",
    "lists unfollow": "sources",
    "feed approve": "versions",
    "feed refuse": "versions",
}
"""The ids that the argument of a command takes, where its name does not say it."""
_CHANGES = 20
LEVELS = ("off", "counts", "names", "blocked", "full")
"""Of the query log; a test compares them with ``LogLevel``."""
PERIODS = ("day", "week", "month", "term", "year")
"""Of a report; a test compares them with ``PeriodKind``, and the formats with theirs."""
FORMATS = ("html", "docx", "xlsx", "csv", "json")


def print_values(shell: str, words: Sequence[str]) -> None:
    """Print what may stand for the last word, a value a line; nothing where that is not known."""
    try:
        words = _words(words[0]) if shell == "bash" else words
        found = [
            value for value in values(words) if value.startswith(words[-1]) and value.isprintable()
        ]
        quoted = (shlex.quote(one) if shell == "bash" else one for one in found)
        sys.stdout.write("".join(f"{one}\n" for one in quoted))
    except (FilterdError, OSError, ValueError, LookupError):
        return


def _words(line: str) -> list[str]:
    """Return the words of a line behind the name of the program; the last may be empty."""
    words = line.split()[1:]
    return words if words and not line[-1:].isspace() else [*words, ""]


def values(words: Sequence[str]) -> Iterable[str]:
    """Return the values for the last word; the caller keeps those that begin as it does."""
    from filterd.cli import tree  # noqa: PLC0415 -- Typer; a shell asks for nothing else often

    before, last = list(words[:-1]), words[-1]
    names = tree.names_in(before)
    if not last.startswith("-") and (beneath := tree.names_beneath(names)):
        return beneath
    found = tree.parameters_of(before)
    if found is None:
        return ()
    command, parameters = found
    options = {
        name: parameter
        for parameter in parameters
        for name in parameter.opts
        if name.startswith("-")
    }
    pending = options.get(before[-1]) if before else None
    if pending is None and len(before) > 1 and options.get(before[-2]) is not None:
        pending = options[before[-2]] if options[before[-2]].nargs > 1 else None
    if pending is not None and not getattr(pending, "is_flag", False):
        usual, option = pending.default, pending.opts[0]
        kinds = _IDS.get(f"{command} {option}") or _IDS.get(option, ())
        return list(type(usual)) if isinstance(usual, StrEnum) else _ids(kinds, before)
    if last.startswith("-"):
        return options
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    place = len(names) - len(command.split())
    if not arguments or (place >= len(arguments) and arguments[-1].nargs != -1):
        return ()
    name = str(arguments[min(place, len(arguments) - 1)].name)
    return _ids(_IDS.get(name) or (_OF_COMMANDS.get(command, ""),), before)


def _ids(kinds: Iterable[str], words: Sequence[str]) -> list[str]:
    """Return the ids of some kinds that the school has."""
    fixed = {
        "languages": ("vi", "en"),
        "shells": tuple(SCRIPTS),
        "levels": LEVELS,
        "periods": PERIODS,
        "formats": FORMATS,
        "actions": tuple(COUNTED),
    }
    kinds = [one for one in kinds if one]
    if not kinds:
        return []
    if kinds[0] in fixed:
        return list(fixed[kinds[0]])
    state = _state(words)
    if kinds[0] in _FOUND:
        return _FOUND[kinds[0]](state)
    known = _known(state)
    if "targets" in kinds:
        return [f"{of}:{one}" for of, ids in _OF_TARGETS.items() for one in known.get(ids, ())]
    return [str(one) for kind in kinds for one in known.get(kind, ())]


def _sources(_: StateFolder) -> list[str]:
    from filterd.lists.catalogs.catalog import shipped_sources  # noqa: PLC0415 -- a YAML reader

    return [source.id for source in shipped_sources()]


def _changes(state: StateFolder) -> list[str]:
    rows = control.ask(state.control_socket, "history", limit=_CHANGES)
    return [str(row["number"]) for row in rows]


def _waiting(state: StateFolder) -> list[str]:
    """Return the versions that wait for an administrator."""
    feed = control.ask(state.control_socket, "status")["feed"]
    judged = [one["judgement"] for one in (feed, feed.get("beside")) if one]
    return [one["version"] for one in judged if one]


def _unconfirmed(state: StateFolder) -> list[str]:
    """Return the log levels that wait for a second person."""
    day = control.ask(state.control_socket, "status")["day"]
    return [str(one["id"]) for one in day["log_waiting"]]


_FOUND = {
    "sources": _sources,
    "changes": _changes,
    "versions": _waiting,
    "unconfirmed": _unconfirmed,
}
"""Ids that are not of the policy, by kind."""
_OF_TARGETS = {"service": "services", "category": "categories"}


def _state(words: Sequence[str]) -> StateFolder:
    """Return the state folder that a line names, or else the usual one."""
    given = dict(pairwise(words))
    config = given.get("--config") or os.environ.get(CONFIG_VARIABLE)
    state = given.get("--state") or os.environ.get(STATE_VARIABLE)
    folder = Path(state) if state else default_state(Path(config) if config else default_config())
    return StateFolder(folder)


def _known(where: StateFolder) -> Mapping[str, Sequence[Any]]:
    """Return the ids of the site: by the daemon, else by the last compiled policy."""
    try:
        answer: Mapping[str, Sequence[Any]] = control.ask(where.control_socket, "ids")
    except FilterdError:
        from filterd.policy.grade_rows import ids  # noqa: PLC0415 -- the daemon was quicker
        from filterd.policy.policy_file import load  # noqa: PLC0415

        return ids(load(where.policy))
    return answer
