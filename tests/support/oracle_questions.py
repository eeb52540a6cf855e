# SPDX-License-Identifier: Apache-2.0
"""A client's question, as the oracle keeps it until its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.support import oracle
from tests.support import oracle_messages as wire
from tests.support.oracle import Question
from tests.support.oracle_rules import CLASSMATE, SEARCH, TWIN, ZONE
from tests.support.oracle_upstream import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.oracle import Person
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import UpstreamAnswer

LARGEST_UDP, SMALLEST_UDP, LARGEST_TCP = 1232, 512, 65_535
REWRITTEN_TYPES = (wire.A, wire.AAAA, wire.HTTPS)


@dataclass(eq=False)
class Asked:
    """A client's question: what, of which worker, and when (order among events, both times)."""

    who: Person
    name: str
    qtype: int
    message: bytes
    worker: int
    order: int
    at: float
    wall: float
    rules: Rules
    do: bool = False
    cd: bool = False
    rd: bool = True
    ad: bool = False
    edns: bool = True
    size: int = LARGEST_UDP
    by_tcp: bool = False
    also: tuple[Person, ...] = ()
    """The later holders of the address: the last of them is answered."""
    by_chain: bool = False
    among_many: bool = False
    """A thousand waited when the rules changed."""
    abandoned: bool = False
    """Its worker was stopped meanwhile, or its client lost the right to ask."""

    @property
    def limit(self) -> int:
        """How many octets a reply may have."""
        if self.by_tcp:
            return LARGEST_TCP
        return min(max(SMALLEST_UDP, self.size), LARGEST_UDP) if self.edns else SMALLEST_UDP

    def key(self, rules: Rules) -> Key:
        """Return what the upstream is asked for it."""
        name = TWIN if is_rewritten(rules, self) else self.name
        return Key(name, self.qtype, self.do, self.cd, rules.whom(name))

    def answered_by(self, rules: Rules) -> Asked:
        """Return it as of the present holder of the address, by the rules."""
        *_, last = self.seen_by(rules)
        return last

    def seen_by(self, rules: Rules) -> Iterator[Asked]:
        """Yield it by the rules' view of the client: several if the device has changed."""
        for who in (self.who, *self.also):
            seen = rules.seen(who)
            yield self if seen is self.who else replace(self, who=seen)


def is_rewritten(rules: Rules, asked: Asked) -> bool:
    """Return whether a client gets the safe host in place of a name."""
    is_about = asked.name == SEARCH and asked.qtype in REWRITTEN_TYPES
    return is_about and asked.who.grade in rules.twins_for


def question_at(asked: Asked, wall: float) -> Question:
    """Return the decision that is to be made about a question at a moment."""
    return Question(asked.who, asked.name, asked.qtype, wall)


def is_local(name: str) -> bool:
    """Return whether the school answers for a name itself."""
    return name == ZONE or name.endswith(f".{ZONE}")


def is_of_the_zone_itself(rules: Rules, asked: Asked) -> bool:
    """Return whether a zone's own server asks about its zone: it would be asked back."""
    return asked.who.address == CLASSMATE.address and bool(rules.whom(asked.name))


def was_of_the_zone_itself(asked: Asked) -> bool:
    """Return whether it was so when it began to ask: what waited may go round once."""
    return is_of_the_zone_itself(asked.rules, asked)


def may_be_asked_for(rules: Rules, asked: Asked, wall: float) -> bool:
    """Return whether an upstream may hear of a question."""
    if not asked.rd or asked.qtype == wire.ANY or not rules.admits(asked.who):
        return False
    if is_local(asked.name):
        return False
    if is_of_the_zone_itself(rules, asked) and was_of_the_zone_itself(asked):
        return False
    if is_rewritten(rules, asked) and asked.qtype == wire.HTTPS:
        return False
    return not oracle.is_blocked(rules.world, question_at(asked, wall))


def leads_to_a_block(rules: Rules, asked: Asked, targets: Iterable[str], wall: float) -> bool:
    """Return whether a name that passes leads to one that does not."""
    question = question_at(asked, wall)
    return any(oracle.target_is_blocked(rules.world, question, target) for target in targets)


def targets_of(rules: Rules, asked: Asked, answer: UpstreamAnswer) -> tuple[str, ...]:
    """Return the judged names of an answer: none if it is from a zone's own server."""
    if answer.key.whom:
        return ()
    return (TWIN, *answer.targets) if is_rewritten(rules, asked) else answer.targets
