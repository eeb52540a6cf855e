# SPDX-License-Identifier: Apache-2.0
"""Check names that must be blocked, and expectations of the school.

A list that has lost everything else may still look whole. So a version names some canaries of
each category. Wherever a category is closed, they are blocked: of locked
categories all of them, of any other at least one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.guard.guard_report import EXPECTATIONS, Severity, found
from filterd.feed.guard.limits import few
from filterd.i18n import say
from filterd.lists.rules import MADE_CANARY
from filterd.policy.verdict import Rule
from filterd.resolve.expectation_checks import unmet
from filterd.resolve.site import Site
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from filterd.feed.guard.guard_report import Finding
    from filterd.feed.guard.impact import Compared
    from filterd.feed.guard.probe_clients import Asking
    from filterd.i18n import Sentence

OPENED_ALLOWED = 0.1
"""Of the names of a category that are closed now: so many may open."""

_CANARIES = "canaries"


def open_canaries(
    asking: Asking, canaries: Mapping[str, tuple[bytes, ...]], feed: Collection[str]
) -> Iterator[Finding]:
    """Find categories whose canaries are open where the category is closed.

    Args:
        asking: the candidate.
        canaries: of the version, by category.
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


def opened_canaries(
    in_force: Compared | None, shipped: Compared, canaries: Mapping[str, Iterable[bytes]]
) -> Iterator[Finding]:
    """Find categories of which names would open that are closed now.

    A version names its own canaries, and so those that it has kept. A few names of a category go
    every year; those made for this (``.blocked.filterd.example``) never do.

    Args:
        in_force: the candidate and what is active, if anything is.
        shipped: the candidate and the shipped lists, all names of which are asked; for public
            lists beside a feed again ``in_force``, of which theirs are asked.
        canaries: those of the active version, by category.
    """
    if in_force is not None:
        yield from _opened(in_force, canaries, say("the version in force"))
    whose = say("the version in force") if shipped is in_force else say("what ships")
    yield from _opened(shipped, _listed(shipped), whose)


def _opened(
    compared: Compared, canaries: Mapping[str, Iterable[bytes]], whose: Sentence
) -> Iterator[Finding]:
    for category, names_of in canaries.items():
        asked = [name for name in names_of if compared.closed_before(name)]
        gone = [names.to_text(name) for name in asked if compared.newly_open(name)]
        made = any(name.endswith(MADE_CANARY) for name in gone)
        if made or len(gone) > min(max(OPENED_ALLOWED * len(asked), 1), max(len(asked) - 1, 0)):
            sentence = say(
                "category {category}: {count} of {asked} names that {whose} closes would be open: "
                "{names}",
                category=category,
                count=len(gone),
                asked=len(asked),
                whose=whose,
                names=few(gone),
            )
            numbers = {"count": len(gone), "asked": len(asked)}
            subjects = [f"{category} {name}" for name in gone]
            yield found(_CANARIES, Severity.HELD, sentence, gone, subjects, **numbers)


def _listed(compared: Compared) -> dict[str, list[bytes]]:
    """Return all names of the lists before, by the categories that close them.

    Beside public lists a feed may have millions of names, which are not theirs.
    """
    by_category, before = dict[str, list[bytes]](), compared.before
    for name in before.index.names_of(compared.lists_before):
        for category in sorted({match.category for match in before.closed(name).values()}):
            by_category.setdefault(category, []).append(name)
    return by_category


def unmet_expectations(asking: Asking, before: Asking | None, now: float) -> Iterator[Finding]:
    """Find expectations that the version does not meet, and the active one does."""
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
    """Return whether a client to which a category is closed gets one of its canaries.

    An exception of the school does not count. Where the category is closed to no client the index
    must have the name all the same.
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
