# SPDX-License-Identifier: Apache-2.0
"""Translate Typer's usage errors.

Typer composes these sentences in English only, so they are recognised here by
their form and composed again in the language of the command line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from filterd.cli.help_pages import metavar_told
from filterd.i18n import Language, say, translated

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
    return metavar_told(value, language) if key == "metavar" else value


@functools.cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """Return the pattern of a sentence such as ``No such option: {option}``."""
    parts = re.split(r"\{(\w+)\}", sentence)
    text = "".join(
        f"(?P<{part}>.*?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    return re.compile(text, re.DOTALL)
