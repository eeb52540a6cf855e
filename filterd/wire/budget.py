# SPDX-License-Identifier: Apache-2.0
"""The work that one message may cause, counted in steps so that it needs no clock.

A message of a few hundred octets can ask for a million label reads by sending
every name through the same chain of pointers (RFC 9267 §2). A step is one
label, one pointer, or one element of a list inside RDATA. Whoever reads a part
of the message spends from the message's one budget; an honest message never
comes near its end. What was paid for once is remembered: a name that many
records point to is expanded once.
"""

from __future__ import annotations

from filterd.errors import CostlyMessageError

MAX_STEPS = 2048
"""Twenty times what the largest honest responses by UDP need; about 0.2 ms of CPU."""

OCTETS_A_STEP = 8
"""A message by TCP may have a step for so many octets: the smallest record with a name of its
own in RDATA has 16 octets and takes two, so a whole RRset of them can be read, in 1 ms."""


def steps_for(size_octets: int) -> int:
    """Return how many steps a message of this size may take."""
    return max(MAX_STEPS, size_octets // OCTETS_A_STEP)


class Budget:
    """What is left for one message. ``names`` maps offsets to names expanded there, as written."""

    __slots__ = ("names", "steps_left")

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps_left = steps
        self.names: dict[int, bytes] = {}

    def spend(self, steps: int, offset: int) -> None:
        """Take ``steps`` from the budget.

        Raises:
            CostlyMessageError: less is left. ``offset`` says where that happened.
        """
        self.steps_left -= steps
        if self.steps_left < 0:
            raise CostlyMessageError("the message takes too many steps to read", offset)
