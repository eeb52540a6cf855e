# SPDX-License-Identifier: Apache-2.0
"""``lookalikes.yaml`` of a ``blocklists/`` folder: a list of rules per category.

It is optional, and written by ``filterd.lists.lookalike_families`` rather than by hand;
the bounds here protect a school's memory, whatever its origin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator

from filterd.documents import DocumentModel, did_you_mean, load, refusal, validate
from filterd.i18n import say
from filterd.lists.lookalikes import (
    MOST_DIGITS,
    MOST_RULES,
    MOST_SUFFIXES,
    PREFIX,
    LookalikeRule,
    is_shape,
)
from filterd.lists.rules import ListSource
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.documents import Document
    from filterd.errors import ConfigError

FILE = "lookalikes.yaml"
_MOST_SUFFIX_CHARACTERS = 80


def _shape(value: Any) -> bytes:
    if not isinstance(value, str) or not is_shape(value):
        raise refusal(
            say("'{value}' is not a shape of a label", value=value),
            say("such as i9bet#: letters and digits, # for a run of digits"),
        )
    return value.encode("ascii")


class LookalikeFamily(DocumentModel):
    """A family: shape and category; ``digits``: the most in a run."""

    shape: Annotated[bytes, PlainValidator(_shape)]
    category: str
    digits: Annotated[int, Field(ge=1, le=MOST_DIGITS)] = 1


class LookalikesFile(DocumentModel):
    """``lookalikes.yaml``; ``suffixes``: by category, those that its mirrors use."""

    suffixes: dict[str, Annotated[tuple[str, ...], Field(max_length=MOST_SUFFIXES)]]
    lookalikes: Annotated[tuple[LookalikeFamily, ...], Field(max_length=MOST_RULES)]


def read_lookalikes(
    folder: Path, known: list[str]
) -> tuple[tuple[ListSource, ...], list[ConfigError]]:
    """Read the rules of a folder, if it has any.

    Args:
        folder: with or without ``lookalikes.yaml``.
        known: ids of its categories.

    Returns:
        A list for each category with rules, and the errors beyond single values.

    Raises:
        ConfigErrors: single values are invalid.
        ConfigError: it cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return (), []
    document = load(path)
    file = validate(document, LookalikesFile)
    problems = list(_problems(document, file, known))
    return (() if problems else tuple(_lists(document, file))), problems


def _lists(document: Document, file: LookalikesFile) -> Iterator[ListSource]:
    for category, texts in file.suffixes.items():
        suffixes = frozenset(names.from_text(text) for text in texts)
        rules = tuple(
            LookalikeRule(
                one.shape, one.digits, suffixes, document.place(("lookalikes", position))[0]
            )
            for position, one in enumerate(file.lookalikes)
            if one.category == category
        )
        if rules:
            yield ListSource(
                PREFIX + category,
                category,
                "domains",
                document.path,
                title=f"Look-alikes of {category}",
                names=(),
                lookalikes=rules,
            )


def _problems(
    document: Document, file: LookalikesFile, known: Iterable[str]
) -> Iterator[ConfigError]:
    categories = list(known)
    for category, texts in file.suffixes.items():
        if category not in categories:
            reason = say("'{word}' is not a category", word=category)
            hint = did_you_mean(category, categories)
            yield document.error(reason, ("suffixes", category), hint=hint)
        for position, text in enumerate(texts):
            if not _is_suffix(text):
                reason = say("'{value}' is not a suffix", value=text)
                where = ("suffixes", category, position)
                yield document.error(reason, where, hint=say("such as com or com.vn"))
    seen = set[tuple[str, bytes]]()
    for position, one in enumerate(file.lookalikes):
        if one.category not in file.suffixes:
            reason = say("'{word}' has no suffixes", word=one.category)
            hint = did_you_mean(one.category, list(file.suffixes))
            yield document.error(reason, ("lookalikes", position, "category"), hint=hint)
        if (one.category, one.shape) in seen:
            reason = say("this {key} occurs twice", key="shape")
            yield document.error(reason, ("lookalikes", position, "shape"), hint=say("remove it"))
        seen.add((one.category, one.shape))


def _is_suffix(text: str) -> bool:
    """Return whether a text is labels of a host name, in lower-case A-labels."""
    labels = text.split(".")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    return len(text) <= _MOST_SUFFIX_CHARACTERS and all(
        0 < len(label) <= 63 and allowed.issuperset(label) for label in labels
    )
