# SPDX-License-Identifier: Apache-2.0
"""The order of rules, and nothing else: which of several decides.

1. a pin;
2. an order;
3. protection, which removes the claims of third-party lists, and a name of help
   (``filterd.lists.catalogs.help_names``) those of the publisher's own lists, too;
4. a locked category;
5. the site's own allows and blocks, already in their order: the longer name,
   the narrower audience, the block;
6. an exception of a list, which removes the claims of lists of its category;
7. a closed category;
8. that the grade sees only what is allowed.

So protection and exceptions decide where they removed everything that was left to
block; where another rule still blocks, that decides. The second rule is found by
deciding again without the first: "what would have decided without it" is then no rule
of its own that could be wrong.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.policy.verdict import Match, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@frozen(eq=False)
class RankedMatch:
    """A rule that covers the question, with the marks that rank entries of lists.

    ``labels`` counts those of the listed name; ``important`` and ``specific``
    are as in ``filterd.lists.rules.Claim``.
    """

    match: Match
    labels: int = 0
    important: bool = False
    specific: bool = False


def in_turn(ranked: Iterable[RankedMatch]) -> Iterator[Match]:
    """Yield the deciding rule, then the one that would decide without it, and so on."""
    left = list(ranked)
    while (first := deciding(left)) is not None:
        left.remove(first)
        yield first.match


def deciding(ranked: Sequence[RankedMatch]) -> RankedMatch | None:
    """Return the rule that decides, None where there is none.

    Args:
        ranked: all that cover the question; those of one rule in their order.
    """
    if not ranked:
        return None
    of = _by_rule(ranked)
    for first in (*of[Rule.PIN], *of[Rule.ORDERED]):
        return first
    standing = [one for one in of[Rule.LOCKED] if not _is_defeated(one, of[Rule.PROTECTED])]
    if standing:
        return standing[0]
    local = next(iter(of[Rule.LOCAL]), None)
    if local and local.match.blocks:
        return local
    closed = [one for one in of[Rule.CATEGORY] if not _is_defeated(one, of[Rule.PROTECTED])]
    exceptions = of[Rule.LIST_EXCEPTION]
    left = [one for one in closed if not any(spares(by, one) for by in exceptions)]
    for block in (*left, *of[Rule.ALLOW_ONLY]):
        return local or block
    return _what_lets_through(of, closed, local)


def _by_rule(ranked: Iterable[RankedMatch]) -> dict[Rule, list[RankedMatch]]:
    of: defaultdict[Rule, list[RankedMatch]] = defaultdict(list)
    for one in ranked:
        of[one.match.rule].append(one)
    return of


def _what_lets_through(
    of: dict[Rule, list[RankedMatch]], closed: Iterable[RankedMatch], local: RankedMatch | None
) -> RankedMatch | None:
    """Return the rule that lets a name pass, if a removed rule would block it."""
    lists = [*of[Rule.LOCKED], *of[Rule.CATEGORY]]
    for protection in of[Rule.PROTECTED]:
        if any(defeats(protection.match, block.match) for block in lists):
            return protection
    if local:
        return local
    for exception in of[Rule.LIST_EXCEPTION]:
        if any(spares(exception, block) for block in closed):
            return exception
    return next(iter(of[Rule.OPEN]), None)


def _is_defeated(block: RankedMatch, protections: Iterable[RankedMatch]) -> bool:
    return any(defeats(protection.match, block.match) for protection in protections)


def defeats(protection: Match, block: Match) -> bool:
    """Return whether a protection removes this block."""
    return (
        (block.third_party or protection.every_list)
        and block.rule is not Rule.ORDERED
        and block.category not in protection.except_categories
        and (not protection.entry_only or protection.name == block.name)
    )


def spares(exception: RankedMatch, block: RankedMatch) -> bool:
    """Return whether an exception of a list removes this block.

    It holds for lists of its own category only: an advertising list that leaves a name
    alone must not open a games site.
    """
    if exception.match.category != block.match.category:
        return False
    if block.important and not exception.important:
        return False
    return not exception.specific or exception.labels >= block.labels


def covers(cover: Match, block: Match) -> bool:
    """Return whether the rule that let a qname pass holds against a block of a target.

    A pin covers against everything, protection against third-party lists, a
    local allow against all but orders and locked categories.
    """
    match cover.rule:
        case Rule.PIN:
            return True
        case Rule.PROTECTED:
            return defeats(cover, block)
        case Rule.LOCAL:
            return not cover.blocks and block.rule > Rule.LOCKED
        case _:
            return False
