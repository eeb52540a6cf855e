# SPDX-License-Identifier: Apache-2.0
"""The plain part of a policy, for the fast path, which has no policy of its own.

``SetReader`` reads the decision table: the meaning of a claim set for a grade where no
question could make a difference. ``touched`` reads the model: the names for which the site
or the publisher has rules beside the lists. Everything that is not plain is left to the
engine, so both err on the side of leaving too much.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.rules import Effect, Scope
from filterd.policy.list_claims import DecisionTable
from filterd.policy.model import BlockResponse
from filterd.policy.name_rules import FileRules, opened_services
from filterd.policy.verdict import Action, Match, Rule, Verdict
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.index import Index
    from filterd.policy.list_claims import Ruling
    from filterd.policy.model import GradePolicy, Policy

_ACTIONS = {BlockResponse.NXDOMAIN: Action.NXDOMAIN, BlockResponse.NODATA: Action.NODATA}
"""A sinkhole depends on the type and on other lists of the name."""


class Touch(IntFlag):
    """The rules for a name beside the lists."""

    SUBTREE = 1
    """A rule for it, and perhaps for names beneath it."""
    BENEATH = 2
    """A rule for a name beneath it, which an NXDOMAIN would deny."""


class PlainDecision(NamedTuple):
    """The decision of a claim set for a grade: all types, and all names beneath.

    ``verdict`` is a block; None: nothing in the set closes the name to this grade.
    ``category`` is then the one under which a listed and open name is counted.
    """

    verdict: Verdict | None
    category: str = ""


class SetReader:
    """Reader of claim sets in the decision table that do not depend on the question."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self._table = DecisionTable(policy, index)

    def read(self, grade: GradePolicy, set_id: int) -> PlainDecision | None:
        """Return the decision of a claim set; None where that depends on the question.

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
    """Return whether a claim blocks its name, all types and all names beneath."""
    claim = ruling.claim
    return (
        claim.effect is Effect.BLOCK
        and ruling.rule is not Rule.LIST_EXCEPTION
        and claim.scope is Scope.SUBTREE
        and claim.types is None
        and not (claim.denyallow or claim.important or claim.specific)
    )


def _match(ruling: Ruling) -> Match:
    """Return the provenance that an answer needs; name and line are not looked up."""
    return Match(
        ruling.rule,
        blocks=True,
        subject=names.ROOT,
        category=ruling.category,
        list_id=ruling.list_id,
        third_party=ruling.third_party,
    )


def touched(
    policy: Policy, others: Iterable[bytes] = (), files: FileRules | None = None
) -> dict[bytes, Touch]:
    """Return every name with a rule beside the lists, and the ancestors of those.

    Args:
        policy: with its pins, protections, rules, rewrites and zones.
        others: names that are special for another reason.
        files: what is known of the files that the policy was made of.
    """
    files = FileRules(policy) if files is None else files.beneath(policy)
    more = {*files.added(policy), *opened_services(policy), *others}
    ruled = files.ruled | more
    above = files.above.union(*map(names.ancestors, more))
    found = dict.fromkeys(ruled, Touch.SUBTREE) | dict.fromkeys(above, Touch.BENEATH)
    return found | dict.fromkeys(ruled & above, Touch.SUBTREE | Touch.BENEATH)
