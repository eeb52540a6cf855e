# SPDX-License-Identifier: Apache-2.0
"""Names that must be blocked: a list that has lost everything else may still look whole.

A version names them itself, of each category some (reliability.md E6). Wherever a
category is closed, they are; of those that the law closes to everybody all of them,
of any other at least one. What a school has written down of names and grades is
held against the version too, as a reload of the daemon does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.documents import load, validate
from filterd.feeds.guard.judgement import EXPECTATIONS, Severity, found
from filterd.feeds.guard.limits import few
from filterd.lists.catalog_schema import CanariesFile
from filterd.policy.verdict import Rule
from filterd.resolve.expectations import unmet
from filterd.resolve.site import Site
from filterd.sentences import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from filterd.feeds.guard.asking import Asking
    from filterd.feeds.guard.judgement import Finding

CANARIES_FILE = "canaries.yaml"

_CANARIES = "canaries"


def read_canaries(folder: Path) -> dict[str, tuple[bytes, ...]]:
    """Return the canaries of a version by category.

    Raises:
        ConfigErrors: the file is wrong.
        ConfigError: it cannot be read.
    """
    file = validate(load(folder / CANARIES_FILE), CanariesFile)
    found_names = dict[str, tuple[bytes, ...]]()
    for entry in file.canaries:
        found_names[entry.category] = (*found_names.get(entry.category, ()), *entry.names)
    return found_names


def open_canaries(
    asking: Asking, canaries: Mapping[str, tuple[bytes, ...]], feed: Collection[str]
) -> Iterator[Finding]:
    """Find categories whose canaries are not blocked to whom the category is closed.

    Args:
        asking: the candidate.
        canaries: as the version has them.
        feed: the ids of the version's lists.
    """
    listed = {one.category for one in asking.index.lists if one.kept and one.id in feed}
    for category in asking.policy.categories.values():
        asked = canaries.get(category.id, ())
        gone = [names.to_text(name) for name in asked if _is_open(asking, name, category.id)]
        must_have = category.locked and not category.ordered  # an order's names come and go
        if must_have and category.id in listed and not asked:
            none = say(
                "category {category}: it must be closed to everybody, and has no name to ask for",
                category=category.id,
            )
            yield found(_CANARIES, Severity.REFUSED, none)
        elif gone and (category.locked or len(gone) == len(asked)):
            sentence = say(
                "category {category}: {count} of {asked} names that must be closed would be open: "
                "{names}",
                category=category.id,
                count=len(gone),
                asked=len(asked),
                names=few(gone),
            )
            numbers = {"count": len(gone), "asked": len(asked)}
            yield found(_CANARIES, Severity.REFUSED, sentence, gone, **numbers)


def unmet_expectations(asking: Asking, before: Asking | None, now: float) -> Iterator[Finding]:
    """Find what the school expects and the version does not meet, though what is in force does."""
    site = Site.of(asking.policy, asking.index, (), now=now)
    missed = unmet(site, asking.policy.expectations, now)
    known = set[str]()
    if missed and before is not None:
        in_force = Site.of(before.policy, before.index, (), now=now)
        known = {
            one.expectation.written for one in unmet(in_force, asking.policy.expectations, now)
        }
    for one in missed:
        if not one.yields and one.expectation.written not in known:
            name = names.to_text(one.expectation.name)
            yield found(EXPECTATIONS, Severity.REFUSED, one.error().sentence, [name])


def _is_open(asking: Asking, name: bytes, category: str) -> bool:
    """Tell whether anybody to whom a category is closed gets a canary of it, other than by will.

    An exception of the school's is its own will. Where the category is closed to
    nobody the index must have the name all the same.
    """
    closed_to_some = False
    for client, verdict in asking.verdicts(name):
        if category not in client.grade.closed:
            continue
        closed_to_some = True
        by_school = verdict.match is not None and verdict.match.rule is Rule.LOCAL
        if not verdict.blocked and not by_school:
            return True
    return not closed_to_some and not asking.index.lookup(name)
