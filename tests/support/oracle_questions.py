# SPDX-License-Identifier: Apache-2.0
"""A client's question, as the oracle keeps it until it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support import oracle_messages as wire
from tests.support.oracle import Question
from tests.support.oracle_rules import SEARCH, TWIN
from tests.support.oracle_upstream import Key

if TYPE_CHECKING:
    from tests.support.oracle import Person
    from tests.support.oracle_rules import Rules

LARGEST_UDP, SMALLEST_UDP = 1232, 512
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
    by_chain: bool = False
    among_many: bool = False
    """A thousand waited when the rules changed."""
    abandoned: bool = False
    """Its worker was stopped meanwhile, or its client lost the right to ask."""

    @property
    def limit(self) -> int:
        """How many octets a reply may have."""
        return min(max(SMALLEST_UDP, self.size), LARGEST_UDP) if self.edns else SMALLEST_UDP

    def key(self, rules: Rules) -> Key:
        """Return what the upstream is asked for it."""
        return Key(TWIN if is_rewritten(rules, self) else self.name, self.qtype, self.do, self.cd)


def is_rewritten(rules: Rules, asked: Asked) -> bool:
    """Tell whether somebody gets the twin in the place of a name."""
    is_about = asked.name == SEARCH and asked.qtype in REWRITTEN_TYPES
    return is_about and asked.who.grade in rules.twins_for


def question_at(asked: Asked, wall: float) -> Question:
    """Return the decision that is to be made about a question at a moment."""
    return Question(asked.who, asked.name, asked.qtype, wall)
