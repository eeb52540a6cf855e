# SPDX-License-Identifier: Apache-2.0
"""Who asks, as far as policy cares."""

from __future__ import annotations

from dataclasses import dataclass

from filterd.policy.model import Audience, GradePolicy, LocalRule


@dataclass(frozen=True, slots=True)
class Client:
    """A client's grade, and the network that gave it (None: an unknown client).

    ``address`` is None where a question is about a grade and not a device
    (``filterd check --grade 6``). ``mac`` is that of the device that has the
    address, None where it is not known.
    """

    grade: GradePolicy
    network: str | None = None
    address: str | None = None
    mac: str | None = None

    def is_meant_by(self, rule: LocalRule) -> bool:
        """Tell whether a local rule is for this client.

        Who sits an exam has that exam's allows and no other, but the blocks of all.
        """
        if rule.exam != self.grade.exam and (rule.allow or rule.exam):
            return False
        return self.is_of(rule.audience, rule.whom)

    def is_of(self, audience: Audience, whom: str) -> bool:
        """Tell whether this client is one of those."""
        match audience:
            case Audience.EVERYBODY:
                return True
            case Audience.TIER:
                return whom == self.grade.tier
            case Audience.GRADE:
                return whom == self.grade.grade
            case Audience.NETWORK:
                return whom == self.network
            case Audience.CLIENT:
                return whom == self.address
