# SPDX-License-Identifier: Apache-2.0
"""Texts for people: English in the code, Vietnamese in ``locale/vi.po``.

The English text stands at the place where it is said.

A sentence is an English ``str`` that keeps the template it was made from and
the values that were filled in. Code writes English; what shows the sentence
names a language, and only for another one than English is a catalogue read:
``locale/vi.mo``, which the build compiles from ``vi.po``. A translator needs
Poedit or Weblate and no Python. Where the catalogue is missing or damaged, the
sentence stays English.

A placeholder is ``{name}`` and nothing else: there are no conversions, formats
or attributes, so a template that another process sent can do no more than
repeat its values.
"""

from __future__ import annotations

import functools
import os
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from gettext import NullTranslations

Language = Literal["vi", "en"]

Value = str | int | float
"""What a placeholder stands for; a sentence is a ``str`` too."""

CATALOGUES = Path(__file__).parents[1] / "locale"
"""Folder of ``vi.po`` and the ``vi.mo`` that is made from it."""

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NO_VALUES: Mapping[str, Value] = {}
_DEEPEST = 8
_LONGEST = 1 << 20
_LONGEST_VALUE = 200
_LONGEST_WORD = 80
_SPACES = "\n\u00a0\u202f"
"""Between lines, and between a number and its unit."""


class Sentence(str):
    """English text, equal to any other ``str`` that reads the same.

    Attributes:
        template: the text with placeholders, the key of translations; for one thing if
            there is a plural.
        values: of the placeholders.
        many: the template for several things; empty without a plural.
        n: the number of things, which chooses the template.
        context: distinguishes one English word with two translations (``msgctxt``).
    """

    __slots__ = ("context", "many", "n", "template", "values")

    template: str
    values: Mapping[str, Value]
    many: str
    n: int
    context: str

    def __new__(
        cls,
        template: str,
        values: Mapping[str, Value] = _NO_VALUES,
        *,
        many: str = "",
        n: int = 1,
        context: str = "",
    ) -> Self:
        """Fill the values in; a placeholder without a value stays as it is written."""
        english = many if many and n != 1 else template
        sentence = super().__new__(cls, _filled(english, values) if values else english)
        sentence.template, sentence.values = template, values
        sentence.many, sentence.n, sentence.context = many, n, context
        return sentence

    def filled(self, values: Mapping[str, Value]) -> Self:
        """Return the same sentence with other values."""
        return type(self)(self.template, values, many=self.many, n=self.n, context=self.context)


UNSAID = Sentence("")
"""The hint of an error that has none."""


def language_of(word: object) -> Language:
    """Return the language that a word from outside names; Vietnamese for any other."""
    return "en" if word == "en" else "vi"


def say(template: str, /, **values: object) -> Sentence:
    """Return a sentence: ``say("'{word}' is not a grade", word="13")``.

    Args:
        template: English, a literal, so that ``make messages`` finds it.
        values: numbers, texts, sentences; anything else is shown as ``str`` shows it.
    """
    return Sentence(template, _values(values))


def say_n(one: str, many: str, n: int, /, **values: object) -> Sentence:
    """Return a sentence about ``n`` things: ``say_n("{n} day", "{n} days", 2)``.

    ``{n}`` is the number, unless the values say how it is written.
    """
    return Sentence(one, {"n": n} | _values(values), many=many, n=n)


def say_in(context: str, template: str, /) -> Sentence:
    """Return a word of a vocabulary; the context shows the translator its meaning."""
    return Sentence(template, context=context)


def quoted(text: str) -> Sentence:
    """Return what another program has said, such as the operating system.

    It is shown in Vietnamese where the catalogue has it whole, and as it is otherwise.
    """
    return text if isinstance(text, Sentence) else Sentence(text)


def refused(error: OSError) -> Sentence:
    """Return why the operating system refused."""
    return quoted(error.strerror or (os.strerror(error.errno) if error.errno else str(error)))


def did_you_mean(word: str, known: Iterable[str], *, most: int | None = None) -> Sentence:
    """Return a hint for a word that is none of the known ones, if any are known.

    Where none of them is close, the hint lists ``most`` of them; all for None.
    """
    import difflib  # noqa: PLC0415 -- most processes meet no such word

    words = list(known)
    close = difflib.get_close_matches(word[:_LONGEST_WORD], words, n=1)
    if close:
        return say("did you mean '{word}'?", word=close[0])
    return say("known: {known}", known=", ".join(words[:most])) if words else UNSAID


