# SPDX-License-Identifier: Apache-2.0
"""Where safe search may lead: a rewrite answers for a name with the addresses of another.

A publisher of any pair could answer for a bank. So a name that is pinned has no rewrite at
all, a protected one only that which ships, and any other leads within the domain that
somebody registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.guard.guard_report import Severity, found
from filterd.feed.guard.limits import few
from filterd.i18n import say
from filterd.lists.public_suffix import registrable
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.feed.guard.guard_report import Finding
    from filterd.lists.rules import Pin, Protection
    from filterd.policy.model import Policy

REWRITES = "rewrites"
"""The kind of what is found here."""


def wrong_rewrites(policy: Policy, known: Sequence[Policy]) -> Iterator[Finding]:
    """Find rewrites that a version may not have.

    Args:
        policy: the candidate's.
        known: that in force, if any is, and last what ships.
    """
    policies = (policy, *known)
    pinned = _guarded(one for each in policies for one in each.pins)
    protected = _guarded(one for each in policies for one in each.protections if not one.entry_only)
    shipped = set(_pairs(known[-1]))
    refused, held = list[str](), list[str]()
    for pair in _pairs(policy):
        *_, name, target = pair
        told = f"{names.to_text(name)} -> {names.to_text(target)}"
        if _covers(pinned, name):
            refused.append(told)
        elif pair not in shipped:
            if _covers(protected, name):
                refused.append(told)
            elif registrable(name) != registrable(target):
                held.append(told)
    for wrong, severity in ((refused, Severity.REFUSED), (held, Severity.HELD)):
        if wrong:
            sentence = say(
                "{count} names would be answered for by others that safe search may not use: "
                "{names}",
                count=len(wrong),
                names=few(wrong),
            )
            yield found(REWRITES, severity, sentence, wrong, wrong, count=len(wrong))


def _pairs(policy: Policy) -> Iterator[tuple[str, str, bytes, bytes]]:
    for one in policy.rewrites:
        for name in one.names:
            yield one.setting, one.level, name, one.target


def _guarded(guards: Iterable[Pin | Protection]) -> dict[bytes, bool]:
    """Return guarded names, and whether all that is beneath is guarded, too."""
    found_names = dict[bytes, bool]()
    for one in guards:
        found_names[one.name] = found_names.get(one.name, False) or one.subtree
    return found_names


def _covers(guarded: dict[bytes, bool], name: bytes) -> bool:
    return name in guarded or any(guarded.get(above) for above in names.suffixes(name))
