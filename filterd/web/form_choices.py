# SPDX-License-Identifier: Apache-2.0
"""List the options of selection fields of forms: value and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.descriptions import Describer
from filterd.texts import words
from filterd.texts.counted import duration
from filterd.texts.i18n import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Row, Wording

    Options = list[tuple[str, str]]

TERMS_S = (900, 2_700, 5_400, 86_400, 604_800)


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
    tell = Describer(*by).grade
    of_classes = [
        (f"class:{one}", tell(one)) for one in ids["classes"] if classes is None or one in classes
    ]
    return of_classes + [(f"grade:{one}", tell(one)) for one in ids["grades"] if classes is None]


def rooms(ids: Row, by: Wording) -> Options:
    """Return the rooms, as ``network:lab-a``."""
    return [(f"network:{one}", by.texts("room {room}", room=one)) for one in ids["rooms"]]


def audiences(
    ids: Row, by: Wording, classes: Iterable[str] | None = None, *, wide: bool = False
) -> Options:
    """Return audiences of an exception: ``seats``, rooms; if ``wide``, many at once."""
    found = [*seats(ids, by, classes), *rooms(ids, by)]
    if not wide:
        return found
    tiers = [(f"tier:{one}", by.texts.word(words.TIER, one)) for one in ids["tiers"]]
    return [("everybody", by.texts("everybody")), *tiers, *found]


def lengths(seconds: Iterable[int], by: Wording) -> Options:
    """Return lengths of time."""
    return [(str(second), translated(duration(second), by.texts.language)) for second in seconds]


def terms(by: Wording) -> Options:
    """Return the terms of a change; the empty one is the time in another field."""
    return [
        *lengths(TERMS_S, by),
        ("lesson", by.texts("until the bell")),
        ("permanent", by.texts("without an end")),
        ("", by.texts("until the time below")),
    ]


def names_of(rows: Iterable[Row], by: Wording) -> dict[str, str]:
    """Return the names of categories by id."""
    return {row["id"]: row[f"name_{by.texts.language}"] for row in rows}


def categories(rows: Iterable[Row], by: Wording) -> Options:
    """Return the categories that a log may show, by name."""
    name = f"name_{by.texts.language}"
    return sorted(
        ((row["id"], row[name]) for row in rows if not row.get("confidential")),
        key=lambda one: one[1],
    )


def with_category_names(rows: Iterable[Row], names: Mapping[str, str]) -> Iterator[Row]:
    """Yield rows with the name of their category in place of its id.

    Args:
        rows: of which some have a category.
        names: of ``names_of``.
    """
    for row in rows:
        id_ = row.get("category", "")
        yield {**row, "category": names.get(id_) or id_}


def seat_query(whom: str) -> dict[str, Any]:
    """Return the fields of an operation for one of ``seats``; none for any other text."""
    kind, _, one = whom.partition(":")
    return {kind: one} if kind in ("class", "grade") and one else {}
