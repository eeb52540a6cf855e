# SPDX-License-Identifier: Apache-2.0
"""What is wrong, in English, and what it takes to tell it in Vietnamese.

A sentence is an English ``str`` that remembers the template it was made from
and what was filled in. Who raises an error writes English where it happens;
whoever shows the error may ask for Vietnamese, and only then is the table of
``filterd.texts.errors`` read, which has a Vietnamese template for each English one.

A placeholder is ``{name}`` and nothing else: there are no conversions, formats
or attributes, so a template that another process sent can do no more than
repeat its values.
"""

from __future__ import annotations

import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.texts.messages import Language

Value = str | int | float
"""What a placeholder stands for; a sentence is a ``str`` too."""

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_DEEPEST = 8
_LONGEST = 1 << 20
_LONGEST_VALUE = 200


class Sentence(str):
    """English text, equal to any other ``str`` that reads the same.

    Attributes:
        template: the text with placeholders, by which translations are found.
        values: what the placeholders stand for.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, values: Mapping[str, Value] = MappingProxyType({})) -> Self:
        """Fill the values in; a placeholder without a value stays as it is written."""
        sentence = super().__new__(cls, _filled(template, values) if values else template)
        sentence.template, sentence.values = template, values
        return sentence


UNSAID = Sentence("")
"""The hint of an error that has none."""


def say(template: str, /, **values: object) -> Sentence:
    """Return a sentence: ``say("'{word}' is no grade", word="13")``.

    Args:
        template: English, a literal, so that a test finds it and asks for its translation.
        values: numbers, texts, sentences; what is neither is told as ``str`` tells it.
    """
    return Sentence(template, {name: _value(value) for name, value in values.items()})


def quoted(text: str) -> Sentence:
    """Return what another program has said, the operating system for one.

    It is told in Vietnamese where the table knows it whole, and else as it is.
    """
    return text if isinstance(text, Sentence) else Sentence(text)


def refused(error: OSError) -> Sentence:
    """Return why the operating system refused."""
    return quoted(error.strerror or (os.strerror(error.errno) if error.errno else str(error)))


def one_line(sentence: Sentence) -> Sentence:
    """Return a sentence whose values are short and of one line, however long a text they quote."""
    return Sentence(
        " ".join(sentence.template.split()) if not sentence.values else sentence.template,
        {name: _short(value) for name, value in sentence.values.items()},
    )


def told(text: str, language: Language) -> str:
    """Return a sentence, and those within it, in a language; any other ``str`` as it is.

    A template that the table does not know stays English.
    """
    if language == "en" or not isinstance(text, Sentence):
        return str(text)
    from filterd.texts.errors import TEXTS  # noqa: PLC0415 -- many words that few processes need

    return _told(text, TEXTS)


def to_plain(text: str) -> Any:
    """Return a sentence as plain data, ``[template, values]``; any other ``str`` as it is."""
    if not isinstance(text, Sentence):
        return text
    values = {
        name: to_plain(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return [text.template, values]


def from_plain(data: Any, *, depth: int = 0) -> Sentence:
    """Return the sentence that another process has told.

    Raises:
        ValueError: the data is none that ``to_plain`` makes, or longer or deeper than any of ours.
    """
    if isinstance(data, str):
        return quoted(data[:_LONGEST])
    match data:
        case [str(template), dict(values)] if depth < _DEEPEST:
            pass
        case _:
            raise ValueError("this is no sentence")
    known = {name: _received(value, depth) for name, value in values.items()}
    repeated = (len(str(known.get(name, ""))) for name in _PLACEHOLDER.findall(template))
    if len(template) + sum(repeated) > _LONGEST:  # told before it is made
        raise ValueError("the sentence is too long")
    return Sentence(template, known)


def _received(value: Any, depth: int) -> Value:
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return value[:_LONGEST]
    return from_plain(value, depth=depth + 1)


def _value(value: object) -> Value:
    return value if isinstance(value, str | int | float) else str(value)


def _filled(template: str, values: Mapping[str, Value]) -> str:
    def value(found: re.Match[str]) -> str:
        return str(values.get(found[1], found[0]))

    return _PLACEHOLDER.sub(value, template) if values else template


def _told(sentence: Sentence, texts: Mapping[str, str]) -> str:
    values = {
        name: _told(value, texts) if isinstance(value, Sentence) else value
        for name, value in sentence.values.items()
    }
    return _filled(texts.get(sentence.template, sentence.template), values)


def _short(value: Value) -> Value:
    if isinstance(value, Sentence):
        return one_line(value)
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}..."
