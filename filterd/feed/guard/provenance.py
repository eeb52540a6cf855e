# SPDX-License-Identifier: Apache-2.0
"""Check who has signed what a version closes by order.

An order of the law closes what nothing else may: neither protection nor popularity keeps a name
open, and no person at a school can stop it. So it counts by its signature, not by its category.
The role ``orders`` signs ``orders.yaml`` and ``orders/*`` and nothing else (``version_files``),
and only these become lists with the ids of orders (``lists.rules.is_order``). Each other list,
service or rule of a version is signed by the online keys; it may have no entry in an ordered
category.

The online keys name the key of that role as well. A key that differs from that of the version in
force holds the whole version (``held_versions.other_key``). Where no version in force has named a
key yet, orders close no name that must stay open before a person agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.guard.judgement import Severity, found
from filterd.feed.guard.limits import few
from filterd.feed.guard.must_resolve import essentials_of
from filterd.lists import listed_names
from filterd.lists.rules import is_order
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from filterd.feed.guard.candidate import Asking
    from filterd.feed.guard.judgement import Finding
    from filterd.lists.catalogs.catalog_tables import PopularName

PROVENANCE = "provenance"
"""The kind of what is found here."""


def unsigned_orders(asking: Asking, feed: Collection[str]) -> Iterator[Finding]:
    """Find lists of ordered categories that the ordering authority has not signed.

    Args:
        asking: the candidate.
        feed: the ids of the version's lists.
    """
    ordered = {category.id for category in asking.policy.categories.values() if category.ordered}
    with_entries = {asking.index.lists[number].id for number, _ in asking.index.claims}
    for one in asking.index.lists:
        if one.id not in feed or is_order(one.id) or one.category not in ordered:
            continue
        if one.id in with_entries:
            sentence = say(
                "list {list} has names of category {category}, which takes orders only, and the"
                " ordering authority has not signed it",
                list=one.id,
                category=one.category,
            )
            yield found(PROVENANCE, Severity.REFUSED, sentence, (), [f"{one.category} {one.id}"])


def orders_by_unknown_key(
    asking: Asking, references: Sequence[Asking], popular: Iterable[PopularName]
) -> Iterator[Finding]:
    """Find names that must stay open, but orders of a key not known yet close.

    Args:
        asking: the candidate.
        references: what is active, if anything is, and the shipped lists.
        popular: the shipped popular names.
    """
    if not any(is_order(one.id) for one in asking.index.lists):
        return
    policies = [asking.policy, *(known.policy for known in references)]
    essentials = {one for policy in policies for one in essentials_of(policy)}
    beneath = (
        name
        for essential in essentials
        if essential.subtree
        for name in listed_names.beneath(asking.index, essential.name)
    )
    asked = dict.fromkeys(
        (*(essential.name for essential in essentials), *beneath, *(one.name for one in popular))
    )
    closed = sorted(
        names.to_text(one) for one in asked if _is_newly_ordered(one, asking, references)
    )
    if closed:
        sentence = say(
            "orders signed by a key that is not known here yet would close {count} names that must"
            " stay open: {names}",
            count=len(closed),
            names=few(closed),
        )
        yield found(PROVENANCE, Severity.HELD, sentence, closed, closed, count=len(closed))


def _is_newly_ordered(name: bytes, asking: Asking, references: Sequence[Asking]) -> bool:
    ordered = {grade for grade, match in asking.closed(name).items() if is_order(match.list_id)}
    return bool(ordered) and not any(ordered <= known.closed(name).keys() for known in references)
