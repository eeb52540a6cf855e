# SPDX-License-Identifier: Apache-2.0
"""Rules by name, beside the lists: pins, protections, local rules, rewrites.

They are few (hundreds) and change without a rebuild, so they lie over the index: a
dictionary by name, looked up for the qname and each of its ancestors.
``precedence`` decides among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from filterd.policy.model import SERVICE, Audience
from filterd.policy.precedence import RankedMatch
from filterd.policy.verdict import Match, Rule
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.lists.rules import Pin, Protection, SafeSearchRewrite
    from filterd.policy.model import Client, GradePolicy, LocalRule, Policy

_NARROWNESS = {audience: rank for rank, audience in enumerate(Audience)}


@dataclass(slots=True)
class RulesOfName:
    """The rules for exactly one name."""

    pins: list[Pin] = field(default_factory=list)
    protections: list[Protection] = field(default_factory=list)
    rules: list[LocalRule] = field(default_factory=list)
    rewrites: list[SafeSearchRewrite] = field(default_factory=list)

    def with_more(self, other: RulesOfName) -> RulesOfName:
        """Return these and others, which stand behind them."""
        return RulesOfName(
            self.pins + other.pins,
            self.protections + other.protections,
            self.rules + other.rules,
            self.rewrites + other.rewrites,
        )


class NameRules:
    """The rules for one name and its ancestors, the longest name first."""

    def __init__(self, qname: bytes, entries: list[RulesOfName]) -> None:
        self._qname, self._entries = qname, entries

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def subtrees(self) -> tuple[bytes, ...] | None:
        """The names of the guards, where there are only guards of whole subtrees.

        For names that have equal ones they mean the same. None where there is anything else.
        """
        found = list[bytes]()
        for entry in self._entries:
            guards: list[Pin | Protection] = [*entry.pins, *entry.protections]
            if entry.rules or entry.rewrites or not all(guard.subtree for guard in guards):
                return None
            found.append(guards[0].name)
        return tuple(found)

    def guards(self) -> Iterator[RankedMatch]:
        """Yield the pins and protections that cover the name."""
        for entry in self._entries:
            for pin in entry.pins:
                if pin.subtree or pin.name == self._qname:
                    yield RankedMatch(Match(Rule.PIN, False, pin.name, reason=pin.reason))
            for protection in entry.protections:
                if protection.subtree or protection.name == self._qname:
                    match = Match(
                        Rule.PROTECTED,
                        False,
                        protection.name,
                        reason=protection.reason,
                        except_categories=protection.except_categories,
                        entry_only=protection.entry_only,
                        every_list=protection.every_list,
                    )
                    yield RankedMatch(match)

    def rules(self, client: Client, now: float) -> Iterator[RankedMatch]:
        """Yield the active rules for a client, in the order of precedence."""
        in_force = (rule for rule in self._rules_for(client) if _holds(rule, now))
        for rule in sorted(in_force, key=_rank):
            match = Match(
                Rule.LOCAL, not rule.allow, rule.name, local_id=rule.id, reason=rule.reason
            )
            yield RankedMatch(match)

    def target(self, grade: GradePolicy) -> bytes | None:
        """Return the rewrite target of a name for a grade; None for itself, and for a pin."""
        rewrites = (one for entry in self._entries for one in entry.rewrites)
        for one in rewrites:
            if self._qname in one.names and getattr(grade, one.setting) == one.level:
                pinned = any(guard.match.rule is Rule.PIN for guard in self.guards())
                return None if pinned else one.target
        return None

    def next_edge(self, client: Client, now: float) -> float | None:
        """Return the next Unix time at which a rule for the client begins or ends.

        None for never. A rule that does not decide now may decide later, so all of them
        count.
        """
        rules = self._rules_for(client)
        edges = (edge for rule in rules for edge in (rule.starts_at, rule.ends_at))
        return min((edge for edge in edges if edge is not None and edge > now), default=None)

    def _rules_for(self, client: Client) -> Iterator[LocalRule]:
        for entry in self._entries:
            yield from filter(client.is_meant_by, entry.rules)


NO_RULES = NameRules(names.ROOT, [])
"""The result for nearly all names."""


class FileRules:
    """The rules by name that the site's files and the feed have. Immutable once made.

    An effective policy has all of them, and what commands have set: so they are read once, not
    at each change.

    Attributes:
        entries: the rules by their name.
        above_allowed: the ancestors of what may pass, of opened services apart.
        ruled: the names with a rule, of opened services apart.
        above: the ancestors of those.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.entries: dict[bytes, RulesOfName] = {}
        _add(self.entries, policy.pins, policy.protections, policy.rules)
        for rewrite in policy.rewrites:
            for name in rewrite.names:
                self.entries.setdefault(name, RulesOfName()).rewrites.append(rewrite)
        own = {zone.name for zone in policy.local_zones}  # answered before any list
        if policy.lease_zone is not None:
            own.add(policy.lease_zone)
        allowed = (name for name, entry in self.entries.items() if _lets_through(entry))
        self.above_allowed = _ancestors((*allowed, *own))
        delegated = (zone.name for zone in policy.delegated_zones)
        self.ruled = frozenset((*self.entries, *own, *delegated, *policy.private_answers))
        self.above = _ancestors(self.ruled)

    def beneath(self, policy: Policy) -> Self:
        """Return those of the files of a policy: these, where it only adds to them."""
        mine = self._policy
        is_same = (
            policy.pins == mine.pins
            and policy.rewrites == mine.rewrites
            and policy.local_zones == mine.local_zones
            and policy.delegated_zones == mine.delegated_zones
            and policy.lease_zone == mine.lease_zone
            and policy.private_answers == mine.private_answers
            and policy.protections[: len(mine.protections)] == mine.protections
            and policy.rules[: len(mine.rules)] == mine.rules
        )
        return self if is_same else type(self)(policy)

    def added(self, policy: Policy) -> dict[bytes, RulesOfName]:
        """Return the rules that a policy has beside these, by their name."""
        entries: dict[bytes, RulesOfName] = {}
        protections = policy.protections[len(self._policy.protections) :]
        _add(entries, (), protections, policy.rules[len(self._policy.rules) :])
        return entries


