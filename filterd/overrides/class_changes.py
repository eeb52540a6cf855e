# SPDX-License-Identifier: Apache-2.0
"""Changes of classes: a class is lent to a substitute teacher. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd import field_checks
from filterd.overrides.effects import ChangeEffect, interval
from filterd.policy.temporary_rules import ClassLoan, Overrides

if TYPE_CHECKING:
    from filterd.overrides.change_fields import ChangeFields
    from filterd.overrides.effects import ChangeContext


@dataclass(frozen=True, slots=True)
class LendClass:
    """Give another teacher the rights on a class for a time."""

    class_id: str
    to: str
    ends_at: float
    starts_at: float | None = None
    for_s: float | None = None

    @classmethod
    def read(cls, fields: ChangeFields) -> LendClass:
        """Check the fields of the change."""
        return cls(
            fields.take("class_id", field_checks.class_id),
            fields.take("to", field_checks.user),
            fields.take("ends_at", field_checks.time),
            fields.take_or("starts_at", field_checks.time, None),
            fields.take_or("for_s", field_checks.seconds, None),
        )

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        starts_at, _ = interval(self.starts_at, self.ends_at, context)
        thing = ClassLoan(
            context.number,
            self.class_id,
            self.to,
            context.reason,
            context.author,
            starts_at,
            self.ends_at,
            self.for_s,
        )
        return ChangeEffect(after=Overrides(loans=(thing,)))
