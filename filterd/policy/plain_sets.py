# SPDX-License-Identifier: Apache-2.0
"""What of a policy can be read without thinking: for the fast path, which has no policy of its own.

Two readings of what ``table`` and ``model`` hold. ``SetReader``: what a claim set
means to a grade where no question could make a difference. ``touched``: the names
of which the site or the publisher says more than the lists do. Whatever is not
plain is left to the engine, so both err on the side of leaving too much.
"""

from __future__ import annotations

from enum import IntFlag
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.rules import Effect, Scope
from filterd.policy.decision_table import DecisionTable
from filterd.policy.model import BlockResponse
from filterd.policy.name_rules import opened_services
from filterd.policy.verdict import Action, Match, Rule, Verdict
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.lists.index import Index
    from filterd.policy.decision_table import Ruling
    from filterd.policy.model import GradePolicy, Policy

_ACTIONS = {BlockResponse.NXDOMAIN: Action.NXDOMAIN, BlockResponse.NODATA: Action.NODATA}
"""A sinkhole depends on the type and on what else lists the name."""


class Touch(IntFlag):
    """How a name is spoken of beside the lists."""

    SUBTREE = 1
    """Something is said of it, and perhaps of what is beneath it."""
    BENEATH = 2
    """Something is said of a name beneath it, which an NXDOMAIN would deny."""


class PlainDecision(NamedTuple):
    """What a claim set means to a grade, for all types of the name and all that is beneath it.

    ``verdict`` is a block; None: nothing in the set keeps this grade from the name.
    ``category`` is then the one as which a name is counted that is listed and open.
    """

    verdict: Verdict | None
    category: str = ""


class SetReader:
    """Reads the decision table for claim sets that need no knowledge of the question."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self._table = DecisionTable(policy, index)

    def read(self, grade: GradePolicy, set_id: int) -> PlainDecision | None:
        """Return what a claim set means to a grade; None where that depends on the question.

        Of several listed names that cover a question the lowest rule of their
        verdicts decides, then the longest name (``precedence.deciding``).
        """
        if grade.allow_only:
            return None
        if self._table.marks_exception_beneath(set_id):
            return None
        rulings = self._table.rulings(grade, set_id)
        if not all(_is_plain(ruling) for ruling in rulings):
            return None
        blocks = [ruling for ruling in rulings if ruling.rule is not Rule.OPEN]
        if not blocks:
            return PlainDecision(None, rulings[0].category if rulings else "")
        action = _ACTIONS.get(grade.response)
        if action is None:
            return None
        first = min(blocks, key=lambda ruling: ruling.rule)
        return PlainDecision(Verdict(action, _match(first)))


def _is_plain(ruling: Ruling) -> bool:
    """Tell whether a claim blocks its name, what is beneath it and all types, and no less."""
    claim = ruling.claim
    return (
        claim.effect is Effect.BLOCK
        and ruling.rule is not Rule.LIST_EXCEPTION
        and claim.scope is Scope.SUBTREE
        and claim.types is None
        and not (claim.denyallow or claim.important or claim.specific)
    )


def _match(ruling: Ruling) -> Match:
    """Return the provenance that an answer needs; the name and the line are not looked up."""
    return Match(
        ruling.rule,
        blocks=True,
        said_of=names.ROOT,
        category=ruling.category,
        list_id=ruling.list_id,
        third_party=ruling.third_party,
    )


def touched(policy: Policy, others: Iterable[bytes] = ()) -> dict[bytes, Touch]:
    """Return every name that anything but a list speaks of, and the names above those.

    Args:
        policy: whose pins, protections, rules, rewrites and zones.
        others: names that are special for another reason.
    """
    spoken_of = {*_spoken_of(policy), *others}
    above = {one for name in spoken_of for one in islice(names.suffixes(name), 1, None)}
    found = dict.fromkeys(spoken_of, Touch.SUBTREE) | dict.fromkeys(above, Touch.BENEATH)
    return found | dict.fromkeys(spoken_of & above, Touch.SUBTREE | Touch.BENEATH)


def _spoken_of(policy: Policy) -> Iterator[bytes]:
    yield from (pin.name for pin in policy.pins)
    yield from (protection.name for protection in policy.protections)
    yield from (rule.name for rule in policy.rules)
    yield from opened_services(policy)
    for rewrite in policy.rewrites:
        yield from rewrite.names
    yield from (zone.name for zone in policy.local_zones)
    yield from (zone.name for zone in policy.delegated_zones)
    if policy.lease_zone is not None:
        yield policy.lease_zone
    yield from policy.private_answers