class Overlay:
    """Suffix lookup over pins, protections and local rules. Immutable once made.

    Args:
        policy: an effective one.
        files: what is known of the files that it was made of.
    """

    def __init__(self, policy: Policy, files: FileRules | None = None) -> None:
        files = FileRules(policy) if files is None else files.beneath(policy)
        added = files.added(policy)
        self._entries = files.entries | {
            name: files.entries[name].with_more(entry) if name in files.entries else entry
            for name, entry in added.items()
        }
        allowed = (name for name, entry in added.items() if _lets_through(entry))
        self._above_allowed = files.above_allowed | _ancestors((*allowed, *opened_services(policy)))

    def lookup(self, qname: bytes) -> NameRules:
        """Return the rules for ``qname`` and its ancestors; ``NO_RULES`` itself if none."""
        entries, found = self._entries, None
        offset = 0
        while length := qname[offset]:  # names.suffixes, without a generator for each question
            suffix = qname[offset:]
            if suffix in entries:
                found = [*(found or ()), entries[suffix]]
            offset += length + 1
        return NO_RULES if found is None else NameRules(qname, found)

    def has_allowed_beneath(self, qname: bytes) -> bool:
        """Return whether a name beneath ``qname`` may be allowed, or is the school's own.

        An NXDOMAIN for ``qname`` would deny that name too (RFC 8020), so a
        block has to be a NODATA. The audience of the allow does not matter: a
        gentler answer never lets anything through.
        """
        return qname in self._above_allowed


def opened_services(policy: Policy) -> Iterator[bytes]:
    """Yield the names of services that are open to a grade in a closed category."""
    opened = {one for grade in policy.grades.values() for one in grade.opened}
    for service in policy.services.values():
        if SERVICE + service.id in opened:
            yield from service.names


def _rank(rule: LocalRule) -> tuple[int, bool, int, bool]:
    """Return the rank of a rule: longer name, narrower audience, block.

    No audience is narrower than the participants of an exam.
    """
    narrowness = -_NARROWNESS[rule.audience]
    return -names.count_labels(rule.name), not rule.exam, narrowness, rule.allow


def _holds(rule: LocalRule, now: float) -> bool:
    begun = rule.starts_at is None or rule.starts_at <= now
    return begun and (rule.ends_at is None or now < rule.ends_at)


def _add(
    entries: dict[bytes, RulesOfName],
    pins: Iterable[Pin],
    protections: Iterable[Protection],
    rules: Iterable[LocalRule],
) -> None:
    for pin in pins:
        entries.setdefault(pin.name, RulesOfName()).pins.append(pin)
    for protection in protections:
        entries.setdefault(protection.name, RulesOfName()).protections.append(protection)
    for rule in rules:
        entries.setdefault(rule.name, RulesOfName()).rules.append(rule)


def _ancestors(of: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(above for name in of for above in names.ancestors(name))


def _lets_through(entry: RulesOfName) -> bool:
    return bool(entry.pins or entry.protections) or any(rule.allow for rule in entry.rules)
