# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the words of a command, in the language of whoever wrote them.

Typer composes these sentences in English before anybody can ask for another
language, so they are recognised by ``filterd.texts.usage`` and said again.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from filterd.i18n import Language
from filterd.texts.help import word
from filterd.texts.usage import SENTENCES


def said(sentence: str, language: Language) -> str:
    """Return a sentence of Typer in a language; as it is, where nobody knows it."""
    for typers, ours in SENTENCES.items():
        found = _pattern(typers).fullmatch(sentence.rstrip("."))
        if found:
            given = {key: _value(key, one, language) for key, one in found.groupdict().items()}
            return ours[0 if language == "vi" else 1].format(**given)
    return sentence


def command_in(words: Sequence[str], root: Any) -> str:
    """Return the command that the words call, as far as they do: ``filterd log totals``.

    Args:
        words: after ``filterd``.
        root: the command ``filterd`` of Typer.
    """
    path, command = ["filterd"], root
    for one in words:
        commands = getattr(command, "commands", {})
        if one in commands:
            path, command = [*path, one], commands[one]
    return " ".join(path)


def _value(key: str, value: str, language: Language) -> str:
    """Return what was recognised: a sentence within one, a word of the help, or what was given."""
    if key == "sentence":
        return said(value, language)
    return word(value) if key == "metavar" and language == "vi" else value


@functools.cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """Make of ``No such option: {option}`` what recognises it."""
    parts = re.split(r"\{(\w+)\}", sentence)
    text = "".join(
        f"(?P<{part}>.*?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    return re.compile(text, re.DOTALL)