def one_line(sentence: Sentence) -> Sentence:
    """Return a sentence whose values are short and of one line.

    The text that a value quotes may have any length.
    """
    if not sentence.values:
        return Sentence(" ".join(sentence.template.split()), context=sentence.context)
    return sentence.filled({name: _short(value) for name, value in sentence.values.items()})


def visible(text: str) -> str:
    """Return a text in which each character that shows nothing stands by its code.

    Such characters move the cursor of a terminal, turn the writing round or hide a part of it.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _SPACES else _code(one) for one in text)


def translated(text: str, language: Language) -> str:
    """Return a sentence, and those within it, in a language.

    Any other ``str`` is returned as it is. A template that the catalogue does not have stays
    English.
    """
    if language == "en" or not isinstance(text, Sentence):
        return str(text)
    return _filled_in(text, catalogue(language))


class Texts:
    """Sentences in one language.

    ``texts("{n} more", n=3)`` is ``say`` and ``translated`` in one.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, text: str, /, **values: object) -> str:
        """Return a text with its values.

        Args:
            text: English, a literal; or a sentence, made elsewhere.
            values: as ``say`` takes them.
        """
        sentence = quoted(text)
        if values:
            sentence = sentence.filled({**sentence.values, **_values(values)})
        return translated(sentence, self.language)

    def word(self, words: Mapping[str, Sentence], key: str) -> str:
        """Return the word of a vocabulary for a key of the data.

        Where the vocabulary has no word for the key, the key itself is returned.
        """
        return translated(words.get(key, key), self.language)


@functools.cache
def catalogue(language: Language) -> NullTranslations:
    """Return the translations into a language.

    There are none where the file of the language is missing or damaged.
    """
    import gettext  # noqa: PLC0415 -- needed only where Vietnamese is spoken

    try:
        with (CATALOGUES / f"{language}.mo").open("rb") as file:
            return gettext.GNUTranslations(file)
    except (OSError, ValueError, LookupError, struct.error):
        return gettext.NullTranslations()


def to_plain(text: str) -> Any:
    """Return a sentence as plain data; any other ``str`` as it is.

    It is ``[template, values]``, with a plural ``[one, many, n, values]``, with a
    context ``[context, template, values]``.
    """
    if not isinstance(text, Sentence):
        return text
    values = {
        name: to_plain(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    if text.many:
        return [text.template, text.many, text.n, values]
    return [*([text.context] if text.context else ()), text.template, values]


def from_plain(data: Any, *, depth: int = 0) -> Sentence:
    """Return the sentence that another process has sent.

    Raises:
        ValueError: the data is not what ``to_plain`` makes, or too long or too deep.
    """
    if isinstance(data, str):
        return quoted(data[:_LONGEST])
    context, many, n = "", "", 1
    match data:
        case [str(template), dict(values)] if depth < _DEEPEST:
            pass
        case [str(context), str(template), dict(values)] if depth < _DEEPEST:
            pass
        case [str(template), str(many), int(n), dict(values)] if depth < _DEEPEST:
            pass
        case _:
            raise ValueError("this is not a sentence")
    known = {name: _received(value, depth) for name, value in values.items()}
    written = context + template + many
    repeated = (len(str(known.get(name, ""))) for name in _PLACEHOLDER.findall(written))
    if len(written) + sum(repeated) > _LONGEST:  # checked before it is made
        raise ValueError("the sentence is too long")
    return Sentence(template, known, many=many, n=n, context=context)


def _received(value: Any, depth: int) -> Value:
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return value[:_LONGEST]
    return from_plain(value, depth=depth + 1)


def _values(values: Mapping[str, object]) -> dict[str, Value]:
    return {
        name: value if isinstance(value, str | int | float) else str(value)
        for name, value in values.items()
    }


def _filled(template: str, values: Mapping[str, Value]) -> str:
    def value(found: re.Match[str]) -> str:
        return str(values.get(found[1], found[0]))

    return _PLACEHOLDER.sub(value, template)


def _filled_in(sentence: Sentence, known: NullTranslations) -> str:
    values = {
        name: _filled_in(value, known) if isinstance(value, Sentence) else value
        for name, value in sentence.values.items()
    }
    return _filled(_translated(sentence, known), values)


def _translated(sentence: Sentence, known: NullTranslations) -> str:
    if not sentence.template:
        return ""  # gettext keeps the catalogue's header under the empty text
    if sentence.many:
        return known.ngettext(sentence.template, sentence.many, sentence.n)
    if sentence.context:
        return known.pgettext(sentence.context, sentence.template)
    return known.gettext(sentence.template)


def _code(character: str) -> str:
    return ascii(character)[1:-1]


def _short(value: Value) -> Value:
    if isinstance(value, Sentence):
        return one_line(value)
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}..."
