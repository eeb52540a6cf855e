# SPDX-License-Identifier: Apache-2.0
"""Reduce an explanation to what the client itself may know of it. Pure.

An explanation names lists, rules, authors and notes. The client is shown the kind of reason,
the title of the category and an end; never another audience, a person or a text that staff
wrote.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.lists.lookalikes import RULE_MARK
from filterd.policy.model import Category
from filterd.policy.verdict import Rule
from filterd.resolve.explanation import passes
from filterd.resolve.special_use import SpecialReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.policy.model import Policy

_CAPTIVE_CHECK = "captive-check"
"""The reason of pins for the names by which devices look for a captive portal."""
_HOME = frozenset(("local-zone", "lease", "not-asked", *SpecialReason))
_LOCKS = frozenset((Rule.LOCKED.label, Rule.ORDERED.label))
_ASKING = frozenset(("lower-secondary", "upper-secondary", "continuing"))
"""The tiers whose pupils may ask for a review."""
_NO_CATEGORY = Category("", "", "")


class BlockReason(StrEnum):
    """The kind of reason why a name is closed, or that it is not.

    * ``HELP``: self-harm; help comes before the answer.
    * ``DANGER``: scams and malware.
    * ``LAW``: ordered by an authority, for everybody.
    * ``LOCKED``: closed to everybody.
    * ``AGE``: its category opens from an age on. ``SCHOOL``: the school has closed it.
    * ``HOURS``: closed for a time of day. ``EXAM``: only what an exam needs is open.
    * ``OPEN``: it is not closed. ``HOME``: it is no name of the Internet.
    * ``CHECK``: devices ask it for a captive portal, and must not find one.
    """

    HELP = "help"
    DANGER = "danger"
    LAW = "law"
    LOCKED = "locked"
    AGE = "age"
    SCHOOL = "school"
    HOURS = "hours"
    EXAM = "exam"
    OPEN = "open"
    HOME = "home"
    CHECK = "check"


class BlockFacts(NamedTuple):
    """What a client may know of a verdict.

    Attributes:
        reason: the kind of it.
        category: None where it is not to be named.
        until: the Unix time at which it may end; None for none.
        entry: the name that a list or the school has, which closes it; None for none. The name
            that was asked for may have any text before it.
        may_ask: whether the client's class may ask for a review of the entry.
    """

    reason: BlockReason
    category: Category | None
    until: float | None
    entry: str | None
    may_ask: bool


def facts_of(explained: Mapping[str, Any], policy: Policy, *, is_confidential: bool) -> BlockFacts:
    """Return what a client may know of an explanation.

    Args:
        explained: as ``Explanation.to_plain`` gives it.
        policy: the one that explains.
        is_confidential: whether the name is one that no log has, be it closed or not.
    """
    category = policy.categories.get(explained["category"])
    reason = _reason(explained, category, policy, is_confidential=is_confidential)
    is_set = reason in (BlockReason.HOURS, BlockReason.EXAM) or explained["changed_by"]
    entry = _entry(explained)
    ends_at = explained["valid_until"] if is_set or explained["reason"] == "local" else None
    return BlockFacts(
        reason,
        None if is_confidential or (category and category.confidential) else category,
        None if ends_at is None else datetime.fromisoformat(ends_at).timestamp(),
        entry,
        entry is not None
        and reason in (BlockReason.AGE, BlockReason.SCHOOL)
        and explained["tier"] in _ASKING
        and explained["network"] is not None
        and _LOCKS.isdisjoint((explained["reason"], (explained["next_match"] or {}).get("reason"))),
    )


def _entry(explained: Mapping[str, Any]) -> str | None:
    """Return the name that is listed; a rule for look-alikes lists none."""
    is_rule = str(explained["entry"] or "").startswith(RULE_MARK)
    return None if is_rule else explained["matched"]


def _reason(
    explained: Mapping[str, Any],
    category: Category | None,
    policy: Policy,
    *,
    is_confidential: bool,
) -> BlockReason:
    label, cause = explained["reason"], explained["changed_by"] or ""
    is_check = label == Rule.PIN.label and explained["note"] == _CAPTIVE_CHECK
    is_closed_time = label == Rule.ALLOW_ONLY.label
    grade = policy.grades.get(explained["class"] or explained["grade"])
    of_category = category or _NO_CATEGORY
    opens_by_age = label != Rule.LOCAL.label and not of_category.locked
    age = of_category.min_age if opens_by_age else None
    in_turn = (
        (BlockReason.HOME, label in _HOME),
        (BlockReason.CHECK, is_check),
        (BlockReason.OPEN, passes(explained["action"])),
        (BlockReason.LAW, of_category.ordered or label == Rule.ORDERED.label),
        (BlockReason.HELP, is_confidential),
        (BlockReason.DANGER, of_category.security),
        (BlockReason.EXAM, is_closed_time and not cause),
        (BlockReason.HOURS, is_closed_time or cause.startswith("schedule:")),
        (BlockReason.LOCKED, of_category.locked and label != Rule.CATEGORY.label),  # no guess
        (BlockReason.AGE, age is not None and grade is not None and grade.age < age),
    )
    return next((reason for reason, holds in in_turn if holds), BlockReason.SCHOOL)
