# SPDX-License-Identifier: Apache-2.0
"""List the options of selection fields of forms: value and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.descriptions import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.i18n import Sentence
    from filterd.rows import Row, Wording

    Options = list[tuple[str, str]]


def of_words(vocabulary: Mapping[str, Sentence], by: Wording, none: str = "") -> Options:
    """Return the words of a vocabulary; with ``none``, the text of no choice first."""
    found = [(key, by.texts.word(vocabulary, key)) for key in vocabulary]
    return [("", none), *found] if none else found


def seats(ids: Row, by: Wording, classes: Iterable[str] | None = None) -> Options:
    """Return classes, then grades, as ``class:6A`` and ``grade:6``.

    Args:
        ids: as ``readIds`` has them.
        by: the language.
        classes: a teacher's own, without grades; None for all.
    """
    tell = Teller(*by).grade
    of_classes = [
        (f"class:{one}", tell(one)) for one in ids["classes"] if classes is None or one in classes
    ]
    return of_classes + [(f"grade:{one}", tell(one)) for one in ids["grades"] if classes is None]


def categories(rows: Iterable[Row], by: Wording) -> Options:
    """Return the categories that a log may show, by name."""
    name = f"name_{by.texts.language}"
    return sorted(
        ((one["id"], one[name]) for one in rows if not one.get("confidential")),
        key=lambda one: one[1],
    )


def seat_query(whom: str) -> dict[str, Any]:
    """Return the fields of an operation for one of ``seats``; none for any other text."""
    kind, _, one = whom.partition(":")
    return {kind: one} if kind in ("class", "grade") and one else {}
