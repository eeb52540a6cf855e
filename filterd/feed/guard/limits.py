# SPDX-License-Identifier: Apache-2.0
"""Limit how much of a version may change at once before a person looks at it.

Publisher and appliances have the same limits: what would be held in
thousands of schools in the morning is better held once, the evening before.

Lists are counted by category; ``tables`` compares what stands beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.feed.guard.judgement import Severity, found
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.feed.guard.judgement import Finding

POPULAR_LIMITS = ((100, 0), (1_000, 5), (10_000, 50))
"""Of so many most popular names, at most so many may be newly closed."""
TOTAL_SHRINK, TOTAL_GROWTH = 0.10, 0.20
CATEGORY_SHRINK, CATEGORY_GROWTH = 0.20, 0.50
SLACK, LOST_SLACK = 50, 10
"""Names that any category may gain, or lose: three that become five are no growth."""

POPULAR, GROWTH = "popular", "growth"
"""The kinds of what is found here."""

_NAMED = 5


@frozen
class Content:
    """The content that is limited: names by category, and popular ones by rank."""

    names: Mapping[str, int]
    popular: Mapping[int, str]


def excesses(new: Content, before: Content) -> Iterator[Finding]:
    """Find why a version is held, each reason once."""
    yield from _closed_popular(new, before)
    yield from _changed("", _total(new), _total(before), TOTAL_SHRINK, TOTAL_GROWTH)
    for category in sorted(new.names.keys() | before.names.keys()):
        had, has = before.names.get(category, 0), new.names.get(category, 0)
        if had and not has:
            gone = say(
                "category {category}: all its {had} names are gone", category=category, had=had
            )
            yield found(GROWTH, Severity.HELD, gone, had=had, has=0)
        elif had:
            yield from _changed(category, has, had, CATEGORY_SHRINK, CATEGORY_GROWTH)


def _closed_popular(new: Content, before: Content) -> Iterator[Finding]:
    open_before = set(before.popular.values())
    newly = [(rank, name) for rank, name in sorted(new.popular.items()) if name not in open_before]
    for top, allowed in POPULAR_LIMITS:
        closed = [name for rank, name in newly if rank <= top]
        if len(closed) > allowed:
            sentence = say(
                "{count} of the {top} most popular names would be closed, {allowed} are allowed: "
                "{names}",
                count=len(closed),
                top=top,
                allowed=allowed,
                names=few(closed),
            )
            numbers = {"count": len(closed), "top": top, "allowed": allowed}
            yield found(POPULAR, Severity.HELD, sentence, closed, **numbers)


def few(names: list[str]) -> str:
    """Return the first of some names, for a sentence."""
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _changed(category: str, has: int, had: int, shrink: float, growth: float) -> Iterator[Finding]:
    """Report a change beyond its limit; ``category`` is empty for all together."""
    if not had or (had - max(shrink * had, LOST_SLACK) <= has <= had + max(growth * had, SLACK)):
        return
    if category:
        sentence = say(
            "category {category}: {had} names become {has}", category=category, had=had, has=has
        )
    else:
        sentence = say("all categories: {had} names become {has}", had=had, has=has)
    yield found(GROWTH, Severity.HELD, sentence, had=had, has=has)


def _total(content: Content) -> int:
    return sum(content.names.values())
